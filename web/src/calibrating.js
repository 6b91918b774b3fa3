import { offsetsOf } from "./calibration.js";

/**
 * Setting a calibration by keys, keeping it in the browser, and handing it on.
 *
 * @import { Calibration } from "./calibration.js"
 */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Do what a key says: arrows move, Shift+arrows resize, Tab goes from mouth to eyes and then on, R goes back to the pack's own.
 *
 * @param {Calibration} calibration
 * @param {{key: string, shiftKey: boolean}} pressed
 * @returns {boolean} Whether the key meant something.
 */
export function press(calibration, { key, shiftKey }) {
	const { storage, preset, part } = calibration;
	const now = calibration.offsets[part];
	const isReset = key.toLowerCase() === "r";
	if (key === "Tab") {
		// Two stops in the page's order, mouth and eyes: from the last one Tab goes on to what comes after the avatar.
		const next = shiftKey ? "mouth" : "eyes";
		const isStep = next !== part;
		calibration.part = isStep ? next : "mouth";
		return isStep;
	}
	if (isReset) calibration.offsets = offsetsOf(preset);
	else if (!ARROWS[key]) return false;
	else {
		const [right, down] = ARROWS[key];
		now[shiftKey ? "w" : "x"] += right;
		if (shiftKey)
			now.h -= down; // Up makes it taller.
		else now.y += down;
	}
	try {
		if (isReset) storage?.removeItem(calibration.key);
		else storage?.setItem(calibration.key, JSON.stringify(calibration.offsets));
	} catch {
		// A full or forbidden storage must not stop the keys.
	}
	return true;
}

/** What can be pasted into the pack's manifest.json, and is then everybody's start. @param {Calibration} calibration */
export function toManifest({ offsets }) {
	return JSON.stringify({ calibration: offsets }, null, 2);
}
