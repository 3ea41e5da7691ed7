// Headless Chromium opens the inspector that textual-serve shows; each line in is a key or a picture to take.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PATIENCE = 60_000;
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
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
const requests = [];
await page.route("**", (route) => {
  requests.push(route.request().url());
  return new URL(route.request().url()).hostname === "127.0.0.1" ? route.continue() : route.abort();
});

// Two pictures in a row that are equal: what is shown stands still.
const still = async (path) => {
  const deadline = Date.now() + PATIENCE;
  let before = await page.screenshot();
  while (Date.now() < deadline) {
    await page.waitForTimeout(500);
    const now = await page.screenshot({ path });
    if (now.equals(before)) return true;
    before = now;
  }
  return false;
};

await page.goto(process.env.TRIBE_WS_TEST_PAGE);
await page.waitForSelector("body.-first-byte", { timeout: PATIENCE });
await page.locator(".xterm-screen").first().click();
report({ type: "open" });
for await (const line of createInterface({ input: process.stdin })) {
  const wanted = JSON.parse(line);
  if (wanted.press) await page.keyboard.press(wanted.press);
  if (wanted.picture) report({ type: "picture", still: await still(wanted.picture) });
}
report({ type: "seen", requests });
await browser.close();
