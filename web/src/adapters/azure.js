import { cuesFromArkit } from "./arkit.js";
import { asCues, numberOf } from "./visemes.js";

/**
 * Azure Speech's viseme events as the SDK for JavaScript gives them, gathered in a list: `{audioOffset, visemeId}`;
 * offsets are ticks of 100 ns. Events with blend shapes instead carry an `animation`: JSON with frames at 60 Hz.
 *
 * Source: Microsoft, "Get facial position with viseme" (22 ids; the table's phonemes stand beside each).
 *
 * @import { Cue } from "../types.js"
 * @import { Viseme } from "./visemes.js"
 */

/** By id. @type {Viseme[]} */
const VISEMES = [
	"REST", // 0 silence
	"AA", // 1 æ ə ʌ
	"AA", // 2 ɑ
	"OH", // 3 ɔ
	"EE", // 4 ɛ ʊ
	"OO", // 5 ɝ
	"EE", // 6 j i ɪ
	"OO", // 7 w u
	"OH", // 8 o
	"AA", // 9 aʊ
	"OH", // 10 ɔɪ
	"AA", // 11 aɪ
	"AA", // 12 h
	"OO", // 13 ɹ
	"TH", // 14 l: the tongue's tip is seen
	"EE", // 15 s z
	"OO", // 16 ʃ tʃ dʒ ʒ
	"TH", // 17 ð
	"FF", // 18 f v
	"EE", // 19 d t n θ
	"EE", // 20 k g ŋ
	"REST", // 21 p b m
];
const TICKS_IN_A_MS = 10_000;
/** Of an animation's frames. */
const FPS = 60;

/**
 * @param {readonly {audioOffset: number, visemeId: number, animation?: string}[]} events
 * @returns {Cue[]}
 * @throws {CuesError}
 */
export function cuesFromAzure(events) {
	const animations = events.flatMap(({ animation }) =>
		animation?.trim().startsWith("{") ? [JSON.parse(animation)] : [],
	);
	if (animations.length) {
		const frames = animations.flatMap(({ FrameIndex, BlendShapes }) =>
			BlendShapes.map((/** @type {number[]} */ weights, /** @type {number} */ i) => ({
				t_ms: ((numberOf(FrameIndex, "FrameIndex") + i) * 1000) / FPS,
				weights,
			})),
		);
		return cuesFromArkit(frames);
	}
	return asCues(
		events.map(({ audioOffset, visemeId }, i) => ({
			t_ms: numberOf(audioOffset, `event ${i}: audioOffset`) / TICKS_IN_A_MS,
			viseme: VISEMES[numberOf(visemeId, `event ${i}: visemeId`)] ?? "REST",
		})),
	);
}
