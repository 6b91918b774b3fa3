import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { asked, openAvatar, ready, startBrowser, startSite, tracks, until } from "./harness.js";

let site;
let browser;
before(async () => {
	site = await startSite();
	browser = await startBrowser();
	for (const name of ["face", "other"]) site.addPack("face", name);
});
after(async () => {
	await browser?.close();
	await site?.stop();
});

// --- what is seen first

test("the face comes first, then the timeline and the video, the sprites last", async () => {
	const { page } = await openAvatar(browser, site, "face");
	await ready(page);
	const order = await asked(page);
	const place = (name) => order.indexOf(name);
	for (const first of ["base_face.png", "anchors_timeline.json", "idle.webm"]) {
		for (const later of ["mouth_sprites.png", "mouth_mask.png"])
			assert.ok(place(first) >= 0 && place(first) < place(later), order.join(" "));
	}
});

test("on a slow line there is a face within a second, and the film long before the sprites", async (t) => {
	const pack = site.addPack("full", "slow");
	// Noise does not compress: sprites of half a megabyte, as real ones are.
	const noise = readFileSync(join(pack, "mouth_sprites.png"));
	writeFileSync(join(pack, "mouth_sprites.png"), Buffer.concat([noise, Buffer.alloc(500_000, "x")]));
	const page = await (await browser.newContext()).newPage();
	await page.goto(`${site.url}bare.html`);
	const devtools = await page.context().newCDPSession(page);
	await devtools.send("Network.emulateNetworkConditions", {
		offline: false,
		latency: 50,
		downloadThroughput: 60_000,
		uploadThroughput: 60_000,
	});
	const times = await page.evaluate(async () => {
		const element = document.createElement("anchor-avatar");
		element.src = "avatars/slow/";
		const startMs = performance.now();
		const times = {};
		const note = (name) => (times[name] ??= performance.now() - startMs);
		element.addEventListener("frame", ({ detail }) => note(detail.isTracked ? "film" : "face"));
		element.addEventListener("ready", () => note("ready"));
		document.body.append(element);
		while (!times.ready || !times.film) await new Promise((resolve) => setTimeout(resolve, 50));
		return times;
	});
	t.diagnostic(
		Object.entries(times)
			.map(([name, ms]) => `${name} ${(ms / 1000).toFixed(1)} s`)
			.join(", "),
	);
	assert.ok(times.face < 1500 && times.film < times.ready / 2, JSON.stringify(times));
});

test("a poster is there at once, keeps its place, and goes when the first picture is drawn", async () => {
	const { page } = await openAvatar(browser, site, "face", {
		attributes: { poster: "avatars/face/base_face.png", preload: "none" },
	});
	await until(() =>
		page.evaluate(() => window.element.posterImage.complete && window.element.posterImage.naturalWidth === 256),
	);
	const box = () => page.evaluate(() => window.element.getBoundingClientRect().toJSON());
	assert.deepEqual([(await box()).width, (await box()).height], [256, 320]);
	assert.equal(await page.evaluate(() => window.element.posterImage.hidden), false);
	assert.ok(!(await asked(page)).includes("manifest.json"), "preload=none loads nothing but the poster");
	await page.evaluate(() => window.element.play());
	await tracks(page);
	assert.equal(await page.evaluate(() => window.element.posterImage.hidden), true);
});

test("preload=metadata loads the face and waits with the video for play()", async () => {
	const { page } = await openAvatar(browser, site, "face", { attributes: { preload: "metadata" } });
	await ready(page);
	assert.equal(await page.evaluate(() => window.element.avatar.tracking.reason), "it waits for play()");
	assert.equal(await page.evaluate(() => window.element.video.getAttribute("src")), null);
	assert.equal(await page.evaluate(() => window.element.paused), true);
	await page.evaluate(() => window.element.play());
	await tracks(page);
});

test("loading=lazy waits until it is nearly on the screen", async () => {
	const page = await (await browser.newContext({ viewport: { width: 600, height: 600 } })).newPage();
	await page.goto(`${site.url}bare.html`);
	await page.evaluate(() => {
		document.body.innerHTML = `<div style="height: 3000px"></div><anchor-avatar loading="lazy" src="avatars/face/"></anchor-avatar>`;
		window.element = document.querySelector("anchor-avatar");
		return new Promise((resolve) => setTimeout(resolve, 300));
	});
	assert.deepEqual(await asked(page), []);
	await page.evaluate(() => scrollTo(0, 2300)); // a hundred pixels more and it would be seen
	await until(async () => (await asked(page)).includes("mouth_sprites.png"));
	await page.evaluate(() => scrollTo(0, 2900));
	await tracks(page);
});

test("it has the shape of its pack", async () => {
	const pack = site.addPack("face", "wide");
	const manifest = JSON.parse(readFileSync(join(pack, "manifest.json"), "utf8"));
	writeFileSync(
		join(pack, "manifest.json"),
		JSON.stringify({ ...manifest, base: { ...manifest.base, width: 320, height: 160 } }),
	);
	rmSync(join(pack, "anchors_timeline.json"));
	const { page } = await openAvatar(browser, site, "wide");
	await ready(page);
	assert.deepEqual(await page.evaluate(() => [window.element.offsetWidth, window.element.offsetHeight]), [256, 128]);
});

// --- thrift

test("nobody asks again and again but who was told to, and then less often while there is nothing new", async () => {
	const { page } = await openAvatar(browser, site, "face");
	await ready(page);
	const looks = async () => (await asked(page)).filter((name) => name === "anchors_timeline.json").length;
	await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 2500)));
	assert.equal(await looks(), 1);
	await page.evaluate(() => (window.element.refresh = 0.1));
	await until(async () => (await looks()) >= 7);
	const at = await page.evaluate(() =>
		performance
			.getEntriesByType("resource")
			.filter(({ name }) => /anchors_timeline/.test(name))
			.map(({ startTime }) => startTime),
	);
	const pauses = at.slice(2).map((ms, i) => ms - at[i + 1]);
	// Two at a time: a busy machine makes one or the other longer.
	assert.ok(pauses.at(-1) + pauses.at(-2) > 1.5 * (pauses[0] + pauses[1]), `${pauses}`);
});

test("off the screen it neither draws nor decodes nor asks, and its cues still end", async () => {
	const { page } = await openAvatar(browser, site, "face", { attributes: { refresh: "0.1" } });
	await ready(page);
	await tracks(page);
	const result = await page.evaluate(async () => {
		const { element } = window;
		document.body.style.height = "5000px";
		scrollTo(0, 4000);
		await new Promise((resolve) => setTimeout(resolve, 300));
		let frames = 0;
		element.addEventListener("frame", () => frames++);
		const before = performance.getEntriesByType("resource").length;
		const decoded = element.video.getVideoPlaybackQuality().totalVideoFrames;
		await element.playCues([
			{ t_ms: 0, viseme: "AA" },
			{ t_ms: 300, viseme: "OO" },
		]);
		await new Promise((resolve) => setTimeout(resolve, 400));
		const away = {
			frames,
			asked: performance.getEntriesByType("resource").length - before,
			decoded: element.video.getVideoPlaybackQuality().totalVideoFrames - decoded,
			viseme: element.avatar.compositor.viseme,
			paused: element.paused,
		};
		scrollTo(0, 0);
		await new Promise((resolve) => element.addEventListener("frame", resolve, { once: true }));
		return { away, video: element.video.paused };
	});
	assert.deepEqual(result, { away: { frames: 0, asked: 0, decoded: 0, viseme: "OO", paused: false }, video: false });
});
