/** How much of a sprite shows at each pixel. Pure: numbers in, numbers out. */

/** Opacity (0–1) from RGBA pixels: their alpha where any of it is used, else how bright they are. @param {Uint8ClampedArray} rgba */
export function opacityOf(rgba) {
	const opacity = new Float32Array(rgba.length / 4);
	let usesAlpha = false;
	for (let i = 3; i < rgba.length && !usesAlpha; i += 4) usesAlpha = rgba[i] < 255;
	for (let i = 0, p = 0; i < opacity.length; i++, p += 4) {
		opacity[i] = (usesAlpha ? rgba[p + 3] : 0.299 * rgba[p] + 0.587 * rgba[p + 1] + 0.114 * rgba[p + 2]) / 255;
	}
	return opacity;
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
	if (radius > 0) {
		// Three box blurs are a Gaussian to the eye, at a cost that does not grow with the radius.
		for (let pass = 0; pass < 3; pass++) {
			for (let y = 0; y < height; y++) blurLine(opacity, y * width, 1, width, radius);
			for (let x = 0; x < width; x++) blurLine(opacity, x, width, height, radius);
		}
	}
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const rim = Math.min(x, y, width - 1 - x, height - 1 - y) + 0.5;
			if (rim < px) opacity[y * width + x] *= rim / px;
		}
	}
}

/** @param {Float32Array} values @param {number} from @param {number} step @param {number} count @param {number} radius */
function blurLine(values, from, step, count, radius) {
	const line = new Float32Array(count);
	/** @param {number} i */
	const at = (i) => values[from + Math.min(count - 1, Math.max(0, i)) * step];
	let sum = 0;
	for (let i = -radius; i <= radius; i++) sum += at(i);
	for (let i = 0; i < count; i++) {
		line[i] = sum / (2 * radius + 1);
		sum += at(i + radius + 1) - at(i - radius);
	}
	for (let i = 0; i < count; i++) values[from + i * step] = line[i];
}
