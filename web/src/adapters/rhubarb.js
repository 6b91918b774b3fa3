import { asCues, CuesError, numberOf } from "./visemes.js";

/**
 * Rhubarb Lip Sync's TSV (`0.05<tab>D` a line) and JSON (`{mouthCues: [{start, end, value}]}`); times in seconds.
 *
 * Source: Rhubarb's README, "Mouth shapes" and "Output formats".
 *
 * @import { Cue } from "../types.js"
 * @import { Viseme } from "./visemes.js"
 */

/** @type {Record<string, Viseme>} */
const VISEMES = {
	X: "REST", // idle
	A: "REST", // p b m
	B: "EE", // k s t, and ee: teeth together
	C: "EE", // men, bat: open, not wide
	D: "AA", // father: wide open
	E: "OH", // off, bird: slightly round
	F: "OO", // you, show: puckered
	G: "FF", // f v
	H: "TH", // long l: the tongue's tip up
};

/** @param {string} text @returns {Cue[]} @throws {CuesError} */
export function cuesFromRhubarbTsv(text) {
	const rows = text.split(/\r?\n/).filter((line) => line.trim());
	return asCues(
		rows.map((row, i) => {
			const [start, shape] = row.split("\t");
			return { t_ms: 1000 * numberOf(start, `line ${i + 1}: time`), viseme: VISEMES[shape?.trim()] ?? "REST" };
		}),
	);
}

/** @param {{mouthCues: {start: number, end: number, value: string}[]}} json @returns {Cue[]} @throws {CuesError} */
export function cuesFromRhubarb({ mouthCues }) {
	if (!Array.isArray(mouthCues)) throw new CuesError("mouthCues is not a list");
	const shapes = mouthCues.map(({ start, value }, i) => ({
		t_ms: 1000 * numberOf(start, `mouthCues[${i}].start`),
		viseme: VISEMES[value] ?? "REST",
	}));
	const last = mouthCues[mouthCues.length - 1];
	return asCues(shapes, last && 1000 * numberOf(last.end, "the last cue's end"));
}
