/**
 * The light on the face, which overlays are to be in too. Plain functions, tested without a browser.
 *
 * @typedef {[number, number, number]} Rgb Red, green, blue: the skin's colour over its usual one; 1 is as usual.
 */

/** A canvas has 256 levels: less cannot be seen. */
const STEP = 1 / 256;

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
