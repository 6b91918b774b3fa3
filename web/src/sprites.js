import { Layer } from "./layer.js";

/**
 * Mouth and eyes, which nobody needs before there is a face: they and their code come beside the video.
 *
 * @import { Folder } from "./pack.js"
 * @import { Pack } from "./types.js"
 */

/** What of a manifest's part is its own word, and not merely usual. @param {any} json @param {string} part @param {string} key */
const isNamed = (json, part, key) => typeof json?.[part]?.[key] === (key === "frames" ? "object" : "string");

/** @param {Folder} folder @param {Pack} pack Gets what is there. */
export async function loadSprites(folder, pack) {
	const { mouth, eyes } = folder.manifest;
	const isWhole = folder.isFound;
	/** @param {"mouth" | "eyes"} part @param {string} key @param {string} name */
	const picture = (part, key, name) =>
		// Where there is not even a face, nobody has made a mouth for it.
		isWhole ? folder.picture(name, isNamed(folder.json, part, key), "low") : (folder.absent.add(name), null);
	const [sheet, mouthMask, eyesMask, ...lids] = await Promise.all([
		picture("mouth", "spritesheet", mouth.spritesheet),
		picture("mouth", "mask", mouth.mask),
		picture("eyes", "mask", eyes.mask),
		...Object.values(eyes.frames).map((name) => picture("eyes", "frames", name)),
	]);
	/** @type {string[]} */
	const visemes = mouth.visemes;
	const shapes = visemes.flatMap((name, i) => {
		const { frameWidth: w, frameHeight: h } = mouth;
		return sheet && (i + 1) * w <= sheet.width ? [{ name, image: sheet, x: i * w, w, h }] : [];
	});
	const states = Object.keys(eyes.frames).flatMap((name, i) => {
		const image = lids[i];
		return image ? [{ name, image, x: 0, w: image.width, h: image.height }] : [];
	});
	pack.mouth = shapes.length ? new Layer(mouth, shapes, mouthMask) : null;
	pack.eyes = states.length ? new Layer(eyes, states, eyesMask) : null;
}

/**
 * What is not there: a fault where the pack names it, else a hint.
 *
 * @param {Folder} folder
 * @returns {{fault: string, hint: string}} Empty where there is none.
 */
export function lackOf({ missing, absent, isFound }) {
	const hint = isFound
		? `the pack has no ${[...absent].join(", ")}`
		: "the pack has a video only: it is followed, but does not speak until anchord sprites has made mouth and eyes";
	return {
		fault: missing.size ? `missing, or not a picture: ${[...missing].join(", ")}` : "",
		hint: absent.size ? hint : "",
	};
}
