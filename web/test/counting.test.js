import assert from "node:assert/strict";
import { test } from "node:test";
import { Counting, roundMs } from "../src/counting.js";

/** A browser that plays 24 frames of 33 ms, whose rounds are really *trueMs* long, and calls back every 40 ms. */
function play({ trueMs, saidMs = trueMs, rounds, lateMs = 8, seek = null }) {
	const counting = new Counting(null);
	counting.clip = { roundMs: saidMs, frameMs: 100 / 3, nearest: (ms) => (Math.floor(ms / (100 / 3) + 0.5) * 100) / 3 };
	const offset = 5000;
	let worst = 0;
	let base = 0;
	for (let nowMs = 0; nowMs < rounds * trueMs; nowMs += 40) {
		if (seek && !base && nowMs >= seek.atMs) {
			// From here on it counts from 0 again, at another place.
			base = nowMs - seek.toMs;
			counting.clear();
		}
		const ms = nowMs - base;
		const round = Math.floor(ms / trueMs);
		const media = round * trueMs + (Math.floor((ms - round * trueMs) / (100 / 3)) * 100) / 3;
		counting.note(media, offset + base + media + lateMs, 1, ms % trueMs);
		const told = counting.timeAt(offset + base + ms);
		const away = Math.abs(told - (ms % trueMs));
		if (!seek || nowMs > seek.atMs + 400) worst = Math.max(worst, Math.min(away, trueMs - away));
	}
	return worst;
}

test("the time is told within half a refresh, however many rounds have passed", () => {
	assert.ok(play({ trueMs: 800, rounds: 3 }) <= 5);
	assert.ok(play({ trueMs: 800, rounds: 500 }) <= 5);
});

test("a round that is longer or shorter than the video element says does not add up", () => {
	for (const saidMs of [797, 801, 803]) assert.ok(play({ trueMs: 800, saidMs, rounds: 1000 }) <= 10, `${saidMs}`);
});

test("after a seek it is right again", () => {
	assert.ok(play({ trueMs: 800, rounds: 60, seek: { atMs: 20_000, toMs: 310 } }) <= 5);
});

test("one frame that is announced with another round's time changes nothing", () => {
	const counting = new Counting(null);
	counting.clip.roundMs = 800;
	for (let ms = 0; ms < 400; ms += 40) counting.note(ms, 1000 + ms, 1, ms);
	counting.distances.push(200);
	assert.ok(Math.abs(counting.timeAt(1400) - 404) < 1);
});

test("before anything is known, and after a stop, no time is told", () => {
	const counting = new Counting(null);
	assert.equal(counting.timeAt(99), -1);
	counting.note(0, 10, 1, 0);
	counting.clear();
	assert.equal(counting.timeAt(99), -1);
});

test("a start offset is taken out of a WebM's duration, where Firefox counts it, and not of an MP4's", () => {
	assert.equal(roundMs(1300, 500, 800), 800);
	assert.equal(roundMs(801, 500, 800), 801);
	assert.equal(roundMs(800, 0, 800), 800);
	assert.equal(roundMs(Number.POSITIVE_INFINITY, 0, 800), 800);
});
