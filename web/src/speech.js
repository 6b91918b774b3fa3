/**
 * Text to mouth shapes, by the letters: near enough for lips to look busy with the right things. A voice's own
 * timing, where there is one, only has to shift the words.
 *
 * @import { Cue } from "./types.js"
 */

/** Letters to a viseme and how long it lasts; longest first. @type {[RegExp, string, number][]} */
const SOUNDS = [
	[/^(th)/, "TH", 80],
	[/^(ph|[fv]+)/, "FF", 90],
	[/^([mbp]+)/, "REST", 80],
	[/^(oo|ou|ow|ew|w|u+)/, "OO", 110],
	[/^(oa|oh|o)/, "OH", 120],
	[/^(ee|ea|ie|ei|ay|ai|[eiy])/, "EE", 100],
	[/^(au|aw|a+h?)/, "AA", 120],
	[/^(sh|ch|[qr])/, "OO", 70],
	[/^([ldtn]+)/, "TH", 60],
	[/^(\p{L})/u, "EE", 65],
];
const DIGITS = "zero one two three four five six seven eight nine".split(" ");

/** @param {string} text */
const spoken = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

/**
 * @param {string} text
 * @param {number} [rate] 1 is about 160 words a minute.
 * @returns {{cues: Cue[], words: {index: number, t_ms: number}[], durationMs: number}} Words are named by
 *   their place in *text*, as a voice's boundary events name them.
 */
export function cuesFromText(text, rate = 1) {
	/** @type {Cue[]} */
	const cues = [];
	/** @type {{index: number, t_ms: number}[]} */
	const words = [];
	let t_ms = 0;
	/** @param {string} viseme @param {number} ms */
	const say = (viseme, ms) => {
		if (cues.at(-1)?.viseme !== viseme) cues.push({ t_ms: Math.round(t_ms), viseme });
		t_ms += ms / rate;
	};
	for (const match of text.matchAll(/([\p{L}\p{M}'’]+)|(\d)|([.!?…:;]+)|(,|–|—)|(\s+)/gu)) {
		const [all, word, digit, stop, pause] = match;
		if (word || digit) {
			words.push({ index: match.index ?? 0, t_ms: Math.round(t_ms) });
			let rest = word ? spoken(word) : DIGITS[Number(digit)];
			while (rest) {
				const sound = SOUNDS.find(([letters]) => letters.test(rest));
				if (sound) say(sound[1], sound[2]);
				rest = rest.slice(sound ? (sound[0].exec(rest)?.[0].length ?? 1) : 1);
			}
		} else if (stop) say("REST", 380);
		else if (pause) say("REST", 200);
		else if (all) t_ms += 40 / rate; // between two words lips do not close
	}
	say("REST", 0);
	return { cues, words, durationMs: Math.round(t_ms) };
}
