/**
 * Small offsets a person sets by eye, on top of whichever anchor is in use; calibrating.js sets them.
 *
 * @typedef {import("./timeline.js").Anchor} Anchor
 * @typedef {import("./timeline.js").Part} Part
 * @typedef {{x: number, y: number, w: number, h: number}} Offset
 */

/** @param {any} value @returns {Offset} */
export const offset = (value) => ({
	x: Number(value?.x) || 0,
	y: Number(value?.y) || 0,
	w: Number(value?.w) || 0,
	h: Number(value?.h) || 0,
});

export class Calibration {
	/**
	 * @param {string} id The avatar's.
	 * @param {any} [preset] The manifest's `calibration`.
	 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} [storage] None: nothing is kept.
	 */
	constructor(id, preset, storage = null) {
		this.key = `anchord.calibration.${id}`;
		this.preset = preset;
		this.storage = storage;
		let kept = null;
		try {
			kept = JSON.parse(storage?.getItem(this.key) ?? "null");
		} catch {
			// Unreadable or forbidden storage is no storage.
		}
		const start = kept ?? preset;
		/** @type {Record<Part, Offset>} */
		this.offsets = { mouth: offset(start?.mouth), eyes: offset(start?.eyes) };
		/** @type {Part} */
		this.part = "mouth";
	}

	/** Move *anchor*, in its own turned frame, so that it stays put on a face that turns. @param {Part} part @param {Anchor} anchor */
	apply(part, anchor) {
		const { x, y, w, h } = this.offsets[part];
		if (x || y) {
			const roll = (anchor.roll * Math.PI) / 180;
			anchor.cx += x * Math.cos(roll) - y * Math.sin(roll);
			anchor.cy += x * Math.sin(roll) + y * Math.cos(roll);
		}
		anchor.w = Math.max(1, anchor.w + w);
		anchor.h = Math.max(1, anchor.h + h);
	}
}
