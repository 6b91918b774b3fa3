import { asCues, numberOf } from "./visemes.js";

/**
 * Timed phonemes, in ARPAbet (CMUdict, Montreal Forced Aligner) or IPA (Kokoro, espeak-ng, Inworld and others).
 *
 * Source: Carnegie Mellon's ARPAbet of 39 phonemes; the IPA's chart of 2020, each sound by how the lips look.
 *
 * @import { Cue } from "../types.js"
 * @import { Viseme } from "./visemes.js"
 */

/** Without its stress. A diphthong is two shapes. @type {Record<string, Viseme[]>} */
const ARPABET = {
	AA: ["AA"],
	AE: ["AA"],
	AH: ["AA"],
	AO: ["OH"],
	AW: ["AA", "OO"],
	AX: ["AA"],
	AY: ["AA", "EE"],
	B: ["REST"],
	CH: ["OO"],
	D: ["EE"],
	DH: ["TH"],
	EH: ["EE"],
	ER: ["OO"],
	EY: ["EE"],
	F: ["FF"],
	G: ["EE"],
	HH: ["AA"],
	IH: ["EE"],
	IY: ["EE"],
	JH: ["OO"],
	K: ["EE"],
	L: ["TH"],
	M: ["REST"],
	N: ["EE"],
	NG: ["EE"],
	OW: ["OH", "OO"],
	OY: ["OH", "EE"],
	P: ["REST"],
	R: ["OO"],
	S: ["EE"],
	SH: ["OO"],
	T: ["EE"],
	TH: ["TH"],
	UH: ["OO"],
	UW: ["OO"],
	V: ["FF"],
	W: ["OO"],
	Y: ["EE"],
	Z: ["EE"],
	ZH: ["OO"],
};

/** Letters of the IPA by the shape they have. @type {Record<Viseme, string>} */
const IPA = {
	REST: "pbmɓʙ",
	FF: "fvɱʋⱱ",
	TH: "θðlɫɬɭʎʟ",
	OO: "wuʊʉyʏʍʃʒɹɻrɾʁɚɝɜʧʤɥʂʐ",
	OH: "oɔɒøœɵ",
	AA: "aæɑɐʌəɘɞɶhɦ",
	EE: "iɪeɛɨjɯɤtdnszkgɡŋɲcɟçxχɣqɢʔɕʑɴʈɖɳʦʣ",
};
/** @type {Map<string, Viseme>} */
const LETTERS = new Map(
	Object.entries(IPA).flatMap(([viseme, letters]) =>
		[...letters].map((letter) => /** @type {[string, Viseme]} */ ([letter, /** @type {Viseme} */ (viseme)])),
	),
);
/** Of Kokoro's own alphabet: diphthongs in one letter. @type {Record<string, Viseme[]>} */
const KOKORO = {
	A: ["EE"],
	I: ["AA", "EE"],
	O: ["OH", "OO"],
	Q: ["OH", "OO"],
	W: ["AA", "OO"],
	Y: ["OH", "EE"],
	ᵻ: ["EE"],
};

/** The shapes of one phoneme, or of several letters of the IPA; empty where it is only a sign. @param {string} symbol @returns {Viseme[]} */
export function visemesOfPhoneme(symbol) {
	const bare = symbol.trim();
	if (!bare || /^(sil|sp|spn|pau|<eps>|_|#)$/i.test(bare)) return ["REST"];
	const arpabet = ARPABET[bare.replace(/[0-2]$/, "")];
	if (arpabet) return arpabet;
	/** @type {Viseme[]} */
	const shapes = [];
	for (const letter of bare.normalize("NFD")) {
		const found = KOKORO[letter] ?? LETTERS.get(letter);
		// Stress, length, tone and the like have no shape of their own.
		if (found) shapes.push(...[found].flat());
	}
	return shapes;
}

/**
 * @param {readonly {t_ms: number, end_ms?: number, phoneme: string}[]} phonemes
 * @returns {Cue[]}
 * @throws {CuesError}
 */
export function cuesFromPhonemes(phonemes) {
	/** @type {{t_ms: number, viseme: string}[]} */
	const shapes = [];
	phonemes.forEach(({ t_ms, end_ms, phoneme }, i) => {
		const from = numberOf(t_ms, `phonemes[${i}].t_ms`);
		const to = end_ms ?? phonemes[i + 1]?.t_ms ?? from + 100;
		const visemes = visemesOfPhoneme(String(phoneme));
		visemes.forEach((viseme, k) => shapes.push({ t_ms: from + (k * (to - from)) / visemes.length, viseme }));
		// A pause that no phoneme fills is one.
		const next = phonemes[i + 1]?.t_ms;
		if (end_ms !== undefined && (next === undefined || next - end_ms > 60))
			shapes.push({ t_ms: end_ms, viseme: "REST" });
	});
	return asCues(shapes);
}
