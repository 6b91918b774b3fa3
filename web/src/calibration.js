/**
 * Small offsets a person sets by eye, on top of whichever anchor is in use. Kept in the browser per avatar;
 * what `toManifest` gives can be pasted into the pack's manifest.json, and is then everybody's start.
 *
 * @typedef {import("./timeline.js").Anchor} Anchor
 * @typedef {import("./timeline.js").Part} Part
 * @typedef {{x: number, y: number, w: number, h: number}} Offset
 */

/** @param {any} value @returns {Offset} */
const offset = (value) => ({
	x: Number(value?.x) || 0,
	y: Number(value?.y) || 0,
	w: Number(value?.w) || 0,
	h: Number(value?.h) || 0,
});

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

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

	/**
	 * Do what a key says: arrows move, Shift+arrows resize, Tab goes to the other part, R resets.
	 *
	 * @param {{key: string, shiftKey: boolean}} pressed
	 * @returns {boolean} Whether the key meant something.
	 */
	press({ key, shiftKey }) {
		const arrow = ARROWS[key];
		const now = this.offsets[this.part];
		if (arrow && shiftKey) {
			now.w += arrow[0];
			now.h -= arrow[1]; // Up makes it taller.
		} else if (arrow) {
			now.x += arrow[0];
			now.y += arrow[1];
		} else if (key === "Tab") {
			this.part = this.part === "mouth" ? "eyes" : "mouth";
			return true;
		} else if (key.toLowerCase() === "r") {
			this.offsets = { mouth: offset(this.preset?.mouth), eyes: offset(this.preset?.eyes) };
			this.#keep((storage) => storage.removeItem(this.key));
			return true;
		} else return false;
		this.#keep((storage) => storage.setItem(this.key, JSON.stringify(this.offsets)));
		return true;
	}

	/** @param {(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) => void} act */
	#keep(act) {
		try {
			if (this.storage) act(this.storage);
		} catch {
			// A full or forbidden storage must not stop the keys.
		}
	}

	/** JSON for the pack's manifest. */
	toManifest() {
		return JSON.stringify({ calibration: this.offsets }, null, 2);
	}
}
