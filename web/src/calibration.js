/**
 * Small offsets a person sets by eye, on top of whichever anchor is in use; calibrating.js sets them.
 *
 * @import { Anchor, Offset, Part } from "./types.js"
 */
export class Calibration {
	/** The part that is being calibrated. @type {Part} */
	part = "mouth";

	/**
	 * @param {string} id The avatar's.
	 * @param {any} [preset] The manifest's `calibration`.
	 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} [storage] The browser's, unless given.
	 */
	constructor(id, preset, storage) {
		this.key = `anchord.calibration.${id}`;
		this.preset = preset;
		let start = preset;
		try {
			this.storage = storage ?? localStorage;
			start = JSON.parse(this.storage.getItem(this.key) ?? "null") ?? preset;
		} catch {
			// Storage is forbidden in some frames and private windows, and may be spoilt.
		}
		this.offsets = offsetsOf(start);
	}

	/** Move *anchor*, in its own turned frame, so that it stays put on a face that turns. @param {Part} part @param {Anchor} anchor */
	apply(part, anchor) {
		const { x, y, w, h } = this.offsets[part];
		const roll = (anchor.roll * Math.PI) / 180;
		anchor.cx += x * Math.cos(roll) - y * Math.sin(roll);
		anchor.cy += x * Math.sin(roll) + y * Math.cos(roll);
		anchor.w = Math.max(1, anchor.w + w);
		anchor.h = Math.max(1, anchor.h + h);
	}
}

/** Of both parts, whole whatever is in *json*. @param {any} json @returns {Record<Part, Offset>} */
export function offsetsOf(json) {
	/** @param {any} part @returns {any} */
	const whole = (part) => Object.fromEntries(["x", "y", "w", "h"].map((key) => [key, Number(part?.[key]) || 0]));
	return { mouth: whole(json?.mouth), eyes: whole(json?.eyes) };
}
