/**
 * Which time of the clip is on the screen, where a browser only tells it for some frames and some milliseconds
 * before they are to be seen (Firefox: VideoFrames say 0, callbacks come 25 times a second). Pure.
 *
 * A frame is due at `offset + its time`, and is announced for the next refresh of the screen, up to 17 ms later. So
 * the offset lies a little below the smallest distance that was announced.
 */

/** Refreshes of 60 Hz: on five films it lay 1 to 8 ms below. */
const HALF_A_REFRESH_MS = 4;
/** Announcements looked at: a third of a second, after which a stall is forgotten. */
const COUNT = 8;

export class Counting {
	/** @type {number[]} */
	distances = [];

	/** @param {number} mediaMs @param {number} dueMs What a callback says: a frame's time, and when it is to be seen. */
	note(mediaMs, dueMs) {
		const { distances } = this;
		distances.push(dueMs - mediaMs);
		if (distances.length > COUNT) distances.shift();
	}

	/** @param {number} nowMs Of the page's clock. @returns {number} Below 0 where nothing is known. */
	timeAt(nowMs) {
		const sorted = this.distances.slice().sort((a, b) => a - b);
		// At a loop's end one frame now and then is announced with the next round's time: it does not count.
		const distance = sorted[sorted.length > 2 ? 1 : 0];
		return distance === undefined ? -1 : Math.max(0, nowMs - distance + HALF_A_REFRESH_MS);
	}

	/** After a seek or a stop. */
	clear() {
		this.distances.length = 0;
	}
}

/**
 * How long one round takes by the browser's own count, which goes on from round to round. Firefox counts a start
 * offset as part of a WebM's duration and not of an MP4's; what the file is really long decides which it was.
 *
 * @param {number} durationMs The video element's.
 * @param {number} startMs The timeline's.
 * @param {number} trueMs The timeline's duration; 0 where it is not known.
 */
export function roundMs(durationMs, startMs, trueMs) {
	const without = durationMs - startMs;
	return startMs > 0 && without > 0 && Math.abs(without - trueMs) < Math.abs(durationMs - trueMs)
		? without
		: durationMs;
}
