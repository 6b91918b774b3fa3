import { Layer } from "./layer.js";

/**
 * An avatar's folder as the page draws it. Whatever is missing gets named and is left out: half an avatar is
 * better than none.
 *
 * @import { Anchor, Pack } from "./types.js"
 */

/** What a manifest leaves out: the names and places packs in use have. */
const USUAL = {
	base: { src: "base_face.png", width: 512, height: 640 },
	mouth: {
		spritesheet: "mouth_sprites.png",
		mask: "mouth_mask.png",
		frameWidth: 160,
		frameHeight: 120,
		featherPx: 8,
		visemes: ["REST", "AA", "EE", "OH", "OO", "FF", "TH"],
		anchor: { x: 176, y: 400, w: 160, h: 120 },
	},
	eyes: {
		frames: { open: "eyes_open.png", half: "eyes_half.png", closed: "eyes_closed.png" },
		mask: "eyes_mask.png",
		anchor: { x: 140, y: 240, w: 232, h: 80 },
		featherPx: 6,
	},
	pupil: { enabled: false, maxOffsetX: 8, maxOffsetY: 6 },
};

/** A manifest with nothing missing. @param {any} json @returns {any} */
export function completeManifest(json) {
	return {
		...json,
		base: { ...USUAL.base, ...json?.base },
		mouth: { ...USUAL.mouth, ...json?.mouth },
		eyes: { ...USUAL.eyes, ...json?.eyes, pupil: { ...USUAL.pupil, ...json?.eyes?.pupil } },
	};
}

/** The video the manifest names, under either of its two names. @param {any} manifest @returns {string | undefined} */
export const idleVideo = (manifest) => manifest.base.idleVideo ?? manifest.idleVideo;

/** A static anchor, upright unless it says otherwise. @param {any} box @returns {Anchor} */
export const staticAnchor = ({ x, y, w, h, roll = 0 }) => ({ cx: x + w / 2, cy: y + h / 2, w, h, roll });

/**
 * @param {string} url Of the folder, with a slash at its end.
 * @param {AbortSignal} signal
 * @param {(message: string) => void} problem
 * @returns {Promise<Pack>}
 */
export async function loadPack(url, signal, problem) {
	let json = {};
	try {
		const response = await fetch(`${url}manifest.json`, { cache: "no-cache", signal });
		if (!response.ok) throw new Error(`it is not there (${response.status})`);
		json = await response.json();
	} catch (error) {
		signal.throwIfAborted();
		problem(`manifest.json: ${/** @type {Error} */ (error).message}; the usual names and places are used`);
	}
	const manifest = completeManifest(json);
	const { base, mouth, eyes } = manifest;
	// Sprites are cached for long; a pack's new version is a new address.
	const version = manifest.version ? `?v=${encodeURIComponent(manifest.version)}` : "";
	/** @type {string[]} */
	const missing = [];
	/** @param {string} name @returns {Promise<HTMLImageElement | null>} */
	const picture = async (name) => {
		const image = Object.assign(new Image(), { crossOrigin: "anonymous", src: url + name + version });
		await image.decode().catch(() => missing.push(name));
		return missing.includes(name) ? null : image;
	};
	const [face, sheet, mouthMask, eyesMask, ...lids] = await Promise.all(
		[base.src, mouth.spritesheet, mouth.mask, eyes.mask, ...Object.values(eyes.frames)].map(picture),
	);
	signal.throwIfAborted();
	if (missing.length) problem(`missing, or not a picture: ${missing.join(", ")}`);
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
	return {
		manifest,
		base: face,
		mouth: shapes.length ? new Layer(mouth, shapes, mouthMask) : null,
		eyes: states.length ? new Layer(eyes, states, eyesMask) : null,
		statics: { mouth: staticAnchor(mouth.anchor), eyes: staticAnchor(eyes.anchor) },
	};
}
