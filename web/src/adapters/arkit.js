import { steady } from "./strongest.js";
import { asCues, CuesError, numberOf } from "./visemes.js";

/**
 * Blend shapes by ARKit's 52 names: frames `{t_ms, weights: {jawOpen: 0.4, …}}` or with weights in ARKit's order,
 * NVIDIA Audio2Face's JSON (`{exportFps, facsNames, weightMat}`) and CSV (`timeCode,blendShapes.JawOpen,…`), Epic's
 * Live Link Face CSV (`Timecode,BlendshapeCount,…,JawOpen,…`), and Azure's frames of 55.
 *
 * Source: Apple, ARFaceAnchor.BlendShapeLocation; Microsoft, "Get facial position with viseme", which lists the order.
 *
 * @import { Cue } from "../types.js"
 */

/** The mouth's, by their places in the order that Azure and Live Link share. @type {Record<string, number>} */
const PLACES = {
	jawForward: 14,
	jawOpen: 17,
	mouthClose: 18,
	mouthFunnel: 19,
	mouthPucker: 20,
	mouthSmileLeft: 23,
	mouthSmileRight: 24,
	mouthStretchLeft: 29,
	mouthStretchRight: 30,
	mouthRollLower: 31,
	mouthRollUpper: 32,
	mouthPressLeft: 35,
	mouthPressRight: 36,
	mouthLowerDownLeft: 37,
	mouthLowerDownRight: 38,
	mouthUpperUpLeft: 39,
	mouthUpperUpRight: 40,
	tongueOut: 51,
};

/**
 * How much a face looks like each mouth. Lips that are parted by *gap* are open; *round* and *wide* say how. The factors
 * are guesses, good enough for faces as Apple's pictures show them.
 *
 * @param {(name: string) => number} of A weight, 0–1.
 */
function sharesOf(of) {
	const both = (/** @type {string} */ name) => (of(`${name}Left`) + of(`${name}Right`)) / 2;
	const round = Math.max(of("mouthPucker"), of("mouthFunnel"));
	const parted = 0.6 * Math.max(both("mouthLowerDown"), both("mouthUpperUp"));
	// mouthClose is how far the lips stay together while the jaw opens.
	const gap = Math.max(0, Math.max(of("jawOpen"), parted) - of("mouthClose"));
	const wide = Math.max(both("mouthStretch"), 0.6 * both("mouthSmile"), parted);
	const rolled = Math.max(0, of("mouthRollLower") - of("mouthRollUpper"));
	const shut = Math.max(of("mouthClose"), both("mouthPress"), Math.min(of("mouthRollLower"), of("mouthRollUpper")));
	return {
		REST: 0.6 * shut,
		AA: 1.6 * gap * (1 - round) - 0.4 * wide,
		EE: 0.5 * wide + 0.9 * Math.min(gap, 0.25) * (1 - round),
		OH: 1.5 * Math.min(gap, round) + 0.1 * of("mouthFunnel"),
		OO: 0.9 * round - 1.1 * gap,
		FF: 1.1 * rolled,
		TH: 0.9 * of("tongueOut"),
	};
}

/**
 * @param {readonly {t_ms: number, weights: readonly number[] | Record<string, number>}[]} frames
 * @returns {Cue[]}
 * @throws {CuesError}
 */
export function cuesFromArkit(frames) {
	const timed = frames.map(({ t_ms, weights }, i) => {
		/** @type {Record<string, number>} */
		const named = {};
		// Apple writes jawOpen, Live Link JawOpen.
		if (!Array.isArray(weights)) {
			for (const [name, weight] of Object.entries(weights ?? {})) named[name[0].toLowerCase() + name.slice(1)] = weight;
		}
		const of = (/** @type {string} */ name) =>
			Number((Array.isArray(weights) ? weights[PLACES[name]] : named[name]) ?? 0) || 0;
		return { t_ms: numberOf(t_ms, `frame ${i}: t_ms`), shares: sharesOf(of) };
	});
	return asCues(steady(timed));
}

/**
 * @param {{exportFps: number, facsNames: string[], weightMat: number[][]}} json
 * @returns {Cue[]}
 * @throws {CuesError}
 */
export function cuesFromAudio2Face({ exportFps, facsNames, weightMat }) {
	const fps = numberOf(exportFps, "exportFps");
	if (!Array.isArray(facsNames) || !Array.isArray(weightMat))
		throw new CuesError("facsNames and weightMat are no lists");
	return cuesFromArkit(
		weightMat.map((row, i) => ({
			t_ms: (1000 * i) / fps,
			weights: Object.fromEntries(facsNames.map((name, k) => [name, row[k]])),
		})),
	);
}

/** Live Link writes hours:minutes:seconds:frame.part; its phones record at 60 Hz. @param {string} code @param {string} name */
function timecodeMs(code, name) {
	const parts = code.split(":").map((part) => numberOf(part, name));
	if (parts.length < 4) throw new CuesError(`${name} is ${JSON.stringify(code)}, not a timecode`);
	const [hours, minutes, seconds, frame] = parts;
	return 1000 * (3600 * hours + 60 * minutes + seconds + frame / 60);
}

/** @param {string} text @returns {Cue[]} @throws {CuesError} */
export function cuesFromArkitCsv(text) {
	const [head, ...rows] = text.split(/\r?\n/).filter((line) => line.trim());
	const names = head.split(",").map((name) => name.trim().replace(/^blendShapes\./, ""));
	let startMs = 0;
	return cuesFromArkit(
		rows.map((row, i) => {
			const cells = row.split(",");
			const name = `row ${i + 1}: ${names[0]}`;
			const isClock = cells[0].includes(":");
			const ms = isClock ? timecodeMs(cells[0], name) : 1000 * numberOf(cells[0], name);
			// A clock's time is the day's: the recording begins with its first row.
			if (isClock && i === 0) startMs = ms;
			return { t_ms: ms - startMs, weights: Object.fromEntries(names.map((key, k) => [key, Number(cells[k]) || 0])) };
		}),
	);
}
