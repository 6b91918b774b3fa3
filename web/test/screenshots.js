/** `node test/screenshots.js URL FOLDER`: the page as a person sees it, to be looked at. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startBrowser } from "./browser/harness.js";

const [url, folder] = process.argv.slice(2);
const SCREENS = {
	desktop: { viewport: { width: 1200, height: 800 } },
	dark: { viewport: { width: 1200, height: 800 }, colorScheme: "dark" },
	phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

mkdirSync(folder, { recursive: true });
const browser = await startBrowser();
for (const [name, screen] of Object.entries(SCREENS)) {
	const page = await browser.newPage(screen);
	await page.goto(url);
	await page.waitForFunction(() => document.querySelector("anchor-avatar").avatar?.compositor.isTracked);
	await page.screenshot({ path: join(folder, `${name}.png`), fullPage: name === "phone" });
	await page.keyboard.press("t");
	await page.evaluate(() => document.querySelector("anchor-avatar").setViseme("AA"));
	await page.waitForFunction(
		() => document.querySelector("anchor-avatar").shadowRoot.querySelector("pre")?.textContent,
	);
	await page.screenshot({ path: join(folder, `${name}-tracking.png`) });
}
await browser.close();
