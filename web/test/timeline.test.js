import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTimeline, Timeline, TimelineError } from "../src/timeline.js";

const EYES = { x: 0, y: 0, w: 10, h: 5, cx: 5, cy: 2.5, roll: 0 };
const mouth = (cx, roll = 0) => ({ x: cx - 5, y: 0, w: 10, h: 10, cx, cy: 5, roll });

/** A timeline of [time_ms, cx, roll]. */
const timeline = (samples, rest = {}) =>
	new Timeline({
		version: 1,
		frames: samples.map(([time_ms, cx, roll], i) => ({ frame: i, time_ms, mouth: mouth(cx, roll), eyes: EYES })),
		...rest,
	});
const at = (line, timeMs) => {
	const out = { ...EYES };
	return line.anchorAt("mouth", timeMs, out) ? out : null;
};
const near = (actual, expected, by = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= by, `${actual}, not ${expected}`);

test("a sample is given back exactly, at its time", () => {
	const line = timeline([
		[0, 10],
		[100, 20],
		[250, 17],
	]);
	for (const [time, cx] of [
		[0, 10],
		[100, 20],
		[250, 17],
	])
		near(at(line, time).cx, cx);
});

test("what moves evenly is followed evenly, also between uneven times", () => {
	const line = timeline([
		[0, 0],
		[40, 4],
		[200, 20],
		[233, 23.3],
	]);
	for (let time = 0; time <= 233; time += 7) near(at(line, time).cx, time / 10);
});

test("before the first and after the last sample of an open clip the anchor is held", () => {
	const line = timeline([
		[500, 10],
		[600, 20],
	]);
	near(at(line, 0).cx, 10);
	near(at(line, 9000).cx, 20);
});

test("only where the loop is closed the way leads from the last sample back to the first", () => {
	const samples = [
		[0, 0],
		[1000, 10],
		[2000, 20],
		[3000, 10],
	];
	const source = { duration_ms: 4000 };
	near(at(timeline(samples, { source, loop: { closed: true } }), 3500).cx, 3.75);
	near(at(timeline(samples, { source, loop: { closed: false } }), 3500).cx, 10);
	near(at(timeline(samples, { source }), 3500).cx, 10);
});

test("a closed loop with a start offset wraps at its own ends", () => {
	const samples = [
		[550, 0],
		[1000, 9],
	];
	const line = timeline(samples, { source: { duration_ms: 900, start_ms: 500 }, loop: { closed: true } });
	near(at(line, 1450 - 1e-6).cx, at(line, 550 + 1e-6).cx, 1e-4);
	near(at(line, 500).cx, at(line, 1400).cx);
});

test("the curve is smooth across the end of a closed loop", () => {
	const samples = Array.from({ length: 40 }, (_, i) => [i * 100, 50 * Math.sin((2 * Math.PI * i) / 40)]);
	const line = timeline(samples, { source: { duration_ms: 4000 }, loop: { closed: true } });
	for (let time = 0; time < 4000; time += 13) near(at(line, time).cx, 50 * Math.sin((2 * Math.PI * time) / 4000), 0.02);
});

test("roll takes the shorter way round", () => {
	const line = timeline([
		[0, 0, 170],
		[100, 0, -170],
	]);
	near(at(line, 50).roll, 180);
	near(at(line, 100).roll, 190);
});

test("a closed loop may turn all the way round", () => {
	const samples = [0, 120, 240].map((roll, i) => [i * 100, 0, roll]);
	const line = timeline(samples, { source: { duration_ms: 300 }, loop: { closed: true } });
	near(at(line, 250).roll, 300);
});

test("inside a gap there is no anchor, and beside it nothing is drawn towards the other side", () => {
	const line = timeline(
		[
			[0, 0],
			[100, 1],
			[900, 90],
			[1000, 91],
		],
		{ quality: { gaps: [[200, 800]] } },
	);
	assert.equal(at(line, 200), null);
	assert.equal(at(line, 500), null);
	assert.equal(at(line, 800), null);
	near(at(line, 199).cx, 1);
	near(at(line, 801).cx, 90);
	near(at(line, 50).cx, 0.5);
	near(at(line, 950).cx, 90.5);
});

test("a clip without a face has no anchor anywhere", () => {
	const line = timeline([], { quality: { coverage: 0 } });
	assert.equal(at(line, 0), null);
});

test("one sample is held", () => near(at(timeline([[40, 7]]), 1000).cx, 7));

