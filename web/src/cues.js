/**
 * A list of mouth shapes in time, checked before it is played and played by a clock that is not ours.
 *
 * @import { Cue } from "./types.js"
 */

/** @param {unknown} cues @returns {readonly Cue[]} The same. @throws {TypeError} Which cue is wrong, and how. */
export function checkedCues(cues) {
	if (!Array.isArray(cues)) throw new TypeError(`cues are a list of {t_ms, viseme}, not ${typeof cues}`);
	cues.forEach((cue, i) => {
		const { t_ms, viseme } = cue ?? {};
		if (!Number.isFinite(t_ms)) throw new TypeError(`cues[${i}].t_ms is ${JSON.stringify(t_ms)}, not a number`);
		if (typeof viseme !== "string") throw new TypeError(`cues[${i}].viseme is ${JSON.stringify(viseme)}, not a name`);
		if (t_ms < cues[i - 1]?.t_ms) throw new TypeError(`cues[${i}].t_ms goes back`);
	});
	return cues;
}

/** Cues that are being played. */
export class CueTrack {
	/** @type {() => void} */
	end = () => {};
	next = 0;
	/** @type {number | null} When the page's clock began to count for it; it waits until there is a mouth. */
	startMs = null;

	/**
	 * @param {readonly Cue[]} cues Checked.
	 * @param {(() => number)} [clock] Milliseconds since the track began, such as an audio's time; else the page's.
	 */
	constructor(cues, clock) {
		this.cues = cues;
		this.clock = clock;
		/** @type {Promise<void>} Kept when the last cue was reached, or something else is played. */
		this.ended = new Promise((resolve) => {
			this.end = resolve;
		});
		if (!cues.length) this.end();
	}

	/**
	 * The viseme that is due for the first time; null where the last one still holds.
	 *
	 * @param {number} nowMs Of the page's clock.
	 * @param {number} aheadMs How long it takes until it can be seen.
	 */
	due(nowMs, aheadMs) {
		const { cues } = this;
		this.startMs ??= nowMs;
		const dueMs = (this.clock ? this.clock() : nowMs - this.startMs) + aheadMs;
		let name = null;
		while (this.next < cues.length && cues[this.next].t_ms <= dueMs) name = cues[this.next++].viseme;
		if (this.next === cues.length) this.end();
		return name;
	}
}
