import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

const POLICY =
	"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";
const VIDEO_POLICY = POLICY.replace("style-src", "media-src 'self'; style-src").replace("; sandbox", "");
const MONTH = "public, max-age=2592000";

/** Every location of nginx.conf, and every kind of answer: path, status, type, how long it is kept, policy. */
const ANSWERS = [
	["", 200, "text/html; charset=utf-8", "no-cache", null],
	["src/element.js", 200, "text/javascript; charset=utf-8", "no-cache", null],
	["demo/page.css", 200, "text/css; charset=utf-8", "no-cache", null],
	["missing.js", 404, "text/html; charset=utf-8", null, null],
	[".git/config", 404, "text/html; charset=utf-8", null, null],
	["avatars/", 200, "application/json", "no-cache", POLICY],
	["avatars/face/", 200, "application/json", "no-cache", POLICY],
	["avatars/face/idle.webm", 200, "video/webm", "no-cache", VIDEO_POLICY],
	["avatars/face/manifest.json", 200, "application/json", "no-cache", POLICY],
	["avatars/face/base_face.png", 200, "image/png", MONTH, POLICY],
	["avatars/face/drawn.svg", 200, "image/svg+xml", MONTH, POLICY],
	["avatars/face/page.html", 200, "application/octet-stream", "no-cache", POLICY],
	["avatars/face/page.xhtml", 200, "application/octet-stream", "no-cache", POLICY],
	["avatars/face/page.xml", 200, "application/octet-stream", "no-cache", POLICY],
	["avatars/face/code.js", 200, "application/octet-stream", "no-cache", POLICY],
	["avatars/face/look.css", 200, "application/octet-stream", "no-cache", POLICY],
	["avatars/face/no_suffix", 200, "application/octet-stream", "no-cache", POLICY],
	["avatars/face/missing.png", 404, "text/html; charset=utf-8", null, POLICY],
	["avatars/face/.hidden.png", 404, "text/html; charset=utf-8", null, POLICY],
	["avatars/face/anchord.toml", 404, "text/html; charset=utf-8", null, POLICY],
	["avatars/face/link.json", 403, "text/html; charset=utf-8", null, POLICY],
];

test("each location gives its type, its time to be kept and its policy", async () => {
	for (const name of ["drawn.svg", "page.html", "page.xhtml", "page.xml", "code.js", "look.css", "no_suffix"]) {
		writeFileSync(join(pack, name), "<svg xmlns='http://www.w3.org/2000/svg'/>");
	}
	symlinkSync("manifest.json", join(pack, "link.json"));
	for (const [path, ...expected] of ANSWERS) {
		const { status, headers } = await ask(path);
		const told = ["content-type", "cache-control", "content-security-policy"].map((name) => headers.get(name));
		assert.deepEqual([status, ...told], expected, `/${path}`);
		assert.equal(headers.get("x-content-type-options"), "nosniff", `/${path}`);
	}
});

test("no symbolic link below avatars/ is followed or listed through, wherever it leads", async () => {
	const outside = join(site.root, "../outside");
	mkdirSync(outside);
	writeFileSync(join(outside, "secret.json"), "{}");
	mkdirSync(join(pack, "..data"));
	writeFileSync(join(pack, "..data/inside.json"), "{}");
	const links = {
		"to_file.json": join(outside, "secret.json"),
		"upwards.json": "../../../outside/secret.json",
		"inside.json": "..data/inside.json",
		"hidden.json": ".hidden.json",
		"loop.json": "loop.json",
		folder: outside,
		dangling: "nowhere",
	};
	for (const [name, to] of Object.entries(links)) symlinkSync(to, join(pack, name));
	symlinkSync(outside, join(site.avatars, "linked"));
	execFileSync("mkfifo", [join(pack, "pipe.json")]);
	const paths = [...Object.keys(links), "folder/", "folder/secret.json", "pipe.json"].map((name) => `face/${name}`);
	for (const path of [...paths, "linked/", "linked/secret.json", "face/..data/inside.json"]) {
		const response = await ask(`avatars/${path}`);
		assert.ok([403, 404].includes(response.status), `${path}: ${response.status}`);
		assert.doesNotMatch(await response.text(), /secret/, path);
	}
	for (const name of [...Object.keys(links), "pipe.json", "..data"]) rmSync(join(pack, name), { recursive: true });
	rmSync(join(site.avatars, "linked"));
});

/** Tells whoever listens that it ran: by a request, and by what only the site's own origin can write. */
const tell = (by) => `new Image().src = "/ran-${by}"; localStorage.setItem("ran-${by}", "yes");`;
const EVIL = {
	"evil.html": `<!doctype html><title>evil</title><script>${tell("html")}</script>`,
	"evil.htm": `<!doctype html><script>${tell("htm")}</script>`,
	"evil.xhtml": `<html xmlns="http://www.w3.org/1999/xhtml"><script>${tell("xhtml")}</script></html>`,
	"evil.xml": `<x><script xmlns="http://www.w3.org/1999/xhtml">${tell("xml")}</script></x>`,
	evil: `<!doctype html><script>${tell("none")}</script>`,
	"evil.svg": `<svg xmlns="http://www.w3.org/2000/svg" onload='${tell("svg-load")}'><script>${tell("svg")}</script>
		<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><script>${tell("svg-html")}</script></body></foreignObject></svg>`,
};

