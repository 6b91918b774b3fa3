import { feather, opacityOf } from "./mask.js";

/**
 * One part's sprites over the picture: one at a time, masked, turned. Two in one picture would be two mouths.
 *
 * @import { Anchor, Cell } from "./types.js"
 */
export class Layer {
	shiftX = 0;
	shiftY = 0;
	/** Of the cell that is shown; -1 is none. */
	shown = -1;
	/** Whether what is shown must be made anew. */
	isStale = true;
	/** What puts the sprite into the light of its face. @type {(() => void) | null} */
	tint = null;

	/**
	 * @param {any} part Of the manifest.
	 * @param {Cell[]} cells
	 * @param {HTMLImageElement | null} mask
	 */
	constructor(part, cells, mask) {
		const [{ w: width, h: height }] = cells;
		this.cells = cells;
		this.names = cells.map(({ name }) => name);
		/** The sprites' size over the tracked box, in packs that say it; others have it from the static anchor. */
		this.cover = part.cover ? { w: 1, h: 1, ...part.cover } : null;
		this.mask = surface(width, height);
		if (mask) this.mask.drawImage(mask, 0, 0, width, height);
		const pixels = this.mask.getImageData(0, 0, width, height);
		const opacity = mask ? opacityOf(pixels.data) : new Float32Array(width * height).fill(1);
		feather(opacity, width, height, part.featherPx ?? 0);
		opacity.forEach((share, i) => {
			pixels.data[4 * i + 3] = 255 * share;
		});
		this.mask.putImageData(pixels, 0, 0);
		this.sprite = surface(width, height);
		this.blend = part.blendMode;
	}

	/** @param {number} cell Its index; -1 shows the picture below. */
	show(cell) {
		if (cell === this.shown) return;
		this.shown = cell;
		this.isStale = true;
	}

	/** Shift the sprite behind its mask, in its own pixels. @param {number} x @param {number} y */
	shift(x, y) {
		if (this.shiftX === x && this.shiftY === y) return;
		this.shiftX = x;
		this.shiftY = y;
		this.isStale = true;
	}

	#cut() {
		const { sprite, mask, cells } = this;
		const { width, height } = sprite.canvas;
		const { image, x, w, h } = cells[this.shown];
		sprite.globalCompositeOperation = "copy";
		sprite.drawImage(image, x, 0, w, h, this.shiftX, this.shiftY, width, height);
		this.tint?.();
		sprite.globalCompositeOperation = "destination-in";
		sprite.drawImage(mask.canvas, 0, 0);
	}

	/**
	 * @param {CanvasRenderingContext2D} context
	 * @param {Anchor} anchor
	 * @param {number} scale Canvas pixels in a target pixel.
	 * @param {number} x @param {number} y Where the target's origin lies, in canvas pixels.
	 */
	draw(context, anchor, scale, x, y) {
		if (this.isStale && this.shown >= 0) this.#cut();
		this.isStale = false;
		if (this.shown < 0) return;
		const roll = (anchor.roll * Math.PI) / 180;
		const c = scale * Math.cos(roll);
		const s = scale * Math.sin(roll);
		context.setTransform(c, s, -s, c, x + scale * anchor.cx, y + scale * anchor.cy);
		const w = anchor.w * (this.cover?.w ?? 1);
		const h = anchor.h * (this.cover?.h ?? 1);
		context.globalCompositeOperation = "source-over";
		// A name that it does not know, such as "normal", leaves a canvas as it is.
		context.globalCompositeOperation = this.blend;
		context.drawImage(this.sprite.canvas, -w / 2, -h / 2, w, h);
	}
}

/** @param {number} width @param {number} height */
function surface(width, height) {
	const canvas = Object.assign(document.createElement("canvas"), { width, height });
	return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}
