import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openAvatar, startBrowser, startSite, until } from "./harness.js";

let site;
let chromium;
before(async () => {
	site = await startSite();
	site.addPack("face");
	const wav = join(site.avatars, "hello.wav");
	execFileSync("espeak-ng", ["-v", "en-us", "-w", wav, "Hello there, watch my mouth."]);
	chromium = await startBrowser();
});
after(async () => {
	await chromium?.close();
	await site?.stop();
});

const isReady = (page) => until(() => page.evaluate(() => window.heard.some(({ name }) => name === "ready")));

/** Runs in the page: the mouth's changes, by the page's clock. */
function watchMouth() {
	const { compositor } = window.element.avatar;
	window.shapes = [{ ms: performance.now(), viseme: compositor.viseme }];
	const set = compositor.setViseme.bind(compositor);
	compositor.setViseme = (viseme) => {
		window.shapes.push({ ms: performance.now(), viseme });
		set(viseme);
	};
}

// Not in Firefox: without a sound card its AudioContext never runs.
test("a stream's sound is on the lips within 50 ms", async (t) => {
	const { page } = await openAvatar(chromium, site, "face");
	await isReady(page);
	await page.evaluate(watchMouth);
	const lags = await page.evaluate(async () => {
		const { element } = window;
		const context = new AudioContext({ latencyHint: "interactive" });
		await context.resume();
		const to = context.createMediaStreamDestination();
		const voice = new GainNode(context, { gain: 0 });
		const buzz = new OscillatorNode(context, { type: "sawtooth", frequency: 120 });
		buzz.connect(voice).connect(to);
		buzz.start();
		element.speakWith(to.stream, { context });
		await new Promise((resolve) => setTimeout(resolve, 600));
		const lags = [];
		for (let i = 0; i < 8; i++) {
			const onS = context.currentTime + 0.1;
			voice.gain.setValueAtTime(0.3, onS);
			voice.gain.setValueAtTime(0, onS + 0.25);
			// Without a sound card there is no clock of the output: the graph's own is the measure.
			const graphMs = performance.now() - 1000 * context.currentTime;
			const onMs = graphMs + 1000 * onS;
			await new Promise((resolve) => setTimeout(resolve, 600));
			const opened = window.shapes.find(({ ms, viseme }) => ms > onMs - 20 && viseme !== "REST");
			lags.push(opened ? opened.ms - onMs : Number.NaN);
		}
		element.stopCues();
		return lags;
	});
	lags.sort((a, b) => a - b);
	t.diagnostic(`lag ${lags.map((ms) => ms.toFixed(0)).join(", ")} ms, the stream's own buffering included`);
	assert.ok(lags.every(Number.isFinite), `${lags}`);
	assert.ok(lags[4] <= 50, `median ${lags[4]}`);
	await page.context().close();
});

test("an audio element drives the mouth, goes on being heard, and the promise is kept at its end", async () => {
	const { page } = await openAvatar(chromium, site, "face");
	await isReady(page);
	await page.evaluate(watchMouth);
	await page.mouse.click(5, 5);
	const { shapes, endedMs, speaksMs } = await page.evaluate(async () => {
		const audio = new Audio("avatars/hello.wav");
		const speaking = window.element.speakWith(audio);
		await new Promise((resolve) => setTimeout(resolve, 300));
		const ended = new Promise((resolve) => audio.addEventListener("ended", () => resolve(performance.now())));
		await audio.play();
		const endedMs = await ended;
		await speaking;
		return { shapes: window.shapes, endedMs, speaksMs: performance.now() };
	});
	assert.ok(new Set(shapes.map(({ viseme }) => viseme)).size >= 4, JSON.stringify(shapes));
	assert.equal(shapes.at(-1).viseme, "REST");
	assert.ok(speaksMs - endedMs < 300);
});

test("a recording is listened to beforehand: its shapes come by the sound's clock, and it can be stopped", async () => {
	const { page } = await openAvatar(chromium, site, "face");
	await isReady(page);
	await page.mouse.click(5, 5);
	const { seen, stopped } = await page.evaluate(async () => {
		const { element } = window;
		const context = new AudioContext();
		const data = await (await fetch("avatars/hello.wav")).arrayBuffer();
		const buffer = await context.decodeAudioData(data);
		const seen = new Set();
		const see = () => seen.add(element.avatar.compositor.viseme);
		element.addEventListener("frame", see);
		await element.speakWith(buffer, { context });
		element.removeEventListener("frame", see);
		const speaking = element.speakWith(buffer, { context });
		await new Promise((resolve) => setTimeout(resolve, 200));
		element.stopCues();
		await speaking;
		return { seen: [...seen], stopped: element.avatar.compositor.viseme };
	});
	assert.ok(seen.length >= 4, `${seen}`);
	assert.equal(stopped, "REST");
});

test("where the browser allows no sound yet, that is said", async () => {
	const { page } = await openAvatar(chromium, site, "face");
	await isReady(page);
	const said = await page.evaluate(() => {
		const context = { state: "suspended", resume: () => new Promise(() => {}) };
		return window.element.speakWith(new Audio(), { context }).then(
			() => "",
			({ message }) => message,
		);
	});
	assert.match(said, /no sound before somebody has clicked/);
});

test("cues of any format are played, and wrong ones are refused at once", async () => {
	const { page } = await openAvatar(chromium, site, "face");
	await isReady(page);
	const { seen, refused } = await page.evaluate(async () => {
		const { element } = window;
		const { compositor } = element.avatar;
		const next = () => new Promise((resolve) => element.addEventListener("frame", resolve, { once: true }));
		const seen = [];
		for (const [cues, due] of [
			["0.00\tX\n0.05\tD\n9.00\tX\n", "AA"],
			[{ mouthCues: [{ start: 0, end: 9, value: "F" }] }, "OO"],
		]) {
			element.playCues(cues, () => 100);
			while (compositor.viseme !== due) await next();
			seen.push(compositor.viseme);
		}
		const refused = [];
		for (const cues of [
			7,
			null,
			[{}],
			[{ t_ms: "0", viseme: "AA" }],
			[
				{ t_ms: 9, viseme: "AA" },
				{ t_ms: 1, viseme: "AA" },
			],
			"nonsense",
		]) {
			refused.push(
				await element.playCues(cues).then(
					() => "kept",
					({ name }) => name,
				),
			);
		}
		// What was refused changes nothing.
		return { seen: [...seen, compositor.viseme], refused };
	});
	assert.deepEqual(seen, ["AA", "OO", "OO"]);
	assert.deepEqual(refused, new Array(6).fill("TypeError"));
});
