import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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

test("drawing takes at most 1 ms in the median, with everything moving", async (t) => {
	const cost = await page.evaluate(async () => {
		const { avatar, video } = window.element;
		const { compositor, plate } = avatar;
		const draw = compositor.draw.bind(compositor);
		const update = plate.update.bind(plate);
		const bare = Object.assign(document.createElement("canvas"), { width: 512, height: 640 }).getContext("2d");
		let spent = { draws: [], takes: [], bares: [] };
		let takenMs = 0;
		const timed = (list, act) => {
			const startMs = performance.now();
			const result = act();
			const ms = performance.now() - startMs;
			list?.push(ms);
			return [ms, result];
		};
		plate.update = () => {
			const [ms, isNew] = timed(null, update);
			if (isNew) spent.takes.push(ms);
			takenMs = ms;
			return isNew;
		};
		let i = 0;
		compositor.draw = (nowMs) => {
			// A fade, a blink and a glance that never end: the most that can be asked.
			compositor.viseme = (i >> 3) % 7;
			compositor.blinkMs = nowMs - (i % 16) * 16;
			compositor.setGaze(Math.sin(i / 10), Math.cos(i / 10));
			const [ms] = timed(null, () => draw(nowMs));
			spent.draws.push(ms - takenMs);
			if (i++ % 4 === 0) timed(spent.bares, () => bare.drawImage(video, 0, 0));
		};
		const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
		const rounds = [];
		for (let round = 0; round < 3; round++) {
			spent = { draws: [], takes: [], bares: [] };
			for (i = 0; i < 150;) await new Promise(requestAnimationFrame);
			rounds.push({ draw: median(spent.draws), take: median(spent.takes), bare: median(spent.bares) });
		}
		compositor.draw = draw;
		plate.update = update;
		// The quietest of three: other work on this machine only ever adds.
		return rounds.sort((a, b) => a.draw - b.draw)[0];
	});
	t.diagnostic(
		`drawing ${cost.draw.toFixed(2)} ms; for a new video frame ${cost.take.toFixed(2)} ms more, of which a bare drawImage(video) takes ${cost.bare.toFixed(2)}`,
	);
	assert.ok(cost.draw <= 1);
	// Converting the picture is the browser's work, and takes longer on a busy machine: ours is the rest.
	assert.ok(cost.take <= 1.5 * cost.bare + 1);
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
		const run = (n) => {
			const startMs = performance.now();
			for (let i = 0; i < n; i++) {
				timeline.anchorAt("mouth", (i * 7919.3) % 120_000, out);
			}
			return (1000 * (performance.now() - startMs)) / n;
		};
		run(10_000);
		return Math.min(...Array.from({ length: 5 }, () => run(100_000)));
	});
	t.diagnostic(`${us.toFixed(3)} µs, two minutes at 30 Hz`);
	assert.ok(us <= 2);
});

test("a frame leaves no garbage but the numbers that canvas calls are handed", async (t) => {
	const bytes = await page.evaluate(async () => {
		const { avatar } = window.element;
		const { compositor } = avatar;
		avatar.setPaused(true);
		cancelAnimationFrame(avatar.animation);
		let nowMs = compositor.lastMs;
		const drawing = (i) => {
			nowMs += 16.7;
			compositor.viseme = (i >> 3) % 7;
			avatar.plate.timeMs = (i * 16.7) % 1000;
			compositor.draw(nowMs);
		};
		// What the same calls cost by themselves: V8 boxes each fraction that goes out to the canvas.
		const { context, mouth, eyes } = compositor;
		const calling = (i) => {
			const f = i / 7 + 0.1;
			for (const layer of [mouth, eyes]) {
				for (let n = 0; n < 2; n++) {
					layer.context.globalAlpha = 1 / (f + 2);
					layer.context.drawImage(layer.sprites.cells[0].image, 0, 0, 9, 9, f, f, 9, 9);
				}
				context.setTransform(f, f, -f, f, f, f);
				context.drawImage(layer.canvas, -f, -f, f, f);
			}
			context.setTransform(1, 0, 0, 1, 0, 0);
			context.drawImage(avatar.plate.canvas, 0, 0);
		};
		const perFrame = async (act) => {
			for (let i = 0; i < 1000; i++) act(i); // compile
			const rounds = [];
			for (let round = 0; round < 5; round++) {
				await new Promise((resolve) => setTimeout(resolve));
				window.gc();
				const before = performance.memory.usedJSHeapSize;
				for (let i = 0; i < 300; i++) act(i);
				rounds.push((performance.memory.usedJSHeapSize - before) / 300);
			}
			return rounds.sort((a, b) => a - b)[2];
		};
		const result = { draw: await perFrame(drawing), calls: await perFrame(calling) };
		avatar.animation = requestAnimationFrame(avatar.tick);
		avatar.setPaused(false);
		return result;
	});
	t.diagnostic(`${bytes.draw.toFixed(0)} bytes a frame; the canvas calls alone ${bytes.calls.toFixed(0)}`);
	assert.ok(bytes.draw <= bytes.calls + 32);
});

test("what an avatar loads is at most 34 kB of code, before compression", (t) => {
	/** The modules that *name* brings along, itself included; what is imported later does not count. */
	const brings = (name, found = new Map()) => {
		if (found.has(name)) return found;
		const text = readFileSync(new URL(`../../src/${name}`, import.meta.url), "utf8");
		found.set(name, text);
		for (const [, next] of text.matchAll(/^import .* from "\.\/(.+)";$/gm)) brings(next, found);
		return found;
	};
	const texts = [...brings("element.js").values()];
	const code = texts.map((text) =>
		text
			.replace(/\/\*\*[\s\S]*?\*\//g, "")
			.replace(/^\s*\/\/.*$/gm, "")
			.replace(/\n\s*\n/g, "\n"),
	);
	const size = code.join("").length;
	t.diagnostic(`${size} bytes of code, ${texts.join("").length} with comments and types, in ${texts.length} modules`);
	assert.ok(texts.length > 5 && size <= 34_000);
});
