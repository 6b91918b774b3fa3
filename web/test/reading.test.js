import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { place, referenceOf } from "../src/placing.js";
import { Timeline } from "../src/timeline.js";

// A program reads with anchor_at() of the Python package, a page with Timeline: here the two are held together, and
// with them every figure of accuracy, which is read the same way.
const folder = mkdtempSync(join(tmpdir(), "anchord-reading-"));
after(() => rmSync(folder, { recursive: true }));
const root = join(import.meta.dirname, "..", "..");

/** Numbers that look random and are the same in every run. */
function random(seed) {
	return () => {
		seed = (seed * 1103515245 + 12345) % 2 ** 31;
		return seed / 2 ** 31;
	};
}

const anchor = (cx, cy, w, h, roll) => ({ x: cx - w / 2, y: cy - h / 2, w, h, cx, cy, roll });

/** A whole timeline, as anchord writes one: samples at uneven times, rolls that go round and round. */
function timeline({ seed, count, isClosed, startMs = 0, gaps = 0, halfTurns = false, reference }) {
	const next = random(seed);
	const frames = [];
	let time_ms = startMs;
	for (let i = 0; i < count; i++) {
		const roll = halfTurns ? (i % 2) * 180 - 360 * (i % 3) : 400 * next() - 200;
		const part = () => anchor(512 * next(), 640 * next(), 40 + 80 * next(), 20 + 40 * next(), roll);
		frames.push({ frame: 3 * i, time_ms, status: "tracked", mouth: part(), eyes: part() });
		time_ms += 20 + 100 * next();
	}
	const duration_ms = time_ms - startMs;
	const holes = Array.from({ length: gaps }, (_, i) => {
		const from = startMs + (duration_ms * (i + 0.3)) / gaps;
		return [from, from + (0.3 * duration_ms) / gaps];
	});
	const sha256 = "0".repeat(64);
	return {
		version: 1,
		source: {
			video: "idle.webm",
			fps: 25,
			frame_count: 3 * count,
			width: 512,
			height: 640,
			sample_every_n_frames: 3,
			duration_ms,
			start_ms: startMs,
			variable_frame_rate: true,
			rotation: 0,
			alpha: false,
			codec: "vp9",
			size: 1,
			mtime_us: 1,
			sha256,
		},
		target: { width: 512, height: 640, fit: "contain" },
		config: {
			mouth_padding: 1.5,
			eyes_padding: 1.3,
			precision: 2,
			max_gap_ms: 500,
			follow: "auto",
			smoothing: "auto",
		},
		generator: { name: "anchord", version: "0", method: 1, model_sha256: sha256, settings_sha256: sha256 },
		loop: { closed: isClosed, seam_px: null },
		quality: {
			coverage: 1,
			samples: count,
			faces: count,
			gaps: holes,
			longest_gap_ms: 0,
			jitter_px: null,
			face_height: null,
			warnings: [],
		},
		reference,
		frames,
	};
}

const KINDS = {
	open: { seed: 1, count: 60, isClosed: false },
	closed: { seed: 2, count: 60, isClosed: true },
	"open, later start": { seed: 3, count: 50, isClosed: false, startMs: 533.3 },
	"closed, later start": { seed: 4, count: 50, isClosed: true, startMs: 533.3 },
	"open with gaps": { seed: 5, count: 80, isClosed: false, gaps: 4 },
	"closed with gaps": { seed: 6, count: 80, isClosed: true, startMs: 40, gaps: 4 },
	"rolls half a turn apart": { seed: 7, count: 30, isClosed: true, halfTurns: true },
	"with a reference": { seed: 12, count: 40, isClosed: true, reference: { time_ms: 500 } },
	"with a reference of its own": {
		seed: 13,
		count: 40,
		isClosed: true,
		reference: { time_ms: 0, mouth: anchor(250, 450, 100, 50, 3) },
	},
	"two samples": { seed: 8, count: 2, isClosed: true },
	"one sample": { seed: 9, count: 1, isClosed: false },
	"one sample, closed": { seed: 10, count: 1, isClosed: true },
	"no sample": { seed: 11, count: 0, isClosed: false },
};

/** As in testing/reading.py. */
const STATICS = {
	mouth: { cx: 256, cy: 460, w: 160, h: 120, roll: 0 },
	eyes: { cx: 256, cy: 280, w: 232, h: 80, roll: 4 },
};
const valuesOf = ({ cx, cy, w, h, roll }) => [cx, cy, w, h, roll];

/** Times everywhere, also before and behind the clip, at every sample, at both ends of every gap. */
function timesOf({ source, frames, quality }) {
	const next = random(99);
	const all = Array.from({ length: 1000 }, () => source.start_ms - 500 + (source.duration_ms + 1500) * next());
	return [
		...all,
		...frames.map(({ time_ms }) => time_ms),
		...quality.gaps.flat(),
		source.start_ms + source.duration_ms,
	];
}

const file = (name, content) => {
	const path = join(folder, name);
	writeFileSync(path, JSON.stringify(content));
	return path;
};

test("anchor_at() of the Python package reads as the page does, at thousands of times", async (t) => {
	const made = Object.entries(KINDS).map(([name, kind], i) => {
		const json = timeline(kind);
		const times = timesOf(json);
		return { name, json, times, files: [file(`${i}.json`, json), file(`${i}.times.json`, times)] };
	});
	const said = execFileSync(
		process.env.PYTHON ?? "python3",
		["-m", "testing.reading", ...made.flatMap(({ files }) => files)],
		{ cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 },
	);
	const read = JSON.parse(said);
	let compared = 0;
	for (const [i, { name, json, times }] of made.entries()) {
		await t.test(name, () => {
			const line = new Timeline(json);
			const references = json.frames.length ? referenceOf(line, STATICS) : null;
			for (const part of ["mouth", "eyes"]) {
				times.forEach((time, k) => {
					const out = { cx: 0, cy: 0, w: 0, h: 0, roll: 0 };
					const seen = line.anchorAt(part, time, out);
					compared++;
					// The same operations in the same order, so not even the last bit differs.
					assert.deepEqual(read[i][part][k], seen ? valuesOf(out) : null, `${part} at ${time}`);
					if (!references) return;
					// Sine and cosine are each library's own.
					const sprite = read[i].placed[part][k];
					if (!seen) return assert.equal(sprite, null);
					place(out, references[part], STATICS[part]);
					valuesOf(out).forEach((value, n) => {
						assert.ok(Math.abs(value - sprite[n]) < 1e-9, `${part} placed at ${time}: ${valuesOf(out)}, ${sprite}`);
					});
				});
			}
		});
	}
	t.diagnostic(`${compared} anchors compared`);
	assert.ok(compared > 20000);
});
