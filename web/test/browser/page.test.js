import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FILMS, startBrowser, startSite, until } from "./harness.js";

let site;
let browser;
let page;
const errors = [];
before(async () => {
	site = await startSite();
	browser = await startBrowser();
	for (const film of ["face", "gap"]) site.addPack(film);
	page = await browser.newPage();
	page.on("pageerror", (error) => errors.push(error));
	await page.goto(site.url);
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar?.compositor.isTracked));
});
after(async () => {
	await browser?.close();
	await site?.stop();
});

const text = (selector) => page.locator(selector).textContent();

test("the first tracked avatar plays, and the page says that it is tracked", async () => {
	assert.equal(await text("#tracking"), "Tracking: ON");
	assert.equal(await page.locator(".packs button[aria-pressed=true] strong").textContent(), "face");
	assert.match(await page.locator("#strip").getAttribute("aria-label"), /Face found in 100 % of the clip/);
});

test("picking another avatar shows it, with its gap on the strip", async () => {
	await page.getByRole("button", { name: /^gap/ }).click();
	await until(async () => (await page.locator("#strip .gap").count()) === 1);
	assert.match(await page.locator("#strip").getAttribute("aria-label"), /66\.7 % of the clip, 1 gap/);
	assert.match(page.url(), /avatar=gap/);
	await page.getByRole("button", { name: /^face/ }).click();
});

test("turns, blinks and light are on the strip where the timeline was asked for them, and only there", async () => {
	const file = join(site.addPack("face", "told"), "anchors_timeline.json");
	const json = JSON.parse(readFileSync(file, "utf8"));
	json.frames.forEach((frame, i) => {
		const open = [5, 6, 12].includes(i) ? 0 : 0.9;
		frame.pose = { yaw: i % 2 ? -7 : 4, pitch: 0, roll: 0 };
		frame.signals = { mouth_open: 0.24, eye_open_left: open, eye_open_right: open };
		frame.light = { r: 1.1, g: 0.9, b: 1 };
	});
	writeFileSync(file, JSON.stringify(json));
	const shownKinds = () => page.locator("#legend span:visible").evaluateAll((all) => all.map((one) => one.className));
	assert.deepEqual(await shownKinds(), ["face", "gap", "x", "y"]);
	await page.getByRole("button", { name: /^told/ }).click();
	await until(async () => (await page.locator("#strip .yaw").count()) === 1);
	assert.match(
		await page.locator("#strip").getAttribute("aria-label"),
		/; light 1\.00 to 1\.00 of the usual; head turned by -7 to 4°; 2 blinks, mouth open by 24 % at most$/,
	);
	assert.equal(await page.locator("#strip .blink").count(), 3);
	assert.equal(await page.locator('#strip rect[fill="rgb(141 115 128)"]').count(), json.frames.length);
	assert.deepEqual(await shownKinds(), ["face", "gap", "x", "y", "yaw", "blink", "light"]);
	await page.getByRole("button", { name: /^face/ }).click();
	await until(async () => (await page.locator("#strip .yaw").count()) === 0);
	assert.deepEqual(await shownKinds(), ["face", "gap", "x", "y"]);
});

/** What keys do comes with the first of them: they are queued until then, so their effect is waited for. */
const isPressed = (debug, calibrate) =>
	until(() =>
		page.evaluate(
			(wanted) =>
				["debug", "calibrate"].every(
					(id, i) => document.getElementById(id).getAttribute("aria-pressed") === String(wanted[i]),
				),
			[debug, calibrate],
		),
	);

test("T and C work from anywhere but a text; their buttons say so", async () => {
	await page.locator("#follow").focus();
	await page.keyboard.press("t");
	await page.keyboard.press("c");
	await isPressed(true, true);
	assert.ok(await page.locator("#calibration").isVisible());
	await page.locator("#text").fill("");
	await page.keyboard.press("t");
	await page.locator("#follow").focus();
	await page.keyboard.press("Escape");
	await isPressed(true, false);
	assert.equal(await page.locator("#text").inputValue(), "t", "a letter of a text is a letter");
	await page.locator("#follow").focus();
	await page.keyboard.press("t");
	await isPressed(false, false);
});

