// node's `ws` as a pipe: each line of stdin goes out as a text frame, everything that happens is a line of stdout.
// The address comes in TRIBE_WS_TEST_URL, so that no process list shows the token.
import readline from "node:readline";
import WebSocket from "ws";

const report = (happened) => process.stdout.write(JSON.stringify(happened) + "\n");

const socket = new WebSocket(process.env.TRIBE_WS_TEST_URL);
socket.on("open", () => report({ type: "open", protocol: socket.protocol, extensions: socket.extensions }));
socket.on("message", (data, isBinary) => report({ type: "message", isBinary, text: data.toString("utf8") }));
socket.on("pong", (data) => report({ type: "pong", text: data.toString("utf8") }));
socket.on("unexpected-response", (_request, response) => report({ type: "refused", status: response.statusCode }));
socket.on("error", (error) => report({ type: "error", message: error.message }));
socket.on("close", (code, reason) => {
  report({ type: "close", code, reason: reason.toString("utf8") });
  process.exit(0);
});

const commands = {
  ping: (line) => socket.ping(line.text),
  binary: (line) => socket.send(Buffer.from(line.text)),
  close: (line) => socket.close(line.code),
  text: (line) => socket.send(line.text),
};
readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on("close", () => process.exit(0));
