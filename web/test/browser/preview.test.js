import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startBrowser, until } from "./harness.js";

// The page that `anchord preview --html` and `anchord report --html` write, opened from the disk.
const folder = mkdtempSync(join(tmpdir(), "anchord-cards-"));
const root = fileURLToPath(new URL("../../../", import.meta.url));
const pageOf = (count) => {
	const file = join(folder, `${count}.html`);
	execFileSync(process.env.PYTHON ?? "python3", [join(root, "web/test/cards.py"), file, String(count)], {
		env: { ...process.env, PYTHONPATH: root },
	});
	return pathToFileURL(file).href;
};
const SCREENS = {
	desk: { viewport: { width: 1300, height: 900 }, colorScheme: "light" },
	"dark desk": { viewport: { width: 1300, height: 900 }, colorScheme: "dark" },
	phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true, hasTouch: true },
	"dark phone": { viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true },
};
let browser;
let url;
const opened = async (screen, address = url) => {
	const page = await browser.newPage(screen);
	page.wrong = [];
	page.on("pageerror", (error) => page.wrong.push(error.message));
	page.on("console", (message) => message.type() === "error" && page.wrong.push(message.text()));
	page.on("request", (request) => /^(file|data):/.test(request.url()) || page.wrong.push(request.url()));
	await page.goto(address);
	return page;
};
before(async () => {
	url = pageOf(40);
	browser = await startBrowser();
});
after(async () => {
	await browser?.close();
	rmSync(folder, { recursive: true });
});

const names = (page) => page.locator("article:visible h3").allTextContents();

for (const [name, screen] of Object.entries(SCREENS)) {
	test(`axe finds nothing to mend, nothing is fetched and nothing hangs over: ${name}`, async () => {
		const page = await opened(screen);
		await page.evaluate(readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8"));
		const found = await page.evaluate(async () => {
			for (const details of document.querySelectorAll("details")) details.open = true;
			const { violations } = await window.axe.run(document);
			return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
		});
		assert.deepEqual(found, []);
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
		assert.deepEqual(page.wrong, []);
		await page.close();
	});
}

test("the worst comes first, and packs are sorted by each figure, those without it last", async () => {
	const page = await opened(SCREENS.desk);
	assert.deepEqual((await names(page)).slice(0, 3), ["no video", "pack 0000", "pack 0007"]);
	/** @param {string} key @param {(a: number, b: number) => boolean} isRight */
	const check = async (key, isRight) => {
		await page.locator("#sort").selectOption(key);
		const values = await page.locator("article").evaluateAll((all, name) => all.map((a) => a.dataset[name]), key);
		const known = values.filter((value) => value !== undefined).map(Number);
		assert.ok(known.length > 10);
		assert.ok(values.slice(known.length).every((value) => value === undefined));
		assert.ok(known.every((value, i) => !i || isRight(known[i - 1], value)));
	};
	await check("coverage", (a, b) => a <= b);
	for (const key of ["jitter", "seam", "warnings"]) await check(key, (a, b) => a >= b);
	await page.locator("#sort").selectOption("name");
	assert.deepEqual((await names(page)).slice(0, 2), ["no video", "pack 0000"]);
	await page.close();
});

test("packs are found by name, warning and advice", async () => {
	const page = await opened(SCREENS.phone);
	await page.locator("#find").fill("0012");
	assert.deepEqual(await names(page), ["pack 0012"]);
	assert.equal(await page.locator("#count").textContent(), "1 of 40");
	await page.locator("#find").fill("FACE_MISSING");
	assert.equal((await names(page)).length, 6);
	await page.locator("#find").fill("");
	await page.locator("#warned").check();
	assert.equal((await names(page)).length, 7);
	await page.close();
});

test("a thumbnail moves under a mouse and for a keyboard, and not where people want no motion", async () => {
	for (const [reducedMotion, moves] of [
		["no-preference", true],
		["reduce", false],
	]) {
		const page = await opened({ ...SCREENS.desk, reducedMotion });
		const strip = page.locator(".strip[tabindex]").first();
		const running = () => strip.locator("img").evaluate((image) => image.getAnimations().length);
		assert.equal(await running(), 0);
		await strip.hover();
		assert.equal(await running(), moves ? 1 : 0);
		await page.mouse.move(0, 0);
		await strip.focus();
		assert.equal(await running(), moves ? 1 : 0);
		await page.close();
	}
});

test("a thousand packs scroll to the end, a screen at a time", async (t) => {
	const page = await opened(SCREENS.phone, pageOf(1000));
	const slowest = await page.evaluate(async () => {
		const frame = () => new Promise(requestAnimationFrame);
		let worst = 0;
		for (let y = 0; y < 40; y++) {
			const begin = performance.now();
			window.scrollBy(0, window.innerHeight);
			await frame();
			await frame();
			worst = Math.max(worst, performance.now() - begin);
		}
		window.scrollTo(0, document.documentElement.scrollHeight);
		await frame();
		return worst;
	});
	t.diagnostic(`slowest screen ${slowest.toFixed(0)} ms`);
	// Sixteen are two frames; a machine that does other things as well takes some more.
	assert.ok(slowest < 1000, `${slowest} ms`);
	await until(() => page.locator("article").last().isVisible());
	assert.deepEqual(page.wrong, []);
	await page.close();
});
