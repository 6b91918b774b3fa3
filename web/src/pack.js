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

/** One avatar's folder, as it is being loaded. */
export class Folder {
	/** @type {Set<string>} Pictures that the manifest names and that are not there. */
	missing = new Set();
	/** @type {Set<string>} Pictures that a pack usually has, and this one has not. */
	absent = new Set();
	isFound = false;
	/** @type {any} */
	json = {};
	manifest = completeManifest({});

	/** @param {string} url With a slash at its end. @param {AbortSignal} signal */
	constructor(url, signal) {
		this.url = url;
		this.signal = signal;
	}

	/** Read manifest.json. @returns {Promise<string>} What is wrong with it; empty where it is right, or not there. */
	async readManifest() {
		try {
			const response = await fetch(`${this.url}manifest.json`, { cache: "no-cache", signal: this.signal });
			if (response.status === 404) return "";
			if (!response.ok) throw new Error(`status ${response.status}`);
			this.json = await response.json();
			this.isFound = true;
			this.manifest = completeManifest(this.json);
			return "";
		} catch (error) {
			this.signal.throwIfAborted();
			return `manifest.json: ${/** @type {Error} */ (error).message}; the usual names are used`;
		}
	}

	/**
	 * @param {string} name
	 * @param {boolean} isNamed Whether the pack itself says that there is such a picture.
	 * @param {"high" | "low"} priority
	 * @returns {Promise<HTMLImageElement | null>}
	 */
	async picture(name, isNamed, priority) {
		const { version } = this.manifest;
		// Sprites are cached for long; a pack's new version is a new address.
		const src = this.url + name + (version ? `?v=${encodeURIComponent(version)}` : "");
		const image = Object.assign(new Image(), { crossOrigin: "anonymous", fetchPriority: priority, src });
		try {
			await image.decode();
			this.isFound = true;
			return image;
		} catch {
			(isNamed ? this.missing : this.absent).add(name);
			return null;
		} finally {
			this.signal.throwIfAborted();
		}
	}

	/** The still face. @returns {Promise<Pack>} What can be drawn as soon as it is there. */
	async loadBase() {
		const { base, mouth, eyes } = this.manifest;
		return {
			manifest: this.manifest,
			base: await this.picture(base.src, typeof this.json?.base?.src === "string", "high"),
			mouth: null,
			eyes: null,
			statics: { mouth: staticAnchor(mouth.anchor), eyes: staticAnchor(eyes.anchor) },
		};
	}
}
