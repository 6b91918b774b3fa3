import { feather, opacityOf } from "./mask.js";

/**
 * An avatar's folder as the page draws it. Whatever is missing gets a name in `problems` and is left out:
 * half an avatar is better than none.
 *
 * @typedef {import("./timeline.js").Anchor} Anchor
 * @typedef {import("./timeline.js").Part} Part
 *
 * @typedef {object} Sprites One part's pictures, all of one size, and how they are laid on.
 * @property {string[]} names
 * @property {{image: CanvasImageSource, x: number}[]} cells
 * @property {HTMLCanvasElement} mask
 * @property {number} width
 * @property {number} height
 * @property {GlobalCompositeOperation} blend
 * @property {{w: number, h: number}} cover The sprites' size over the anchor's: a jaw drops below the lips' box.
 *
 * @typedef {object} Pack
 * @property {any} manifest
 * @property {HTMLImageElement | null} base
 * @property {Record<Part, Sprites | null>} sprites
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
		pupil: { enabled: false, maxOffsetX: 8, maxOffsetY: 6 },
		featherPx: 6,
	},
};

/** A manifest with nothing missing. @param {any} json @returns {any} */
export function completeManifest(json) {
	return {
		...json,
		base: { ...USUAL.base, ...json?.base },
		mouth: { ...USUAL.mouth, ...json?.mouth },
		eyes: { ...USUAL.eyes, ...json?.eyes, pupil: { ...USUAL.eyes.pupil, ...json?.eyes?.pupil } },
		mapping: { ...json?.mapping },
	};
}

/** The video the manifest names, under either of its two names. @param {any} manifest @returns {string | undefined} */
export const idleVideo = (manifest) => manifest.base.idleVideo ?? manifest.idleVideo;

/** A static anchor, upright unless it says otherwise. @param {any} box @returns {Anchor} */
export function staticAnchor({ x, y, w, h, roll = 0 }) {
	return { cx: x + w / 2, cy: y + h / 2, w, h, roll };
}

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
	// Sprites are cached for long; a pack's new version is a new address.
	const version = manifest.version ? `?v=${encodeURIComponent(manifest.version)}` : "";
	/** @type {string[]} */
	const missing = [];
	/** @param {string} name @returns {Promise<HTMLImageElement | null>} */
	const picture = async (name) => {
		const image = new Image();
		image.crossOrigin = "anonymous";
		image.src = url + name + version;
		try {
			await image.decode();
			return image;
		} catch {
			missing.push(name);
			return null;
		}
	};
	const { mouth, eyes } = manifest;
	const states = Object.keys(eyes.frames);
	const [base, sheet, mouthMask, eyesMask, ...lids] = await Promise.all(
		[manifest.base.src, mouth.spritesheet, mouth.mask, eyes.mask, ...Object.values(eyes.frames)].map(picture),
	);
	signal.throwIfAborted();
	if (missing.length) problem(`missing, or not a picture: ${missing.join(", ")}`);
	const { frameWidth, frameHeight } = mouth;
	const visemes = mouth.visemes.filter(
		(/** @type {string} */ _, /** @type {number} */ i) => sheet && (i + 1) * frameWidth <= sheet.width,
	);
	const seen = states.filter((_, i) => lids[i]);
	const eye = lids.find((lid) => lid);
	return {
		manifest,
		base,
		sprites: {
			mouth:
				sheet && visemes.length
					? {
							names: visemes,
							cells: visemes.map((/** @type {string} */ _, /** @type {number} */ i) => ({
								image: sheet,
								x: i * frameWidth,
							})),
							...laidOn(mouth, mouthMask, frameWidth, frameHeight, problem),
						}
					: null,
			eyes: eye
				? {
						names: seen,
						cells: lids.flatMap((image) => (image ? [{ image, x: 0 }] : [])),
						...laidOn(eyes, eyesMask, eye.width, eye.height, problem),
					}
				: null,
		},
	};
}

/** @param {any} part @param {HTMLImageElement | null} image @param {number} width @param {number} height @param {(message: string) => void} problem */
function laidOn(part, image, width, height, problem) {
	const mask = document.createElement("canvas");
	mask.width = width;
	mask.height = height;
	const context = /** @type {CanvasRenderingContext2D} */ (mask.getContext("2d"));
	if (image) context.drawImage(image, 0, 0, width, height);
	const pixels = context.getImageData(0, 0, width, height);
	const opacity = image ? opacityOf(pixels.data) : new Float32Array(width * height).fill(1);
	feather(opacity, width, height, part.featherPx ?? 0);
	opacity.forEach((share, i) => {
		pixels.data[4 * i + 3] = 255 * share;
	});
	context.putImageData(pixels, 0, 0);
	const { blendMode = "normal", cover } = part;
	// A canvas keeps to what it had where it does not know a name.
	if (blendMode !== "normal") context.globalCompositeOperation = blendMode;
	const blend = context.globalCompositeOperation;
	if (blend !== blendMode && blendMode !== "normal") problem(`blendMode ${blendMode} is not known; normal is used`);
	return { mask, width, height, blend, cover: { w: cover?.w ?? 1, h: cover?.h ?? 1 } };
}
