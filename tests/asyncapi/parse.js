// Reads the AsyncAPI documents named on the command line; prints one JSON line with what is wrong with each.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(await readFile(path, "utf8"));
  const found = diagnostics.map(({ code, severity, message, path }) => ({
    code,
    severity,
    message,
    path: path.join("."),
  }));
  process.stdout.write(JSON.stringify({ path, isRead: document !== undefined, found }) + "\n");
}
