/**
 * A real nginx with the shipped configuration, and the distribution's Chromium looking at it.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const WEB = fileURLToPath(new URL("../../", import.meta.url));
export const FILMS = join(WEB, "test/out/films");

/** @param {() => Promise<unknown> | unknown} condition Until it is true, or *limitMs* have passed. */
export async function until(condition, limitMs = 10_000) {
	const endMs = performance.now() + limitMs;
	while (!(await condition())) {
		if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${condition}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

export const freePort = () =>
	new Promise((resolve) => {
		const server = createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});

/** What a careful site allows: its own files and nothing inline. */
const STRICT = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self';
	img-src 'self' data:; media-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'">`;

/** The page and an empty avatars folder behind nginx, as `web/nginx.conf` serves them. */
export async function startSite() {
	const folder = mkdtempSync(join(tmpdir(), "anchord-site-"));
	const root = join(folder, "www");
	const avatars = join(root, "avatars");
	mkdirSync(avatars, { recursive: true });
	for (const name of ["index.html", "src", "demo"]) symlinkSync(join(WEB, name), join(root, name));
	const bare = `<link rel="icon" href="data:,"><script type="module" src="src/element.js"></script><body>`;
	writeFileSync(join(root, "bare.html"), `<!doctype html><meta charset="utf-8">${bare}`);
	writeFileSync(join(root, "strict.html"), `<!doctype html><meta charset="utf-8">${STRICT}${bare}`);
	const port = await freePort();
	const shipped = readFileSync(join(WEB, "nginx.conf"), "utf8");
	const server = shipped
		.replace("listen 8080;", `listen 127.0.0.1:${port};`)
		.replace("root /usr/share/nginx/html;", `root ${root};`);
	if (server.split("\n").length !== shipped.split("\n").length || !server.includes(root)) {
		throw new Error("nginx.conf no longer has the two lines that a test must change");
	}
	const user = process.getuid?.() === 0 ? "user root;" : "";
	const config = join(folder, "nginx.conf");
	const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/tmp;`);
	writeFileSync(
		config,
		`${user} daemon off; pid ${folder}/pid; error_log stderr emerg; events {} http { access_log off; ${temp.join(" ")}\n${server}\n}`,
	);
	const nginx = spawn(existsSync("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx", ["-p", folder, "-c", config], {
		stdio: ["ignore", "ignore", "inherit"],
	});
	const url = `http://127.0.0.1:${port}/`;
	await until(() =>
		fetch(url).then(
			(response) => response.ok,
			() => false,
		),
	);
	return {
		url,
		root,
		avatars,
		/** @param {string} film @param {string} [name] */
		addPack(film, name = film) {
			cpSync(join(FILMS, film), join(avatars, name), { recursive: true });
			return join(avatars, name);
		},
		async stop() {
			nginx.kill();
			await once(nginx, "exit");
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** @param {string[]} [more] Arguments of Chromium's. */
export async function startBrowser(more = []) {
	const path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? path,
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			"--enable-precise-memory-info",
			"--js-flags=--expose-gc",
			...more,
		],
	});
}

/**
 * A bare page with one avatar, as wide as its target, so that a canvas pixel is a target pixel.
 *
 * @param {import("playwright-core").Browser} browser
 */
export async function openAvatar(
	browser,
	site,
	pack,
	{ width = 256, context = {}, throttle = 1, before, attributes = {}, at = "bare.html" } = {},
) {
	const page = await (await browser.newContext(context)).newPage();
	const errors = [];
	page.on("pageerror", (error) => errors.push(error));
	if (before) await page.addInitScript(before);
	if (throttle > 1) {
		const devtools = await page.context().newCDPSession(page);
		await devtools.send("Emulation.setCPUThrottlingRate", { rate: throttle });
	}
	await page.goto(site.url + at);
	await page.evaluate(
		([src, width, attributes]) => {
			const avatar = document.createElement("anchor-avatar");
			avatar.style.width = `${width}px`;
			window.heard = [];
			for (const name of ["ready", "tracking", "fallback", "play", "pause", "hint", "error"]) {
				avatar.addEventListener(name, ({ detail }) => window.heard.push({ name, ...detail }));
			}
			for (const [name, value] of Object.entries({ src, ...attributes })) avatar.setAttribute(name, value);
			document.body.style.margin = "0";
			document.body.append(avatar);
			window.element = avatar;
		},
		[`avatars/${pack}/`, width, attributes],
	);
	return { page, errors };
}

/** @param {import("playwright-core").Page} page Until its avatar's overlays follow the video. */
export const tracks = (page) => until(() => page.evaluate(() => window.element.avatar.compositor.isTracked));

/** @param {import("playwright-core").Page} page Until its avatar has said that its pack is loaded. */
export const ready = (page) => until(() => page.evaluate(() => window.heard.some(({ name }) => name === "ready")));

/** Addresses below avatars/ that the page has asked for, in order. @param {import("playwright-core").Page} page */
export const asked = (page) =>
	page.evaluate(() =>
		performance.getEntriesByType("resource").flatMap(({ name }) => /avatars\/\w+\/([\w.]+)/.exec(name)?.[1] ?? []),
	);

/** Runs in the page: after each frame drawn, which one the picture says it is and which one the sprite's place says. */
export function watchCodes() {
	const { canvas } = window.element;
	const context = canvas.getContext("2d");
	window.seen = [];
	window.loops = 0;
	let lastMs = -1;
	window.element.addEventListener("frame", ({ detail }) => {
		if (!detail.isTracked && !window.seen.length) return;
		// The sprites come after the first pictures.
		if (!window.element.avatar.compositor.pack?.mouth && !window.seen.length) return;
		const { data } = context.getImageData(0, 0, 256, 320);
		const at = (x, y) => 4 * (y * 256 + x);
		let shown = 0;
		for (let bit = 0; bit < 10; bit++) {
			if (data[at(12 + 24 * bit, 12) + 1] > 128) shown |= 1 << bit;
		}
		// The still face is violet all over.
		const isStill = data[at(250, 12) + 2] > 130;
		let drawn = -1;
		for (let i = 0; i < 64; i++) {
			const row = i >> 3;
			const column = row % 2 ? 7 - (i & 7) : i & 7;
			const p = at(column * 30 + 15, 50 + row * 30 + 15);
			if (data[p] > 180 && data[p + 1] < 90 && data[p + 2] < 90) drawn = i;
		}
		if (detail.timeMs < lastMs) window.loops++;
		lastMs = detail.timeMs;
		window.seen.push({ shown, drawn, isStill, timeMs: detail.timeMs });
	});
}
