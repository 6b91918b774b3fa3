import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAvatar, startBrowser, startSite, until } from "./harness.js";

let site;
let browser;
before(async () => {
	site = await startSite();
	site.addPack("lit");
	browser = await startBrowser();
});
after(async () => {
	await browser?.close();
	await site?.stop();
});

/**
 * Runs in the page, on the held clip: by how many grey levels the sprite's rim is off the film below it, on average and
 * by channel, at some times of the clip.
 */
async function offAt(isLit) {
	const { element } = window;
	const { compositor, supply } = element.avatar;
	const { timeline } = supply;
	if (!isLit) compositor.lighting.lights = null;
	element.pause();
	const bare = document.createElement("canvas");
	bare.width = 512;
	bare.height = 640;
	const context = bare.getContext("2d");
	const found = [];
	for (let s = 0.1; s < 1.95; s += 0.23) {
		const sought = new Promise((resolve) => element.video.addEventListener("seeked", resolve, { once: true }));
		element.avatar.seek(timeline.startMs + 1000 * s);
		await sought;
		for (let n = 0; n < 4; n++)
			await new Promise((resolve) => element.addEventListener("frame", resolve, { once: true }));
		context.drawImage(element.video, 0, 0, 512, 640);
		const { cx, cy, w, h } = compositor.anchors.mouth;
		const at = [Math.round(cx - w / 2), Math.round(cy - h / 2), Math.round(w), Math.round(h)];
		const film = context.getImageData(...at);
		const drawn = element.canvas.getContext("2d").getImageData(...at);
		const sums = [0, 0, 0];
		let count = 0;
		for (let y = 0; y < film.height; y++)
			for (let x = 0; x < film.width; x++) {
				const inside = Math.min(x, y, film.width - 1 - x, film.height - 1 - y);
				if (inside < 3 || inside > 12) continue;
				count++;
				for (let k = 0; k < 3; k++)
					sums[k] += drawn.data[4 * (y * film.width + x) + k] - film.data[4 * (y * film.width + x) + k];
			}
		found.push({ off: sums.map((sum) => sum / count) });
	}
	return found;
}

test("a sprite is in the light that its face is in", async (t) => {
	const { page } = await openAvatar(browser, site, "lit", { width: 512 });
	await until(() =>
		page.evaluate(() => {
			const { isTracked, pack, lighting } = window.element.avatar.compositor;
			return isTracked && pack.mouth !== null && lighting !== null;
		}),
	);
	await page.evaluate(() => {
		window.element.avatar.compositor.moves = false;
	});
	const lit = await page.evaluate(offAt, true);
	const unlit = await page.evaluate(offAt, false);
	const most = (seen) => Math.max(...seen.flatMap(({ off }) => off.map(Math.abs)));
	t.diagnostic(`off by at most ${most(lit).toFixed(2)} grey levels, without the light by ${most(unlit).toFixed(1)}`);
	assert.ok(most(lit) < 2, JSON.stringify(lit));
	assert.ok(most(unlit) > 15, "else it proves nothing");
});