test("a calibration is saved as a file for the pack", async () => {
	await page.locator("#calibrate").click();
	await isPressed(false, true);
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").press !== null));
	await page.keyboard.press("ArrowLeft");
	const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#export").click()]);
	const saved = JSON.parse(readFileSync(await download.path(), "utf8"));
	assert.equal(saved.calibration.mouth.x, -1);
	await page.locator("#calibrate").click();
});

test("following can be switched off and on, and the clip held and moved", async () => {
	const isTracked = () => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.isTracked);
	await page.locator("#follow").click();
	assert.equal(await text("#tracking"), "Tracking: OFF – switched off");
	await until(async () => !(await isTracked()));
	await page.locator("#follow").click();
	await until(isTracked);
	await page.locator("#seek").fill("500");
	const at = () => page.evaluate(() => document.querySelector("anchor-avatar").avatar.plate.timeMs);
	await until(async () => Math.abs((await at()) - 500) < 40);
	assert.equal(await page.locator("#pause").getAttribute("aria-label"), "Play the clip");
	await page.locator("#pause").click();
	await until(async () => Math.abs((await at()) - 500) > 100);
});

test("a text moves the lips, without a voice too, and they come to rest", async () => {
	await page.evaluate(() => {
		const { compositor } = document.querySelector("anchor-avatar").avatar;
		window.shapes = new Set();
		document.querySelector("anchor-avatar").addEventListener("frame", () => window.shapes.add(compositor.viseme));
	});
	await page.locator("#text").fill("What a view.");
	await page.getByRole("button", { name: "Speak" }).click();
	await until(() => page.evaluate(() => window.shapes.size >= 4));
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.viseme === "REST"));
});

test("a pack that comes, waits, is tracked and goes is followed in the list, by itself", async () => {
	const row = page.getByRole("button", { name: /^newcomer/ });
	const pack = site.addPack("face", "newcomer");
	rmSync(join(pack, "anchors_timeline.json"));
	await until(async () => (await row.count()) === 1 && /Waiting to be tracked/.test(await row.textContent()));
	const timeline = JSON.parse(readFileSync(join(FILMS, "face/anchors_timeline.json"), "utf8"));
	timeline.quality = { coverage: 0.5, gaps: [], warnings: [{ code: "dark", message: "The face is dark." }] };
	writeFileSync(join(pack, "anchors_timeline.json"), JSON.stringify(timeline));
	await until(async () => /Face in 50 %/.test(await row.textContent()));
	assert.match(await row.textContent(), /^newcomer\s*Face in 50 %$/, "its name holds no advice");
	const item = page.locator(".packs li").filter({ has: row });
	await item.locator("summary").click();
	assert.ok(await item.getByText("The face is dark.").isVisible());
	assert.match(await page.locator("#news").textContent(), /newcomer: Face in 50 %/);
	rmSync(pack, { recursive: true });
	await until(async () => (await row.count()) === 0);
});

test("everything that can be used has a name, can be reached by Tab, and is large enough for a finger", async () => {
	const poor = await page.evaluate(() =>
		[...document.querySelectorAll("button, input, textarea, a, summary, anchor-avatar")]
			.filter((element) => element.checkVisibility() && !element.classList.contains("skip"))
			.filter((element) => {
				const named =
					element.labels?.length ||
					element.getAttribute("aria-label") ||
					element.getAttribute("aria-labelledby") ||
					element.textContent?.trim() ||
					element.shadowRoot;
				return !named || element.tabIndex < 0 || element.getBoundingClientRect().height < 18;
			})
			.map((element) => element.outerHTML.slice(0, 80)),
	);
	assert.deepEqual(poor, []);
	assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
	assert.equal(await page.locator("h1").count(), 1);
});

