/** How much of a sprite shows at each pixel. Pure: numbers in, numbers out. */

/** Opacity (0–1) from RGBA: the alpha where any of it is used, else how bright. @param {Uint8ClampedArray} rgba */
export function opacityOf(rgba) {
	const usesAlpha = rgba.some((value, i) => i % 4 === 3 && value < 255);
	return Float32Array.from({ length: rgba.length / 4 }, (_, i) => {
		const p = 4 * i;
		return (usesAlpha ? rgba[p + 3] : 0.299 * rgba[p] + 0.587 * rgba[p + 1] + 0.114 * rgba[p + 2]) / 255;
	});
}

/**
 * Soften *opacity* over about *px* pixels and let it run out towards the rim, so that no edge of a sprite shows.
 *
 * @param {Float32Array} opacity Row by row, changed in place.
 * @param {number} width
 * @param {number} height
 * @param {number} px
 */
export function feather(opacity, width, height, px) {
	const radius = Math.round(px / 2);
	// Three box blurs are a Gaussian to the eye, at a cost that does not grow with the radius.
	for (let pass = 0; radius > 0 && pass < 3; pass++) {
		for (let y = 0; y < height; y++) blurLine(opacity, y * width, 1, width, radius);
		for (let x = 0; x < width; x++) blurLine(opacity, x, width, height, radius);
	}
	for (let i = 0; i < opacity.length; i++) {
		const x = i % width;
		const y = (i - x) / width;
		const rim = Math.min(x, y, width - 1 - x, height - 1 - y) + 0.5;
		if (rim < px) opacity[i] *= rim / px;
	}
}

/** @param {Float32Array} values @param {number} from @param {number} step @param {number} count @param {number} radius */
function blurLine(values, from, step, count, radius) {
	const line = Float32Array.from({ length: count }, (_, i) => values[from + i * step]);
	/** @param {number} i */
	const at = (i) => line[Math.min(count - 1, Math.max(0, i))];
	let sum = 0;
	for (let i = -radius; i <= radius; i++) sum += at(i);
	for (let i = 0; i < count; i++) {
		values[from + i * step] = sum / (2 * radius + 1);
		sum += at(i + radius + 1) - at(i - radius);
	}
}
