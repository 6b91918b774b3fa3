/**
 * Every kind of file that docs/formats.md names: what Chromium shows of it is what anchord saw.
 *
 * The files and what was seen in them come from tests/formats.py.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startBrowser } from "../browser/harness.js";
import { shown } from "./shown.js";

const FOLDER = fileURLToPath(new URL("../out/formats/", import.meta.url));

// Of 255, on average. Two players blur colours at half the resolution differently, and Chromium's formulas for
// BT.709 and BT.2020 are coarse; a film that is turned the wrong way is off by 50, BT.601 for BT.709 by 8.
const OFF = 4;
// Into a frame's time, so that no rounding leads to the one before.
const INTO_MS = 5;

let browser;
let page;
before(async () => {
	browser = await startBrowser();
	page = await browser.newPage();
});
after(() => browser?.close());

const listed = JSON.parse(readFileSync(join(FOLDER, "formats.json"), "utf8"));

test("there is something to compare", () => {
	assert.ok(listed.filter((entry) => entry.isPlayed && entry.pictures.length).length > 50);
});

for (const { title, file, isPlayed, changesSize, pictures } of listed) {
	test(title, { timeout: 30_000 }, async () => {
		const wanted = pictures.map((picture) => ({ ...picture, timeMs: picture.timeMs + INTO_MS }));
		const seen = await shown(page, join(FOLDER, file), wanted);
		assert.equal(seen.error === undefined, isPlayed, seen.error);
		for (const [i, { videoWidth, videoHeight, rgba }] of seen.pictures.entries()) {
			const { width, height, timeMs, file: picture } = pictures[i];
			if (i === 0 || !changesSize) assert.deepEqual([videoWidth, videoHeight], [width, height]);
			const away = distance(rgba, readFileSync(join(FOLDER, picture)));
			assert.ok(away < OFF, `off by ${away.toFixed(1)} at ${timeMs} ms`);
		}
	});
}

/** Mean difference between RGBA and RGB. */
function distance(rgba, rgb) {
	let sum = 0;
	for (let at = 0, pixel = 0; at < rgb.length; at += 3, pixel += 4) {
		for (let channel = 0; channel < 3; channel++) sum += Math.abs(rgba[pixel + channel] - rgb[at + channel]);
	}
	return sum / rgb.length;
}
