import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openAvatar, startBrowser, startSite, until, watchCodes } from "./harness.js";

let site;
let browser;
before(async () => {
	site = await startSite();
	browser = await startBrowser();
});
after(async () => {
	await browser?.close();
	await site?.stop();
});

/** @param {(timeline: any) => any} change */
const timeline = (change) => (pack) => {
	const file = join(pack, "anchors_timeline.json");
	writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))));
};
const without =
	(...names) =>
	(pack) => {
		for (const name of names) rmSync(join(pack, name));
	};

/** What is wrong -> what the page says, and whether it can go on following the video. */
const CASES = {
	no_timeline: [without("anchors_timeline.json"), /no anchors_timeline.json yet/, false],
	timeline_not_json: [
		(pack) => writeFileSync(join(pack, "anchors_timeline.json"), '{"version": 1, "fra'),
		/not JSON/,
		false,
	],
	timeline_empty: [(pack) => writeFileSync(join(pack, "anchors_timeline.json"), ""), /not JSON/, false],
	timeline_wrong_version: [timeline((t) => ({ ...t, version: 2 })), /version is 2, this page reads 1/, false],
	timeline_null: [timeline(() => null), /version is undefined/, false],
	timeline_bad_number: [
		timeline((t) => ({ ...t, frames: [{ ...t.frames[0], mouth: { ...t.frames[0].mouth, w: "wide" } }] })),
		/frames\[0\]\.mouth\.w/,
		false,
	],
	timeline_odd_keys: [
		timeline((t) => ({ version: 1, frames: t.frames, quality: { gaps: "none", warnings: 3 }, source: null })),
		null,
		true,
	],
	timeline_of_another_video: [
		timeline((t) => ({ ...t, source: { ...t.source, video: "other.webm" } })),
		/for other\.webm, not for idle\.webm/,
		false,
	],
	timeline_of_a_former_video: [
		timeline((t) => ({ ...t, source: { ...t.source, size: 99 } })),
		/another idle\.webm \(99 bytes/,
		false,
	],
	timeline_of_another_size: [
		timeline((t) => ({ ...t, source: { ...t.source, width: 640, height: 360, size: 0 } })),
		/for a 640×360 video/,
		false,
	],
	timeline_without_a_face: [timeline((t) => ({ ...t, frames: [] })), /no face was found/, false],
	video_missing: [without("idle.webm"), /idle\.webm is not there \(404\)/, false],
	video_undecodable: [
		(pack) => {
			const size = readFileSync(join(pack, "idle.webm")).length;
			writeFileSync(join(pack, "idle.webm"), Buffer.alloc(size, "not a film "));
		},
		/idle\.webm cannot be played/,
		false,
	],
	sprites_missing: [
		without("mouth_sprites.png", "mouth_mask.png"),
		/missing, or not a picture: .*mouth_sprites\.png/,
		true,
	],
	base_missing: [without("base_face.png"), /missing, or not a picture: base_face\.png/, true],
	sprites_not_pictures: [
		(pack) => writeFileSync(join(pack, "mouth_sprites.png"), "no picture"),
		/missing, or not a picture: mouth_sprites\.png/,
		true,
	],
	manifest_missing: [without("manifest.json"), null, true],
	manifest_not_json: [
		(pack) => writeFileSync(join(pack, "manifest.json"), "<html>"),
		/manifest\.json: .*usual names/,
		true,
	],
	manifest_odd: [
		(pack) => writeFileSync(join(pack, "manifest.json"), '{"mouth": 7, "eyes": null, "base": []}'),
		null,
		true,
	],
	only_a_tracked_video: [
		without("manifest.json", "base_face.png", "mouth_sprites.png", "mouth_mask.png"),
		/a video only.* does not speak/,
		true,
	],
	only_a_video: [
		without("manifest.json", "base_face.png", "mouth_sprites.png", "mouth_mask.png", "anchors_timeline.json"),
		/a video only.* does not speak/,
		false,
	],
	no_sprites: [
		(pack) => {
			without("mouth_sprites.png", "mouth_mask.png")(pack);
			writeFileSync(join(pack, "manifest.json"), '{"base": {"idleVideo": "idle.webm"}}');
		},
		/the pack has no mouth_sprites\.png/,
		true,
	],
};

for (const [name, [breakIt, says, follows]] of Object.entries(CASES)) {
	test(`${name.replaceAll("_", " ")}: the page says so and goes on`, async () => {
		breakIt(site.addPack("face", name));
		const { page, errors } = await openAvatar(browser, site, name);
		await until(() => page.evaluate(() => window.heard.some((event) => event.name === "ready")));
		await until(() =>
			page.evaluate(
				(follows) =>
					window.element.avatar.tracking.isOn === follows && window.element.avatar.tracking.reason !== "loading",
				follows,
			),
		);
		await page.evaluate(() => window.element.setAttribute("debug", ""));
		await until(() => page.evaluate(() => window.element.shadowRoot.querySelector("pre")?.textContent));
		const { heard, panel } = await page.evaluate(() => ({
			heard: window.heard,
			panel: window.element.shadowRoot.querySelector("pre").textContent,
		}));
		if (says) {
			assert.ok(
				heard.some(
					({ name, message, reason }) => ["error", "fallback", "hint"].includes(name) && says.test(message ?? reason),
				),
				JSON.stringify(heard),
			);
			assert.match(panel, says);
			const isHint = heard.some(({ name, message }) => name === "hint" && says.test(message));
			assert.ok(!isHint || !heard.some(({ name }) => name === "error"), "what a pack need not have is no error");
		}
		assert.equal(heard.findLast(({ name }) => name === "tracking").isOn, follows);
		assert.deepEqual(errors, []);
		// Still usable: methods work, and another pack can be shown.
		await page.evaluate(() => {
			window.element.setViseme("nonsense");
			window.element.setEyes("closed");
			window.element.setGaze(5, -5);
			return window.element.playCues([]);
		});
		await page.context().close();
	});
}

test("a pack with only a video shows it, as it is and as large as it is, before it is tracked too", async () => {
	without(
		"manifest.json",
		"base_face.png",
		"mouth_sprites.png",
		"mouth_mask.png",
		"anchors_timeline.json",
	)(site.addPack("face", "bare"));
	const { page, errors } = await openAvatar(browser, site, "bare");
	await until(() => page.evaluate(() => window.heard.some((event) => event.name === "ready")));
	await page.evaluate(watchCodes);
	await page.evaluate(() =>
		window.element.addEventListener("frame", () => (window.codes ??= new Set()).add(window.element.video.currentTime)),
	);
	await until(() => page.evaluate(() => window.codes?.size > 10));
	const { size, pixel } = await page.evaluate(() => ({
		size: [window.element.canvas.width, window.element.canvas.height],
		pixel: [...window.element.canvas.getContext("2d").getImageData(128, 310, 1, 1).data],
	}));
	assert.deepEqual(size, [256, 320]);
	for (const channel of pixel.slice(0, 3)) assert.ok(Math.abs(channel - 70) < 8, `grey of the film: ${pixel}`);
	assert.deepEqual(errors, []);
});

test("from a broken pack to a whole one and back", async () => {
	without("anchors_timeline.json")(site.addPack("face", "broken"));
	site.addPack("face", "whole");
	const { page, errors } = await openAvatar(browser, site, "broken");
	const tracks = (isOn) =>
		until(() =>
			page.evaluate(
				(isOn) => window.element.avatar.tracking.isOn === isOn && window.element.avatar.compositor.isTracked === isOn,
				isOn,
			),
		);
	for (let i = 0; i < 3; i++) {
		await page.evaluate(() => window.element.setAttribute("src", "avatars/whole/"));
		await tracks(true);
		await page.evaluate(() => window.element.setAttribute("src", "avatars/broken/"));
		await tracks(false);
	}
	assert.deepEqual(errors, []);
});

test("where the tools cannot be loaded, the avatar goes on, Tab leaves it, and the next key asks again", async () => {
	site.addPack("face", "toolless");
	const { page, errors } = await openAvatar(browser, site, "toolless");
	await until(() => page.evaluate(() => window.element.avatar.compositor.isTracked));
	let isBlocked = true;
	await page.route("**/src/tools.js*", (route) => (isBlocked ? route.abort() : route.continue()));
	const press = (...keys) =>
		page.evaluate(
			(keys) =>
				keys.map((key) => window.element.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }))),
			keys,
		);
	await press("c");
	await until(() =>
		page.evaluate(() => window.heard.some(({ name, message }) => name === "error" && /tools\.js/.test(message))),
	);
	assert.deepEqual(await press("Tab"), [true], "not swallowed");
	assert.equal(await page.evaluate(() => window.element.avatar.compositor.isTracked), true);
	isBlocked = false;
	await press("c", "ArrowRight");
	await until(() =>
		page.evaluate(() => /calibrating mouth: x 1/.test(window.element.shadowRoot.querySelector("pre")?.textContent)),
	);
	assert.deepEqual(errors, []);
});
