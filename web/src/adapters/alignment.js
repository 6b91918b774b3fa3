import { cuesFromText } from "../speech.js";
import { cuesFromPhonemes } from "./phonemes.js";
import { asCues, CuesError, numberOf } from "./visemes.js";

/**
 * Text with times: ElevenLabs' `alignment` (`{characters, character_start_times_seconds, …}`, over its WebSocket
 * `{chars, charStartTimesMs, charDurationsMs}`), Inworld's `timestampInfo`, and words with times as Kokoro and others
 * give them (`{word, start_time, end_time}`, with `phonemes` where they are known).
 *
 * Letters are read as `speech.js` reads a text, word by word, and spread over each word's own time.
 *
 * Source: ElevenLabs' API reference, "Create speech with timing"; Kokoro-FastAPI, `/dev/captioned_speech`.
 *
 * @import { Cue } from "../types.js"
 */

/** @typedef {{text: string, fromMs: number, toMs: number, phonemes?: string}} Word */

/** @param {Word[]} words @returns {Cue[]} */
function cuesFromWords(words) {
	/** @type {{t_ms: number, viseme: string}[]} */
	const shapes = [];
	words.forEach(({ text, fromMs, toMs, phonemes }, i) => {
		const stretch = (/** @type {Cue[]} */ cues, /** @type {number} */ lengthMs) => {
			for (const { t_ms, viseme } of cues) {
				if (t_ms < lengthMs) shapes.push({ t_ms: fromMs + (t_ms * (toMs - fromMs)) / lengthMs, viseme });
			}
		};
		if (phonemes) {
			shapes.push(
				...cuesFromPhonemes([{ t_ms: fromMs, end_ms: toMs, phoneme: phonemes }]).filter(({ t_ms }) => t_ms < toMs),
			);
		} else {
			const { cues, durationMs } = cuesFromText(text.replace(/[^\p{L}\p{M}\p{N}'’]+/gu, ""));
			if (durationMs) stretch(cues, durationMs);
		}
		const next = words[i + 1]?.fromMs;
		if (next === undefined || next - toMs > 60) shapes.push({ t_ms: toMs, viseme: "REST" });
	});
	return asCues(shapes);
}

/** Letters to words: what is between two spaces. @param {string[]} letters @param {number[]} fromMs @param {number[]} toMs */
function wordsOf(letters, fromMs, toMs) {
	if (letters.length !== fromMs.length || letters.length !== toMs.length) {
		throw new CuesError(
			`${letters.length} characters, ${fromMs.length} starts and ${toMs.length} ends do not belong together`,
		);
	}
	/** @type {Word[]} */
	const words = [];
	let isOpen = false;
	letters.forEach((letter, i) => {
		const isLetter = /[\p{L}\p{M}\p{N}'’]/u.test(letter);
		if (isLetter && isOpen) {
			const word = words[words.length - 1];
			word.text += letter;
			word.toMs = toMs[i];
		} else if (isLetter) words.push({ text: letter, fromMs: fromMs[i], toMs: toMs[i] });
		isOpen = isLetter;
	});
	return words;
}

/** @param {unknown} list @param {string} name @param {number} [factor] @returns {number[]} */
function times(list, name, factor = 1000) {
	if (!Array.isArray(list)) throw new CuesError(`${name} is not a list`);
	return list.map((value, i) => factor * numberOf(value, `${name}[${i}]`));
}

/** @param {any} json An alignment, or the whole answer that holds one. @returns {Cue[]} @throws {CuesError} */
export function cuesFromAlignment(json) {
	const all =
		json.normalized_alignment ??
		json.alignment ??
		json.normalizedAlignment ??
		json.timestampInfo?.characterAlignment ??
		json;
	if (all.chars) {
		const from = times(all.charStartTimesMs, "charStartTimesMs", 1);
		const lengths = times(all.charDurationsMs, "charDurationsMs", 1);
		return cuesFromWords(
			wordsOf(
				all.chars,
				from,
				from.map((ms, i) => ms + lengths[i]),
			),
		);
	}
	const from = all.character_start_times_seconds ?? all.characterStartTimesSeconds ?? all.characterStartTimeSeconds;
	const to = all.character_end_times_seconds ?? all.characterEndTimesSeconds ?? all.characterEndTimeSeconds;
	return cuesFromWords(
		wordsOf(all.characters, times(from, "character_start_times_seconds"), times(to, "character_end_times_seconds")),
	);
}

/** @param {readonly any[]} list `{word, start_time, end_time}` or `{text, start_ts, end_ts, phonemes}`, seconds. @returns {Cue[]} */
export function cuesFromTimedWords(list) {
	const words = list.flatMap((entry, i) => {
		const [from] = [entry.start_time, entry.start_ts, entry.start].filter((time) => time !== undefined);
		const [to] = [entry.end_time, entry.end_ts, entry.end].filter((time) => time !== undefined);
		// Kokoro gives marks of punctuation no time.
		if (from === null || to === null) return [];
		const fromMs = 1000 * numberOf(from, `words[${i}]: start`);
		const toMs = 1000 * numberOf(to, `words[${i}]: end`);
		return [{ text: String(entry.word ?? entry.text), fromMs, toMs, phonemes: entry.phonemes }];
	});
	return cuesFromWords(words.filter(({ text, phonemes }) => phonemes || /[\p{L}\p{N}]/u.test(text)));
}
