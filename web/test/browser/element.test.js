import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { asked, openAvatar, ready, startBrowser, startSite, tracks, until } from "./harness.js";

const WEB = fileURLToPath(new URL("../../", import.meta.url));
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

// --- where it is loaded

test("it can be imported where there is no page, and does nothing there", () => {
	const said = execFileSync(
		process.execPath,
		["-e", "import('./src/element.js').then((m) => console.log(typeof m.AnchorAvatar))"],
		{ cwd: WEB, encoding: "utf8" },
	);
	assert.equal(said, "function\n");
});

test("it looks and works the same under a policy that allows nothing inline, panel included", async () => {
	const { page, errors } = await openAvatar(browser, site, "face", { at: "strict.html", attributes: { debug: "" } });
	const refused = [];
	page.on(
		"console",
		(message) => /Content Security Policy|TrustedHTML/.test(message.text()) && refused.push(message.text()),
	);
	await tracks(page);
	await until(() => page.evaluate(() => window.element.shadowRoot.querySelector("pre")?.textContent));
	const { width, position, opacity } = await page.evaluate(() => {
		const { shadowRoot, canvas, video } = window.element;
		return {
			width: canvas.getBoundingClientRect().width,
			position: getComputedStyle(shadowRoot.querySelector("pre")).position,
			opacity: getComputedStyle(video).opacity,
		};
	});
	assert.deepEqual([width, position, opacity], [256, "absolute", "0"]);
	assert.deepEqual(refused, []);
	assert.deepEqual(errors, []);
});

// --- state

test("moved in the page it goes on as if nothing had happened: cues, mouth, eyes, clip and all", async () => {
	const { page } = await openAvatar(browser, site, "face");
	await ready(page);
	await tracks(page);
	const result = await page.evaluate(async () => {
		const { element } = window;
		const { compositor } = element.avatar;
		const box = document.createElement("div");
		document.body.append(box);
		let nowMs = 0;
		const done = element.playCues(
			[
				{ t_ms: 0, viseme: "AA" },
				{ t_ms: 500, viseme: "OO" },
			],
			() => nowMs,
		);
		let isDone = false;
		done.then(() => (isDone = true));
		element.setEyes("half");
		element.setGaze(0.5, -0.5);
		const { src } = element.video;
		window.heard.length = 0;
		const next = () => new Promise((resolve) => element.addEventListener("frame", resolve, { once: true }));
		await next();
		box.append(element);
		await next();
		const moved = { viseme: compositor.viseme, isDone, src: element.video.src === src, heard: window.heard.length };
		element.pause();
		document.body.prepend(element);
		await new Promise((resolve) => setTimeout(resolve, 100));
		const held = { paused: element.paused, video: element.video.paused };
		element.play();
		nowMs = 600;
		await done;
		return {
			moved,
			held,
			end: compositor.viseme,
			eyes: compositor.opennessGoal,
			gaze: [compositor.gazeX, compositor.gazeY],
		};
	});
	assert.deepEqual(result, {
		moved: { viseme: "AA", isDone: false, src: true, heard: 0 },
		held: { paused: true, video: true },
		end: "OO",
		eyes: 0.5,
		gaze: [0.5, -0.5],
	});
});

test("taken out for a while and put back it loads again, and still knows what it was told", async () => {
	const { page } = await openAvatar(browser, site, "face");
	await ready(page);
	const viseme = await page.evaluate(async () => {
		const { element } = window;
		element.setViseme("EE");
		element.pause();
		element.remove();
		await new Promise((resolve) => setTimeout(resolve, 50));
		window.heard.length = 0;
		document.body.append(element);
		return element.avatar.compositor.viseme;
	});
	assert.equal(viseme, "EE");
	await ready(page);
	assert.equal(await page.evaluate(() => window.element.paused), true);
});

