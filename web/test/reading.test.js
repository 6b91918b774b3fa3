import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Timeline } from "../src/timeline.js";

// Figures of accuracy are read "as our page does", by a second reader in Python: here the two are held together.
const folder = mkdtempSync(join(tmpdir(), "anchord-reading-"));
after(() => rmSync(folder, { recursive: true }));
const root = join(import.meta.dirname, "..", "..");
const file = (name, content) => {
	const path = join(folder, name);
	writeFileSync(path, JSON.stringify(content));
	return path;
};

const anchor = (i, by) => {
	const cx = 200 + 30 * Math.sin(i * by);
	const cy = 300 + 9 * Math.cos(2 * i * by);
	return { x: cx - 40, y: cy - 20, w: 80 + i, h: 40, cx, cy, roll: 175 + 9 * Math.sin(i) - (i % 2 ? 360 : 0) };
};
const TIMES = [500, 600, 640, 760, 800, 1000, 1100, 1300, 1333, 1500];
const timeline = (closed, gaps) => ({
	version: 1,
	source: { duration_ms: 1150 },
	target: { width: 512, height: 640, fit: "contain" },
	loop: { closed },
	quality: { gaps },
	frames: TIMES.map((time_ms, i) => ({
		frame: 3 * i,
		time_ms,
		status: "tracked",
		mouth: anchor(i, 0.6),
		eyes: anchor(i, 0.4),
	})),
});

for (const [name, closed, gaps] of [
	["open", false, []],
	["closed", true, []],
	["gap", false, [[810, 990]]],
	["closed_gap", true, [[810, 990]]],
]) {
	test(`figures are read as the page reads: ${name}`, () => {
		const json = timeline(closed, gaps);
		const times = Array.from({ length: 130 }, (_, i) => 480 + 9.3 * i);
		const said = execFileSync(
			process.env.PYTHON ?? "python3",
			["-m", "testing.reading", file(`${name}.json`, json), file(`${name}.times.json`, times)],
			{ cwd: root, encoding: "utf8" },
		);
		const read = JSON.parse(said);
		const line = new Timeline(json);
		for (const part of ["mouth", "eyes"]) {
			times.forEach((time, i) => {
				const out = { cx: 0, cy: 0, w: 0, h: 0, roll: 0 };
				if (!line.anchorAt(part, time, out)) return assert.equal(read[part][i], null);
				[out.cx, out.cy, out.w, out.h, out.roll].forEach((value, k) => {
					assert.ok(Math.abs(value - read[part][i][k]) < 1e-6, `${part} at ${time}: ${value}, ${read[part][i]}`);
				});
			});
		}
	});
}
