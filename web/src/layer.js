import { feather, opacityOf } from "./mask.js";

/**
 * One part's sprites over the picture: cross-faded, masked, turned.
 *
 * @import { Anchor, Cell } from "./types.js"
 */
export class Layer {
	shiftX = 0;
	shiftY = 0;
	/** Whether the mix must be made anew. */
	isStale = true;

	/**
	 * @param {any} part Of the manifest.
	 * @param {Cell[]} cells
	 * @param {HTMLImageElement | null} mask
	 */
	constructor(part, cells, mask) {
		const [{ w: width, h: height }] = cells;
		this.cells = cells;
		this.names = cells.map(({ name }) => name);
		/** Share of each cell in the mix; they sum to 1. */
		this.weights = new Float64Array(cells.length);
		/** The sprites' size over the anchor's: a jaw drops below the lips' box. */
		this.cover = { w: 1, h: 1, ...part.cover };
		this.mask = surface(width, height);
		if (mask) this.mask.drawImage(mask, 0, 0, width, height);
		const pixels = this.mask.getImageData(0, 0, width, height);
		const opacity = mask ? opacityOf(pixels.data) : new Float32Array(width * height).fill(1);
		feather(opacity, width, height, part.featherPx ?? 0);
		opacity.forEach((share, i) => {
			pixels.data[4 * i + 3] = 255 * share;
		});
		this.mask.putImageData(pixels, 0, 0);
		this.mix = surface(width, height);
		this.blend = part.blendMode;
	}

	/** Move *share* (0–1) of what is left to go to the cell *target*. @param {number} target @param {number} share */
	fade(target, share) {
		const { weights } = this;
		const before = weights[target];
		if (before === 1) return;
		const now = Math.min(1, before + share);
		for (let i = 0; i < weights.length; i++) weights[i] = i === target ? now : (weights[i] * (1 - now)) / (1 - before);
		this.isStale = true;
	}

	/** @param {string} name Of a cell; where there is none, the picture below shows. @param {number} weight */
	weigh(name, weight) {
		const i = this.names.indexOf(name);
		if (i < 0 || this.weights[i] === weight) return;
		this.weights[i] = weight;
		this.isStale = true;
	}

	/** Shift the sprite behind its mask, in its own pixels. @param {number} x @param {number} y */
	shift(x, y) {
		if (this.shiftX === x && this.shiftY === y) return;
		this.shiftX = x;
		this.shiftY = y;
		this.isStale = true;
	}

	#remix() {
		const { mix, mask, cells, weights } = this;
		const { width, height } = mix.canvas;
		mix.clearRect(0, 0, width, height);
		// Adding shares keeps the mix opaque all the way; laying one over the other would not.
		mix.globalCompositeOperation = "lighter";
		for (let i = 0; i < cells.length; i++) {
			if (weights[i] < 1 / 512) continue; // nothing of it would show
			mix.globalAlpha = weights[i];
			const { image, x, w, h } = cells[i];
			mix.drawImage(image, x, 0, w, h, this.shiftX, this.shiftY, width, height);
		}
		mix.globalCompositeOperation = "destination-in";
		mix.globalAlpha = 1;
		mix.drawImage(mask.canvas, 0, 0);
		this.isStale = false;
	}

	/**
	 * @param {CanvasRenderingContext2D} context
	 * @param {Anchor} anchor
	 * @param {number} scale Canvas pixels in a target pixel.
	 * @param {number} x @param {number} y Where the target's origin lies, in canvas pixels.
	 */
	draw(context, anchor, scale, x, y) {
		if (this.isStale) this.#remix();
		const roll = (anchor.roll * Math.PI) / 180;
		const c = scale * Math.cos(roll);
		const s = scale * Math.sin(roll);
		context.setTransform(c, s, -s, c, x + scale * anchor.cx, y + scale * anchor.cy);
		const w = anchor.w * this.cover.w;
		const h = anchor.h * this.cover.h;
		context.globalCompositeOperation = "source-over";
		// A name that it does not know, such as "normal", leaves a canvas as it is.
		context.globalCompositeOperation = this.blend;
		context.drawImage(this.mix.canvas, -w / 2, -h / 2, w, h);
	}
}

/** @param {number} width @param {number} height */
function surface(width, height) {
	const canvas = Object.assign(document.createElement("canvas"), { width, height });
	return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}
