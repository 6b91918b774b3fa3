/**
 * The light on the face, which overlays are to be in too. Loaded where a timeline tells of it.
 *
 * @import { Compositor } from "./compositor.js"
 * @import { Layer } from "./layer.js"
 * @import { Timeline } from "./timeline.js"
 *
 * @typedef {[number, number, number]} Rgb Red, green, blue: the skin's colour over its usual one; 1 is as usual.
 */

/** A canvas has 256 levels: less cannot be seen. */
const STEP = 1 / 256;

/**
 * Keep a compositor's sprites in the light of its timeline, from now on.
 *
 * @param {Compositor} compositor @param {Timeline} timeline
 */
export function light(compositor, timeline) {
	const lights = lightsIn(timeline.json.frames);
	// Another timeline may have come while this was loaded.
	if (!lights || compositor.placed !== timeline || !compositor.pack) return;
	const { mouth, eyes } = compositor.pack.manifest;
	compositor.lighting = new Lighting(lights, { mouth: mouth?.light, eyes: eyes?.light });
}

/** Keeps the sprites of one timeline in its light. */
export class Lighting {
	/** @type {Rgb} */
	#now = [1, 1, 1];
	/** The light that each layer is in. @type {WeakMap<Layer, Rgb>} */
	#shown = new WeakMap();

	/**
	 * @param {NonNullable<ReturnType<typeof lightsIn>>} lights
	 * @param {{mouth?: any, eyes?: any}} made The light that each part's sprites were made in.
	 */
	constructor(lights, made) {
		/** @type {typeof lights | null} */
		this.lights = lights;
		this.made = { mouth: asRgb(made.mouth), eyes: asRgb(made.eyes) };
	}

	/** @param {number} timeMs @param {Layer | null} mouth @param {Layer | null} eyes */
	apply(timeMs, mouth, eyes) {
		if (this.lights) lightAt(this.lights, timeMs, this.#now);
		if (mouth) this.#light(mouth, this.made.mouth);
		if (eyes) this.#light(eyes, this.made.eyes);
	}

	/** @param {Layer} layer @param {Rgb} made */
	#light(layer, made) {
		const before = this.#shown.get(layer);
		const now = this.#now;
		if (before && now.every((share, k) => Math.abs(share - before[k]) < STEP)) return;
		this.#shown.set(layer, [...now]);
		const found = tint(now, made);
		layer.tint = found && (() => paint(layer, found));
		layer.isStale = true;
	}
}

/** @param {any} light @returns {Rgb} */
const asRgb = (light) => [light?.r ?? 1, light?.g ?? 1, light?.b ?? 1];

/** Lay a tint over a layer's sprite. @param {Layer} layer @param {{darker: string, brighter: string}} tint */
function paint({ sprite, cells, shown, shiftX, shiftY }, { darker, brighter }) {
	const { width, height } = sprite.canvas;
	for (const [how, colour] of /** @type {const} */ ([
		["multiply", darker],
		["color-dodge", brighter],
	])) {
		sprite.globalCompositeOperation = how;
		sprite.fillStyle = colour;
		sprite.fillRect(0, 0, width, height);
	}
	// That filled the sprite's clear parts, too.
	const { image, x, w, h } = cells[shown];
	sprite.globalCompositeOperation = "destination-in";
	sprite.drawImage(image, x, 0, w, h, shiftX, shiftY, width, height);
}

/**
 * Where a timeline has `light`, by time; null where it has none.
 *
 * @param {any[]} frames Of the timeline.
 * @returns {{times: Float64Array, values: Float64Array} | null}
 */
export function lightsIn(frames) {
	const lit = frames.filter(({ light }) => light && [light.r, light.g, light.b].every((share) => share > 0));
	if (!lit.length) return null;
	return {
		times: Float64Array.from(lit, ({ time_ms }) => time_ms),
		values: Float64Array.from(lit.flatMap(({ light: { r, g, b } }) => [r, g, b])),
	};
}

/**
 * Put the light at *timeMs* into *out*: straight between samples, and as at the nearest one before and after all.
 *
 * @param {{times: Float64Array, values: Float64Array}} lights
 * @param {number} timeMs
 * @param {Rgb} out
 */
export function lightAt({ times, values }, timeMs, out) {
	let next = 0;
	while (next < times.length - 1 && times[next] < timeMs) next++;
	const before = Math.max(0, next - 1);
	const span = times[next] - times[before];
	const share = span ? Math.min(1, Math.max(0, (timeMs - times[before]) / span)) : 0;
	for (let k = 0; k < 3; k++) out[k] = values[3 * before + k] * (1 - share) + values[3 * next + k] * share;
}

/**
 * What must be laid over a sprite that was made in the light *made* to be in the light *now*: a colour to multiply by,
 * for what gets darker, and one to dodge by, for what gets brighter. Null where nobody would see it.
 *
 * @param {Rgb} now @param {Rgb} made
 * @returns {{darker: string, brighter: string} | null}
 */
export function tint(now, made) {
	const gains = now.map((value, k) => value / (made[k] || 1));
	if (gains.every((gain) => Math.abs(gain - 1) < STEP)) return null;
	/** @param {(gain: number) => number} level */
	const colour = (level) => `rgb(${gains.map((gain) => Math.round(255 * level(gain))).join(" ")})`;
	// Dodging divides by what is left of white.
	return { darker: colour((gain) => Math.min(1, gain)), brighter: colour((gain) => 1 - 1 / Math.max(1, gain)) };
}