test("text is readable in light and in dark", async () => {
	const contrast = () =>
		page.evaluate(() => {
			const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
			const light = (colour, under) => {
				for (const fill of [under, colour]) {
					context.fillStyle = fill;
					context.fillRect(0, 0, 1, 1);
				}
				const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((v) =>
					v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
				);
				return 0.2126 * r + 0.7152 * g + 0.0722 * b;
			};
			const poor = [];
			for (const element of document.querySelectorAll("h1, h2, p, button, label span, strong, .state, .hint, output")) {
				if (!element.checkVisibility() || !element.textContent?.trim() || element.closest(".quiet, .frame")) continue;
				let ground = element;
				while (ground && getComputedStyle(ground).backgroundColor.endsWith(", 0)")) ground = ground.parentElement;
				const page = getComputedStyle(document.body).backgroundColor;
				const a = light(getComputedStyle(element).color, page);
				const b = light(ground ? getComputedStyle(ground).backgroundColor : page, page);
				const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
				if (ratio < 4.5) poor.push(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
			}
			return poor;
		});
	for (const colorScheme of ["light", "dark"]) {
		await page.emulateMedia({ colorScheme });
		assert.deepEqual(await contrast(), [], colorScheme);
	}
});

test("axe finds nothing to mend, in light, in dark, and on a phone", async () => {
	const source = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
	await page.evaluate(source);
	for (const colorScheme of ["light", "dark"]) {
		await page.emulateMedia({ colorScheme });
		for (const size of [
			{ width: 1280, height: 800 },
			{ width: 390, height: 844 },
		]) {
			await page.setViewportSize(size);
			const found = await page.evaluate(async () => {
				const { violations } = await window.axe.run(document);
				return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
			});
			assert.deepEqual(found, [], `${colorScheme}, ${size.width}`);
		}
	}
	await page.setViewportSize({ width: 1280, height: 800 });
});

test("a pack with only a video has a picture in the list, is shown, and the page says why it does not speak", async () => {
	const pack = site.addPack("face", "filmonly");
	for (const name of ["manifest.json", "base_face.png", "mouth_sprites.png", "mouth_mask.png"])
		rmSync(join(pack, name));
	const row = page.getByRole("button", { name: /^filmonly/ });
	await until(async () => (await row.count()) === 1);
	await until(() => row.locator("video").evaluate((video) => video.readyState >= 2 && video.videoWidth === 256));
	await row.click();
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.isTracked));
	await until(async () => /filmonly has no pictures of a mouth yet/.test(await text("#mute")));
	assert.equal(await page.locator("#speak button").isDisabled(), true);
	await until(async () => /a video only/.test(await text("#hints")));
	assert.equal(await text("#problems"), "");
	// Somebody makes its pictures: it speaks without a reload of the page.
	cpSync(join(FILMS, "face"), pack, { recursive: true });
	await until(async () => !(await page.locator("#speak button").isDisabled()));
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.pack?.mouth));
	assert.equal(await text("#mute"), "");
	await page.getByRole("button", { name: /^face/ }).click();
	rmSync(pack, { recursive: true });
});

test("a recording of one's own moves the lips", async () => {
	const wav = join(site.avatars, "hello.wav");
	execFileSync("espeak-ng", ["-v", "en-us", "-w", wav, "Hello there, watch my mouth."]);
	await page.evaluate(() => {
		window.shapes = new Set();
		const { compositor } = document.querySelector("anchor-avatar").avatar;
		document.querySelector("anchor-avatar").addEventListener("frame", () => window.shapes.add(compositor.viseme));
	});
	await page.locator("#recording").setInputFiles(wav);
	await until(() => page.evaluate(() => window.shapes.size >= 4));
	rmSync(wav);
});

test("asked for less motion the button offers to play, and playing is what it does", async () => {
	await page.emulateMedia({ reducedMotion: "reduce" });
	const label = () => page.locator("#pause").getAttribute("aria-label");
	await until(async () => (await label()) === "Play the clip");
	await page.locator("#pause").click();
	await until(async () => (await label()) === "Pause the clip");
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.isTracked));
	await page.emulateMedia({ reducedMotion: "no-preference" });
});

test("on a phone nothing is wider than the screen", async () => {
	await page.setViewportSize({ width: 360, height: 740 });
	assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
});

test("none of this left an error", () => assert.deepEqual(errors, []));