test("what is set before it is in the page, and before it is ready, holds then", async () => {
	const { page } = await openAvatar(browser, site, "face");
	const result = await page.evaluate(async () => {
		const early = document.createElement("anchor-avatar");
		early.setViseme("AA");
		early.setEyes("closed");
		early.pause();
		let isDone = false;
		const done = early
			.playCues([
				{ t_ms: 0, viseme: "FF" },
				{ t_ms: 120, viseme: "OH" },
			])
			.then(() => (isDone = true));
		early.src = "avatars/face/";
		await new Promise((resolve) => setTimeout(resolve, 60));
		const before = isDone;
		document.body.append(early);
		await new Promise((resolve) => early.addEventListener("ready", resolve, { once: true }));
		await done;
		const { compositor } = early.avatar;
		return { before, isDone, viseme: compositor.viseme, paused: early.paused, eyes: compositor.opennessGoal };
	});
	assert.deepEqual(result, { before: false, isDone: true, viseme: "OH", paused: true, eyes: 0 });
});

test("properties that a framework set before the class was there are taken over", async () => {
	const { page } = await openAvatar(browser, site, "face");
	const result = await page.evaluate(async () => {
		const frame = document.createElement("iframe");
		document.body.append(frame);
		const other = frame.contentDocument;
		const early = other.createElement("anchor-avatar");
		early.src = "/avatars/face/";
		early.debug = true;
		other.body.append(early);
		const script = Object.assign(other.createElement("script"), { type: "module", src: "/src/element.js" });
		other.head.append(script);
		await frame.contentWindow.customElements.whenDefined("anchor-avatar");
		return [early.getAttribute("src"), early.hasAttribute("debug"), early.debug];
	});
	assert.deepEqual(result, ["/avatars/face/", true, true]);
});

test("in another document it still has its looks", async () => {
	const { page } = await openAvatar(browser, site, "face");
	await ready(page);
	const opacity = await page.evaluate(async () => {
		const frame = document.createElement("iframe");
		document.body.append(frame);
		frame.contentDocument.body.append(window.element);
		await new Promise((resolve) => setTimeout(resolve, 50));
		return frame.contentWindow.getComputedStyle(window.element.video).opacity;
	});
	assert.equal(opacity, "0");
});

test("properties and attributes say the same, both ways", async () => {
	const { page } = await openAvatar(browser, site, "face");
	const result = await page.evaluate(() => {
		const { element } = window;
		const wrong = [];
		const same = (name, value, attribute) => {
			element[name] = value;
			if (element.getAttribute(name) !== attribute || element[name] !== value) wrong.push(name);
		};
		for (const name of ["label", "poster"]) same(name, "x", "x");
		same("loading", "lazy", "lazy");
		same("preload", "metadata", "metadata");
		same("refresh", 2.5, "2.5");
		for (const name of ["debug", "calibrate", "keys"]) {
			same(name, true, "");
			same(name, false, null);
		}
		element.setAttribute("label", "Sam");
		element.refresh = null;
		element.label = undefined;
		return {
			wrong,
			src: element.src,
			refresh: element.refresh,
			label: element.label,
			has: element.hasAttribute("label"),
			defaults: [document.createElement("anchor-avatar").loading, document.createElement("anchor-avatar").preload],
		};
	});
	assert.deepEqual(result, {
		wrong: [],
		src: "avatars/face/",
		refresh: 0,
		label: "",
		has: false,
		defaults: ["eager", "auto"],
	});
});

// --- src

test("the same src again asks for nothing, another one shows another, none shows none", async () => {
	const { page } = await openAvatar(browser, site, "face");
	await ready(page);
	const before = (await asked(page)).length;
	await page.evaluate(() => {
		window.element.setAttribute("src", "avatars/face/");
		window.element.src = "avatars/face/";
	});
	await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
	assert.equal((await asked(page)).length, before);
	await page.evaluate(() => (window.element.src = "avatars/other/"));
	await until(() =>
		page.evaluate(() =>
			window.heard.some(
				({ name, id }) => name === "ready" && id === "face" && /other/.test(window.element.avatar.folder),
			),
		),
	);
	await tracks(page);
	const empty = await page.evaluate(async () => {
		window.element.removeAttribute("src");
		await new Promise(requestAnimationFrame);
		const { data } = window.element.canvas.getContext("2d").getImageData(0, 0, 256, 320);
		return {
			isEmpty: data.every((value) => value === 0),
			video: window.element.video.getAttribute("src"),
			pack: window.element.avatar.compositor.pack,
		};
	});
	assert.deepEqual(empty, { isEmpty: true, video: null, pack: null });
});