/** Names of the scripts that ran when *path* was opened on its own, in a frame, as an object and embedded. */
async function whatRuns(path) {
	const context = await browser.newContext();
	const ran = new Set();
	context.on("request", (request) => {
		const by = /\/ran-([\w-]+)$/.exec(request.url());
		if (by && by[1] !== "last") ran.add(by[1]);
	});
	const page = await context.newPage();
	// What is no page for the browser is a download, which ends the visit.
	await page.goto(site.url + path).catch((error) => assert.match(String(error), /Download is starting|ERR_ABORTED/));
	await page.goto(`${site.url}bare.html`);
	let answers = 0;
	page.on("response", (response) => (answers += Number(response.url().endsWith(`/${path}`))));
	const embed = (tags, url) =>
		page.evaluate(
			([tags, url]) => {
				for (const [tag, attribute] of Object.entries(tags)) {
					const element = document.createElement(tag);
					element[attribute] = url;
					document.body.append(element);
				}
			},
			[tags, url],
		);
	await embed({ iframe: "src", object: "data", embed: "src" }, `/${path}`);
	await until(() => answers >= 3);
	// What comes last has run: so would have what came before it.
	await embed({ iframe: "src" }, "/last.html");
	await until(() => page.evaluate(() => "ran-last" in localStorage));
	for (const key of await page.evaluate(() => Object.keys(localStorage))) {
		if (key.startsWith("ran-") && key !== "ran-last") ran.add(key.slice(4));
	}
	await context.close();
	return [...ran].sort();
}

test("uploaded HTML and SVG do not run, in no way that a browser opens them", async () => {
	writeFileSync(join(site.root, "last.html"), `<script>${tell("last")}</script>`);
	for (const [name, content] of Object.entries(EVIL)) {
		writeFileSync(join(pack, name), content);
		assert.deepEqual(await whatRuns(`avatars/face/${name}`), [], name);
	}
	// That they would, if they were the site's own, shows that the test can tell.
	for (const [name, runs] of [
		["evil.html", ["html"]],
		["evil.svg", ["svg", "svg-html", "svg-load"]],
	]) {
		writeFileSync(join(site.root, name), EVIL[name]);
		assert.deepEqual(await whatRuns(name), runs, name);
	}
});

test("no page takes an uploaded file for a script, a style sheet or a service worker", async () => {
	writeFileSync(join(pack, "evil.js"), tell("js"));
	writeFileSync(join(pack, "evil.css"), "body { --ran: yes }");
	const page = await browser.newPage();
	await page.goto(`${site.url}bare.html`);
	const taken = await page.evaluate(async () => {
		const taken = [];
		for (const [tag, attributes] of [
			["script", { src: "avatars/face/evil.js" }],
			["link", { rel: "stylesheet", href: "avatars/face/evil.css" }],
		]) {
			const element = Object.assign(document.createElement(tag), attributes);
			document.head.append(element);
			await new Promise((resolve) => {
				element.onload = () => resolve(taken.push(tag));
				element.onerror = resolve;
			});
		}
		if (getComputedStyle(document.body).getPropertyValue("--ran")) taken.push("style");
		await import("/avatars/face/evil.js").then(
			() => taken.push("module"),
			() => {},
		);
		await navigator.serviceWorker.register("avatars/face/evil.js").then(
			() => taken.push("worker"),
			() => {},
		);
		return [...taken, ...Object.keys(localStorage).filter((key) => key.startsWith("ran-js"))];
	});
	assert.deepEqual(taken, []);
	await page.close();
});

test("what packs are made of works as ever: a drawn sprite has its colours, a video plays, also on its own", async () => {
	writeFileSync(
		join(pack, "sprite.svg"),
		`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><style>rect { fill: #0a0 }</style><rect width="8" height="8"/></svg>`,
	);
	const page = await browser.newPage();
	await page.goto(`${site.url}bare.html`);
	const pixel = await page.evaluate(async () => {
		const image = new Image();
		image.src = "avatars/face/sprite.svg";
		await image.decode();
		const context = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d");
		context.drawImage(image, 0, 0);
		return [...context.getImageData(4, 4, 1, 1).data];
	});
	assert.deepEqual(pixel, [0, 170, 0, 255]);
	await page.goto(`${site.url}avatars/face/idle.webm`);
	await until(() => page.evaluate(() => document.querySelector("video").videoWidth > 0));
	await page.close();
});

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

test("folders are listed as JSON, without dotfiles, whatever index was uploaded", async () => {
	writeFileSync(join(pack, "index.html"), "<!doctype html>");
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
