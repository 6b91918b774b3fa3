import { checkedCues } from "../cues.js";
import { cuesFromAlignment, cuesFromTimedWords } from "./alignment.js";
import { cuesFromArkit, cuesFromArkitCsv, cuesFromAudio2Face } from "./arkit.js";
import { cuesFromAzure } from "./azure.js";
import { cuesFromOculus } from "./oculus.js";
import { cuesFromPhonemes } from "./phonemes.js";
import { cuesFromPolly } from "./polly.js";
import { cuesFromRhubarb, cuesFromRhubarbTsv } from "./rhubarb.js";
import { CuesError } from "./visemes.js";

/**
 * Lip-sync formats that speech services and tools write, as cues. A new one is a room beside these and a row below.
 *
 * @import { Cue } from "../types.js"
 */

export { cuesFromAlignment, cuesFromTimedWords } from "./alignment.js";
export { cuesFromArkit, cuesFromArkitCsv, cuesFromAudio2Face } from "./arkit.js";
export { cuesFromAzure } from "./azure.js";
export { cuesFromOculus } from "./oculus.js";
export { cuesFromPhonemes, visemesOfPhoneme } from "./phonemes.js";
export { cuesFromPolly } from "./polly.js";
export { cuesFromRhubarb, cuesFromRhubarbTsv } from "./rhubarb.js";
export { CuesError } from "./visemes.js";

/** Whether any name among *weights* is ARKit's; Oculus' are never longer than two letters. @param {any} weights */
const isArkit = (weights) =>
	Array.isArray(weights)
		? weights.length > 15
		: Object.keys(weights ?? {}).some((name) => /^(jaw|mouth|eye|brow)/i.test(name));

/** How a list's first entry tells the format. @type {[(entry: any) => boolean, (list: any) => Cue[]][]} */
const LISTS = [
	[(entry) => entry.viseme !== undefined, checked],
	[(entry) => entry.visemeId !== undefined || entry.audioOffset !== undefined, cuesFromAzure],
	[(entry) => entry.phoneme !== undefined, cuesFromPhonemes],
	[
		(entry) => entry.word !== undefined || entry.start_ts !== undefined || entry.start_time !== undefined,
		cuesFromTimedWords,
	],
	[(entry) => entry.weights !== undefined && isArkit(entry.weights), cuesFromArkit],
	[(entry) => entry.weights !== undefined || entry.name !== undefined, cuesFromOculus],
	[
		(entry) => entry.type !== undefined && entry.time !== undefined,
		(marks) => cuesFromPolly(marks.map((/** @type {any} */ mark) => JSON.stringify(mark)).join("\n")),
	],
];

/** @type {[(json: any) => boolean, (json: any) => Cue[]][]} */
const OBJECTS = [
	[(json) => Array.isArray(json.mouthCues), cuesFromRhubarb],
	[(json) => Array.isArray(json.weightMat), cuesFromAudio2Face],
	[(json) => Array.isArray(json.timestamps), (json) => cuesFromTimedWords(json.timestamps)],
	[
		(json) =>
			Boolean(
				json.characters ??
				json.chars ??
				json.alignment ??
				json.normalized_alignment ??
				json.timestampInfo?.characterAlignment,
			),
		cuesFromAlignment,
	],
];

/** @param {any} list @returns {Cue[]} */
function checked(list) {
	return [...checkedCues(list)];
}

/** @param {string} text @returns {Cue[]} */
function cuesFromFile(text) {
	if (/^\s*\{.*\}\s*$/m.test(text.split(/\r?\n/, 1)[0]) && /"type"\s*:/.test(text)) return cuesFromPolly(text);
	if (/^\s*[[{]/.test(text)) return cuesFrom(JSON.parse(text));
	if (/^\s*\d+(\.\d+)?\t/.test(text)) return cuesFromRhubarbTsv(text);
	if (/^[^\n]*jawOpen/i.test(text)) return cuesFromArkitCsv(text);
	throw new CuesError(`no lip-sync format begins with ${JSON.stringify(text.slice(0, 40))}`);
}

/**
 * Cues from whatever a speech service or a lip-sync tool gave: its file as text, or what was parsed from it.
 *
 * @param {any} input
 * @returns {Cue[]}
 * @throws {TypeError} It is none of the formats, or not a good one of them.
 */
export function cuesFrom(input) {
	if (typeof input === "string") return cuesFromFile(input);
	if (Array.isArray(input)) {
		if (!input.length) return [];
		const [first] = input;
		const found = first && typeof first === "object" && LISTS.find(([is]) => is(first));
		if (found) return found[1](input);
		return checked(input); // which says what is wrong with it
	}
	const found = input && typeof input === "object" && OBJECTS.find(([is]) => is(input));
	if (found) return found[1](input);
	throw new CuesError(`no lip-sync format looks like ${JSON.stringify(input)?.slice(0, 60)}`);
}
