/**
 * One part's sprites over the picture: cross-faded, masked, turned.
 *
 * @typedef {import("./pack.js").Sprites} Sprites
 * @typedef {import("./timeline.js").Anchor} Anchor
 */
export class Layer {
	/** @param {Sprites} sprites */
	constructor(sprites) {
		this.sprites = sprites;
		this.canvas = document.createElement("canvas");
		this.canvas.width = sprites.width;
		this.canvas.height = sprites.height;
		this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
		/** Share of each cell in the mix; they sum to 1. */
		this.weights = new Float64Array(sprites.cells.length);
		this.shiftX = 0;
		this.shiftY = 0;
		this.isStale = true;
	}

	/** Move *share* (0–1) of what is left to go to the cell *target*. @param {number} target @param {number} share */
	fade(target, share) {
		const { weights } = this;
		if (weights[target] === 1) return;
		const now = Math.min(1, weights[target] + share);
		const rest = (1 - now) / (1 - weights[target]);
		for (let i = 0; i < weights.length; i++) weights[i] = i === target ? now : weights[i] * rest;
		this.isStale = true;
	}

	/** @param {number} i @param {number} weight */
	weigh(i, weight) {
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

	#mix() {
		const { context, sprites, weights } = this;
		const { width, height, cells } = sprites;
		context.globalCompositeOperation = "source-over";
		context.globalAlpha = 1;
		context.clearRect(0, 0, width, height);
		// Adding shares keeps the mix opaque all the way; laying one over the other would not.
		context.globalCompositeOperation = "lighter";
		for (let i = 0; i < cells.length; i++) {
			if (weights[i] === 0) continue;
			context.globalAlpha = weights[i];
			context.drawImage(cells[i].image, cells[i].x, 0, width, height, this.shiftX, this.shiftY, width, height);
		}
		context.globalCompositeOperation = "destination-in";
		context.globalAlpha = 1;
		context.drawImage(sprites.mask, 0, 0);
		this.isStale = false;
	}

	/**
	 * @param {CanvasRenderingContext2D} context
	 * @param {Anchor} anchor
	 * @param {number} scale Canvas pixels in a target pixel.
	 * @param {number} x
	 * @param {number} y Where the target's origin lies, in canvas pixels.
	 */
	draw(context, anchor, scale, x, y) {
		if (this.isStale) this.#mix();
		const roll = (anchor.roll * Math.PI) / 180;
		const c = scale * Math.cos(roll);
		const s = scale * Math.sin(roll);
		context.setTransform(c, s, -s, c, x + scale * anchor.cx, y + scale * anchor.cy);
		const { blend, cover } = this.sprites;
		const w = anchor.w * cover.w;
		const h = anchor.h * cover.h;
		context.globalCompositeOperation = blend;
		context.drawImage(this.canvas, -w / 2, -h / 2, w, h);
	}

	destroy() {
		this.canvas.width = this.canvas.height = 0;
	}
}
