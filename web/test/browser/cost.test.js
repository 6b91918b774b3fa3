import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openAvatar, startBrowser, startSite, until } from "./harness.js";

let site;
let browser;
let page;
before(async () => {
	site = await startSite();
	browser = await startBrowser();
	site.addPack("full");
	({ page } = await openAvatar(browser, site, "full", { width: 512 }));
	await until(() => page.evaluate(() => window.element.avatar.compositor.isTracked));
});
after(async () => {
	await browser?.close();
	await site?.stop();
});

test("drawing a frame takes at most 1 ms in the median, with everything moving", async (t) => {
	const cost = await page.evaluate(async () => {
		const { avatar } = window.element;
		const { compositor } = avatar;
		compositor.blinks = true;
		const context = window.element.canvas.getContext("2d");
		const draw = compositor.draw.bind(compositor);
		const called = [];
		const painted = [];
		let i = 0;
		compositor.draw = (nowMs) => {
			// A fade, a blink and a glance that never end: the most that can be asked.
			compositor.viseme = (i >> 3) % 7;
			compositor.blinkMs = nowMs - (i % 16) * 16;
			compositor.setGaze(Math.sin(i / 10), Math.cos(i / 10));
			const startMs = performance.now();
			draw(nowMs);
			called.push(performance.now() - startMs);
			context.getImageData(0, 0, 1, 1); // waits for the pixels
			painted.push(performance.now() - startMs);
			i++;
		};
		while (i < 400) await new Promise(requestAnimationFrame);
		compositor.draw = draw;
		const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
		return { called: median(called), painted: median(painted) };
	});
	t.diagnostic(`draw() ${cost.called.toFixed(2)} ms, until the pixels are there ${cost.painted.toFixed(2)} ms`);
	assert.ok(cost.called <= 1);
});

test("a look-up takes at most 2 µs", async (t) => {
	const us = await page.evaluate(async () => {
		const { Timeline } = await import("/src/timeline.js");
		const eyes = { cx: 0, cy: 0, w: 1, h: 1, roll: 0 };
		const frames = Array.from({ length: 3600 }, (_, i) => ({
			frame: i,
			time_ms: i * 33.3,
			mouth: { ...eyes, cx: i },
			eyes,
		}));
		const gaps = [1, 2, 3, 4].map((n) => [n * 9000, n * 9000 + 100]);
		const timeline = new Timeline({
			version: 1,
			frames,
			quality: { gaps },
			loop: { closed: true },
			source: { duration_ms: 120_000 },
		});
		const out = { ...eyes };
		let sum = 0;
		const run = (n) => {
			const startMs = performance.now();
			for (let i = 0; i < n; i++) {
				timeline.anchorAt("mouth", (i * 7919.3) % 120_000, out);
				sum += out.cx;
			}
			return (1000 * (performance.now() - startMs)) / n;
		};
		run(10_000);
		return Math.min(...Array.from({ length: 5 }, () => run(100_000)));
	});
	t.diagnostic(`${us.toFixed(3)} µs, two minutes at 30 Hz`);
	assert.ok(us <= 2);
});

test("a frame leaves no garbage", async (t) => {
	const bytes = await page.evaluate(async () => {
		const { avatar } = window.element;
		const { compositor } = avatar;
		const { timeline } = compositor;
		avatar.setPaused(true);
		cancelAnimationFrame(avatar.animation);
		let nowMs = compositor.lastMs;
		const run = (n) => {
			for (let i = 0; i < n; i++) {
				nowMs += 16.7;
				compositor.viseme = (i >> 3) % 7;
				avatar.plate.timeMs = (i * 16.7) % 1000;
				compositor.draw(nowMs);
				if (timeline === null) throw new Error("not tracking");
			}
		};
		const used = () => performance.memory.usedJSHeapSize;
		run(3000); // compile
		const rounds = [];
		for (let round = 0; round < 5; round++) {
			await new Promise((resolve) => setTimeout(resolve));
			window.gc();
			const before = used();
			run(1000);
			rounds.push((used() - before) / 1000);
		}
		avatar.animation = requestAnimationFrame(avatar.tick);
		avatar.setPaused(false);
		return rounds.sort((a, b) => a - b)[2];
	});
	t.diagnostic(`${bytes.toFixed(1)} bytes of JavaScript heap a frame`);
	assert.ok(bytes < 64);
});

test("the page's code is at most 30 kB", (t) => {
	const folder = new URL("../../src/", import.meta.url);
	const files = readdirSync(folder);
	const text = files.map((name) => readFileSync(new URL(name, folder), "utf8"));
	const code = text.map((source) =>
		source
			.replace(/\/\*\*[^]*?\*\//g, "")
			.replace(/^\s*\/\/.*$/gm, "")
			.replace(/\n\s*\n/g, "\n"),
	);
	const size = code.join("").length;
	t.diagnostic(
		`${size} bytes of code, ${text.join("").length} with its comments and types, in ${files.length} modules`,
	);
	assert.ok(size <= 30_000);
});
