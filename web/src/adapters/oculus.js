import { steady } from "./strongest.js";
import { asCues, numberOf } from "./visemes.js";

/**
 * The 15 visemes of Oculus Lipsync, which Ready Player Me, VRChat and others share, and VRM's five. Either timed names,
 * `{t_ms, name: "PP"}`, or frames of weights, `{t_ms, weights: {aa: 0.8, …}}` or, in the order below, `[0, 0.8, …]`.
 *
 * Source: Meta, "Viseme Reference" of Oculus Lipsync; VRM 1.0, "Expressions" (aa ih ou ee oh).
 *
 * @import { Cue } from "../types.js"
 * @import { Viseme } from "./visemes.js"
 */

/** In the order in which frames list them. @type {Record<string, Viseme>} */
const VISEMES = {
	sil: "REST",
	PP: "REST", // p b m
	FF: "FF", // f v
	TH: "TH", // th
	DD: "EE", // t d
	kk: "EE", // k g
	CH: "OO", // tʃ dʒ ʃ
	SS: "EE", // s z
	nn: "EE", // n l
	RR: "OO", // r
	aa: "AA", // car
	E: "EE", // bed
	ih: "EE", // tip
	oh: "OH", // toe
	ou: "OO", // book
};
const ORDER = Object.keys(VISEMES);
/** Other spellings: Ready Player Me's prefix, Meta's newer I O U, VRM's ee and VRM 0's A I U E O. @type {Record<string, string>} */
const ALIASES = { I: "ih", O: "oh", U: "ou", A: "aa", ee: "ih", neutral: "sil" };

/** @param {string} name @returns {Viseme} */
function visemeOf(name) {
	const bare = name.replace(/^viseme_/, "");
	return VISEMES[ALIASES[bare] ?? bare] ?? "REST";
}

/**
 * @param {readonly {t_ms: number, name?: string, weights?: readonly number[] | Record<string, number>}[]} frames
 * @returns {Cue[]}
 * @throws {CuesError}
 */
export function cuesFromOculus(frames) {
	const timed = frames.map(({ t_ms, name, weights }, i) => {
		const at = numberOf(t_ms, `frame ${i}: t_ms`);
		if (name !== undefined) return { t_ms: at, shares: { [visemeOf(name)]: 1 } };
		/** @type {[string, number][]} */
		const pairs = Array.isArray(weights)
			? ORDER.map((key, k) => [key, numberOf(weights[k], `frame ${i}: ${key}`)])
			: Object.entries(weights ?? {});
		/** @type {Record<string, number>} */
		const shares = {};
		for (const [key, weight] of pairs) {
			const viseme = visemeOf(key);
			// Shapes that look alike are one: the strongest of them speaks for all.
			shares[viseme] = Math.max(shares[viseme] ?? 0, weight);
		}
		return { t_ms: at, shares };
	});
	return asCues(steady(timed));
}
