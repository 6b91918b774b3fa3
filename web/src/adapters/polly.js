import { asCues, CuesError, numberOf } from "./visemes.js";

/**
 * Amazon Polly's speech marks: one JSON object a line, `{"time": 6, "type": "viseme", "value": "p"}`; times in ms.
 * Words, sentences and SSML marks among them are left out.
 *
 * Source: Amazon Polly Developer Guide, "Speech mark output" and "Phoneme/viseme tables" (en-US).
 *
 * @import { Cue } from "../types.js"
 * @import { Viseme } from "./visemes.js"
 */

/** @type {Record<string, Viseme>} */
const VISEMES = {
	sil: "REST",
	p: "REST", // p b m
	t: "EE", // t d n l
	S: "OO", // ʃ tʃ dʒ ʒ
	T: "TH", // θ ð
	f: "FF", // f v
	k: "EE", // k g h j ŋ
	r: "OO", // r
	s: "EE", // s z
	u: "OO", // w u ʊ
	"@": "AA", // ə ɚ
	a: "AA", // a æ aɪ aʊ ɑ
	e: "EE", // eɪ
	E: "EE", // ɛ ɜ ʌ
	i: "EE", // i ɪ
	o: "OH", // oʊ
	O: "OH", // ɔ ɔɪ
};

/** @param {string} lines @returns {Cue[]} @throws {CuesError} */
export function cuesFromPolly(lines) {
	const shapes = [];
	const rows = lines.split(/\r?\n/).filter((line) => line.trim());
	for (const [i, line] of rows.entries()) {
		let mark;
		try {
			mark = JSON.parse(line);
		} catch {
			throw new CuesError(`line ${i + 1} of the speech marks is not JSON`);
		}
		if (mark?.type !== "viseme") continue;
		shapes.push({ t_ms: numberOf(mark.time, `line ${i + 1}: time`), viseme: VISEMES[mark.value] ?? "REST" });
	}
	return asCues(shapes);
}
