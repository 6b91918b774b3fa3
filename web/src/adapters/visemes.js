/**
 * What the tables of all formats share: the pack's seven mouth shapes, and a list of cues made of timed shapes.
 *
 * REST lips together or at rest, AA wide open, EE spread and nearly shut, OH round and open, OO round and small,
 * FF the lower lip at the teeth, TH the tongue between them.
 *
 * @import { Cue } from "../types.js"
 * @typedef {"REST" | "AA" | "EE" | "OH" | "OO" | "FF" | "TH"} Viseme
 */

/**
 * Cues in order, each shape once, and the mouth at rest at the end.
 *
 * @param {{t_ms: number, viseme: string}[]} shapes In any order.
 * @param {number} [endMs] When the last one is over, where that is known.
 * @returns {Cue[]}
 */
export function asCues(shapes, endMs) {
	const sorted = shapes.map(({ t_ms, viseme }) => ({ t_ms: Math.round(t_ms), viseme }));
	sorted.sort((a, b) => a.t_ms - b.t_ms);
	if (endMs !== undefined && sorted.length)
		sorted.push({ t_ms: Math.max(Math.round(endMs), sorted[sorted.length - 1].t_ms), viseme: "REST" });
	// Of two at one time the later word counts.
	const last = sorted.filter(({ t_ms }, i) => t_ms !== sorted[i + 1]?.t_ms);
	return last.filter(({ viseme }, i) => viseme !== last[i - 1]?.viseme);
}

/** The input is none that can be read as the format it seems to be; the message says why. */
export class CuesError extends TypeError {}

/** @param {unknown} value @param {string} name @returns {number} @throws {CuesError} */
export function numberOf(value, name) {
	const number = typeof value === "string" && value.trim() ? Number(value) : value;
	if (typeof number === "number" && Number.isFinite(number)) return number;
	throw new CuesError(`${name} is ${JSON.stringify(value)}, not a number`);
}