test("a folder that is not there is an error, and never ready", async () => {
	const { page } = await openAvatar(browser, site, "nobody");
	await until(() =>
		page.evaluate(() =>
			window.heard.some(({ name, message }) => name === "error" && /there is no avatar at .*nobody/.test(message)),
		),
	);
	assert.ok(!(await page.evaluate(() => window.heard.some(({ name }) => name === "ready"))));
	assert.equal(await page.evaluate(() => window.element.avatar.tracking.reason), "there is no avatar");
});

// --- play and pause

test("play() and pause() say so once, and paused is what is seen", async () => {
	const { page } = await openAvatar(browser, site, "face");
	await tracks(page);
	const said = await page.evaluate(async () => {
		const { element } = window;
		window.heard.length = 0;
		element.pause();
		element.pause();
		const held = [element.paused, element.video.paused];
		await element.play();
		return { held, now: [element.paused, element.video.paused], heard: window.heard.map(({ name }) => name) };
	});
	assert.deepEqual(said, { held: [true, true], now: [false, false], heard: ["pause", "play"] });
});

test("asked for less motion it is paused and says so, until somebody asks for motion", async () => {
	const { page } = await openAvatar(browser, site, "face", { context: { reducedMotion: "reduce" } });
	await ready(page);
	assert.equal(await page.evaluate(() => window.element.paused), true);
	await page.evaluate(() => window.element.play());
	await tracks(page);
	assert.equal(await page.evaluate(() => window.element.paused), false);
});

// --- keys

test("Tab goes through mouth and eyes and then on, forwards and back; with keys it is nobody's but the avatar's", async () => {
	const { page } = await openAvatar(browser, site, "face", { attributes: { keys: "", calibrate: "" } });
	await ready(page);
	await page.evaluate(() => {
		for (const id of ["before", "after"]) {
			const button = Object.assign(document.createElement("button"), { id, textContent: id });
			if (id === "before") document.body.prepend(button);
			else document.body.append(button);
		}
		window.element.focus();
	});
	await until(() => page.evaluate(() => window.element.press !== null));
	const state = () =>
		page.evaluate(() => [
			document.activeElement.id || document.activeElement.localName,
			window.element.avatar.compositor.calibration.part,
		]);
	const seen = [await state()];
	for (const key of ["Tab", "Tab", "Shift+Tab", "Shift+Tab"]) {
		await page.keyboard.press(key);
		seen.push(await state());
	}
	assert.deepEqual(seen, [
		["anchor-avatar", "mouth"],
		["anchor-avatar", "eyes"],
		["after", "mouth"],
		["anchor-avatar", "mouth"],
		["before", "mouth"],
	]);
	await page.locator("#after").focus();
	await page.keyboard.press("ArrowRight");
	assert.equal(
		await page.evaluate(() => window.element.avatar.compositor.calibration.offsets.mouth.x),
		1,
		"arrows work everywhere",
	);
});

test("the panel leaves the upper half of the face alone", async () => {
	site.addPack("full");
	const { page } = await openAvatar(browser, site, "full", { width: 512, attributes: { debug: "" } });
	await tracks(page);
	await until(() => page.evaluate(() => window.element.shadowRoot.querySelector("pre")?.textContent));
	const top = await page.evaluate(() => window.element.shadowRoot.querySelector("pre").getBoundingClientRect().top);
	assert.ok(top > 0.8 * 640, `${top}`);
});