test("integer files of the first version are read", () => {
	const line = parseTimeline(`{"version": 1,
		"source": {"video": "idle.webm", "fps": 30.0, "frame_count": 120, "width": 512, "height": 640, "sample_every_n_frames": 3},
		"target": {"width": 512, "height": 640}, "config": {"mouth_padding": 1.5, "eyes_padding": 1.3},
		"frames": [
			{"frame": 0, "time_ms": 0, "mouth": {"x": 176, "y": 400, "w": 160, "h": 120, "cx": 256, "cy": 460}, "eyes": {"x": 140, "y": 240, "w": 232, "h": 80}},
			{"frame": 3, "time_ms": 100, "mouth": {"x": 178, "y": 400, "w": 160, "h": 120, "cx": 258, "cy": 460}, "eyes": {"x": 140, "y": 240, "w": 232, "h": 80}}]}`);
	assert.equal(line.durationMs, 4000);
	assert.equal(line.isClosed, false);
	const eyes = { cx: 0, cy: 0, w: 0, h: 0, roll: 0 };
	line.anchorAt("eyes", 50, eyes);
	assert.deepEqual(eyes, { cx: 256, cy: 280, w: 232, h: 80, roll: 0 });
	near(at(line, 50).cx, 257);
});

for (const [text, says] of [
	["", /not JSON/],
	['{"version": 1', /not JSON/],
	["[]", /version is undefined/],
	["null", /version is undefined/],
	['{"version": "1", "frames": []}', /version is "1"/],
	['{"version": 2, "frames": []}', /version is 2, this page reads 1/],
	['{"version": 1}', /no list of frames/],
	['{"version": 1, "frames": [null]}', /frames\[0\]\.time_ms is undefined/],
	['{"version": 1, "frames": [{"time_ms": 0}]}', /frames\[0\]\.mouth\.w is undefined/],
	['{"version": 1, "frames": [{"time_ms": 0, "mouth": {"w": 1, "h": "2"}}]}', /frames\[0\]\.mouth\.h is "2"/],
	['{"version": 1, "frames": [{"time_ms": 0, "mouth": {"w": 1, "h": 2}}]}', /frames\[0\]\.mouth\.cx is/],
	[
		JSON.stringify({ version: 1, frames: [40, 20].map((time_ms) => ({ time_ms, mouth: EYES, eyes: EYES })) }),
		/frames\[1\]\.time_ms goes back/,
	],
])
	test(`refused by name: ${text.slice(0, 60)}`, () => {
		assert.throws(
			() => parseTimeline(text),
			(error) => error instanceof TimelineError && says.test(error.message),
		);
	});

test("on a head that sways, cubic is at least five times nearer than linear; on a still one no worse than 1.2 times", (t) => {
	const random = (seed) => () => {
		seed = (seed * 1103515245 + 12345) % 2 ** 31;
		return seed / 2 ** 31;
	};
	/** Root mean square error at 30 Hz, sampled every third frame. */
	const errors = (truth, noise) => {
		const next = random(7);
		const gauss = () => Array.from({ length: 12 }, next).reduce((a, b) => a + b, -6);
		const samples = Array.from({ length: 40 }, (_, i) => [i * 100, truth(i * 100) + noise * gauss()]);
		const line = timeline(samples, { source: { duration_ms: 4000 }, loop: { closed: true } });
		const sum = { cubic: 0, linear: 0 };
		for (let i = 0; i < 117; i++) {
			const time = (i * 1000) / 30;
			const [a, b] = [samples[Math.floor(i / 3)][1], samples[Math.floor(i / 3) + 1][1]];
			sum.cubic += (at(line, time).cx - truth(time)) ** 2;
			sum.linear += (a + ((b - a) * (i % 3)) / 3 - truth(time)) ** 2;
		}
		return { cubic: Math.sqrt(sum.cubic / 117), linear: Math.sqrt(sum.linear / 117) };
	};
	const wave = (hz, px) => (timeMs) => px * Math.sin((2 * Math.PI * hz * timeMs) / 1000);
	const sway = errors((timeMs) => wave(0.5, 25)(timeMs) + wave(1.25, 6)(timeMs), 0.02);
	const still = errors(() => 0, 0.05);
	for (const [name, { cubic, linear }] of Object.entries({ sway, still })) {
		t.diagnostic(`${name}: linear ${linear.toFixed(4)} px, cubic ${cubic.toFixed(4)} px`);
	}
	assert.ok(sway.cubic * 5 < sway.linear);
	assert.ok(still.cubic < 1.2 * still.linear);
});

test("one sample of a closed loop is held too", () => {
	const line = timeline([[40, 7]], { source: { duration_ms: 1000 }, loop: { closed: true } });
	for (const time of [0, 40, 999, 5000]) near(at(line, time).cx, 7);
});
