// Headless Chromium as a pipe: opens the page it is given, prints what the page logs, and its text on request.
import readline from "node:readline";
import { chromium } from "playwright-core";

const report = (happened) => process.stdout.write(JSON.stringify(happened) + "\n");

const browser = await chromium.launch({
  executablePath: process.env.TRIBE_WS_TEST_CHROMIUM,
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const page = await browser.newPage(); // a fresh profile of its own
await page.route(
  (url) => url.hostname !== "127.0.0.1",
  (route) => route.abort(),
);
page.on("console", (message) => message.type() === "info" && process.stdout.write(message.text() + "\n"));
page.on("pageerror", (error) => report({ type: "error", message: error.message }));
await page.goto(process.env.TRIBE_WS_TEST_PAGE);

readline
  .createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const command = JSON.parse(line);
    if (command.do === "text") {
      report({ type: "text", text: await page.locator("body").innerText() });
    } else {
      await page.evaluate((frame) => window.socket.send(frame), command.text);
    }
  })
  .on("close", async () => {
    await browser.close();
    process.exit(0);
  });
