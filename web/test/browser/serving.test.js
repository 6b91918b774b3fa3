import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FILMS, openAvatar, startBrowser, startSite, until, watchCodes } from "./harness.js";

let site;
let browser;
let pack;
before(async () => {
	site = await startSite();
	browser = await startBrowser();
	pack = site.addPack("code_30", "face");
});
after(async () => {
	await browser?.close();
	await site?.stop();
});

const ask = (path, headers = {}, method = "GET") => fetch(site.url + path, { method, headers });

/** As anchord writes it: whole, and in one step. */
function drop(name, content) {
	writeFileSync(join(pack, ".part"), content);
	renameSync(join(pack, ".part"), join(pack, name));
}

const TYPES = {
	"": "text/html; charset=utf-8",
	"src/element.js": "text/javascript; charset=utf-8",
	"demo/page.css": "text/css; charset=utf-8",
	"avatars/face/idle.webm": "video/webm",
	"avatars/face/base_face.png": "image/png",
	"avatars/face/manifest.json": "application/json",
};

for (const [path, type] of Object.entries(TYPES)) {
	test(`/${path} is ${type}`, async () => {
		const response = await ask(path);
		assert.equal(response.status, 200);
		assert.equal(response.headers.get("content-type"), type);
		assert.equal(response.headers.get("x-content-type-options"), "nosniff");
	});
}

test("a video is given in ranges", async () => {
	const whole = readFileSync(join(pack, "idle.webm"));
	const response = await ask("avatars/face/idle.webm", { range: "bytes=100-199" });
	assert.equal(response.status, 206);
	assert.equal(response.headers.get("content-range"), `bytes 100-199/${whole.length}`);
	assert.deepEqual(Buffer.from(await response.arrayBuffer()), whole.subarray(100, 200));
});

test("a timeline is asked for each time, and answered with 304 until there is a new one", async () => {
	const path = "avatars/face/anchors_timeline.json";
	const first = await ask(path);
	assert.equal(first.headers.get("cache-control"), "no-cache");
	const etag = first.headers.get("etag");
	assert.equal((await ask(path, { "if-none-match": etag })).status, 304);
	drop("anchors_timeline.json", `${readFileSync(join(pack, "anchors_timeline.json"))} `);
	const second = await ask(path, { "if-none-match": etag });
	assert.equal(second.status, 200);
	assert.notEqual(second.headers.get("etag"), etag);
});

test("JSON is compressed, sprites are kept for long, videos are not", async () => {
	const json = await ask("avatars/face/anchors_timeline.json", { "accept-encoding": "gzip" });
	assert.equal(json.headers.get("content-encoding"), "gzip");
	assert.match((await ask("avatars/face/mouth_sprites.png?v=1")).headers.get("cache-control"), /max-age=2592000/);
	assert.equal((await ask("avatars/face/idle.webm")).headers.get("cache-control"), "no-cache");
});

test("what is nobody's business is not there", async () => {
	writeFileSync(join(pack, ".anchord-tmp.json"), "half a timel");
	writeFileSync(join(pack, "anchord.toml"), "sample_rate = 1");
	for (const path of [
		"avatars/face/.anchord-tmp.json",
		"avatars/face/anchord.toml",
		"anchord.toml",
		".git/config",
		"avatars/.hidden/idle.webm",
	]) {
		assert.ok([403, 404].includes((await ask(path)).status), path);
	}
});

test("folders are listed as JSON, without dotfiles", async () => {
	const packs = await (await ask("avatars/")).json();
	assert.deepEqual(
		packs.map(({ name, type }) => [name, type]),
		[["face", "directory"]],
	);
	const files = await (await ask("avatars/face/")).json();
	const video = files.find(({ name }) => name === "idle.webm");
	assert.equal(video.size, readFileSync(join(pack, "idle.webm")).length);
	assert.ok(!files.some(({ name }) => name.startsWith(".")));
});

test("the page takes a new timeline, and then a new video, without a reload", async () => {
	const { page, errors } = await openAvatar(browser, site, "face");
	const place = (cx) =>
		until(() => page.evaluate((cx) => Math.abs(window.element.avatar.compositor.anchors.mouth.cx - cx) < 0.01, cx));
	await until(() => page.evaluate(() => window.element.avatar.compositor.isTracked));
	await page.evaluate(() => {
		window.isSamePage = true;
		window.element.refresh = 0.3;
		window.element.avatar.load("avatars/face/");
	});
	await until(() => page.evaluate(() => window.element.avatar.compositor.isTracked));
	const timeline = JSON.parse(readFileSync(join(pack, "anchors_timeline.json"), "utf8"));
	const still = { x: 192, y: 192, w: 16, h: 16, cx: 200, cy: 200 };
	drop(
		"anchors_timeline.json",
		JSON.stringify({ ...timeline, frames: timeline.frames.map((frame) => ({ ...frame, mouth: still })) }),
	);
	await place(200);
	const restarts = () => page.evaluate(() => window.heard.filter(({ isOn }) => isOn === true).length);
	assert.equal(await restarts(), 2, "once for each load, none for a new timeline of the same video");

	// The video first: until its timeline comes, the old one must not be laid over it.
	drop("idle.webm", readFileSync(join(FILMS, "code_vfr/idle.webm")));
	await until(() => page.evaluate(() => /another idle\.webm/.test(window.element.avatar.tracking.reason)));
	const next = JSON.parse(readFileSync(join(FILMS, "code_vfr/anchors_timeline.json"), "utf8"));
	next.source.sha256 = "1".repeat(64);
	drop("anchors_timeline.json", JSON.stringify(next));
	await page.evaluate(watchCodes);
	await until(() => page.evaluate(() => window.element.avatar.compositor.isTracked && window.seen.length > 30), 15_000);
	const seen = await page.evaluate(() => window.seen);
	assert.ok(seen.every(({ shown, drawn, isStill }) => isStill || shown === drawn));
	assert.ok(Math.max(...seen.map(({ timeMs }) => timeMs)) < 800);
	assert.equal(await page.evaluate(() => window.isSamePage), true);
	assert.deepEqual(errors, []);
});
