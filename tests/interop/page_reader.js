// Headless Chromium opens one page, without a script of our own in it: what it asks for, says, and looks like.
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
const page = await browser.newPage({
  colorScheme: process.env.TRIBE_WS_TEST_COLOURS,
  viewport: { width: 1280, height: 900 },
});
const requests = [];
const complaints = [];
await page.route("**", (route) => {
  requests.push(route.request().url());
  return new URL(route.request().url()).hostname === "127.0.0.1" ? route.continue() : route.abort();
});
page.on("console", (message) => complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(error.message));
const answer = await page.goto(process.env.TRIBE_WS_TEST_PAGE, { waitUntil: "networkidle" });
const picture = process.env.TRIBE_WS_TEST_PICTURE;
await page.screenshot({ path: picture });
const [width, background] = await page.evaluate(() => [
  document.documentElement.scrollWidth,
  getComputedStyle(document.body).backgroundColor,
]);
report({ type: "page", status: answer.status(), text: await page.locator("main").innerText() });
report({ type: "seen", requests, complaints, width, background });
await browser.close();
