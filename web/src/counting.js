import { Timeline } from "./timeline.js";

/**
 * Which time of the clip is on the screen, where a browser only tells it for some frames and some milliseconds
 * before they are to be seen (Firefox: VideoFrames say 0, callbacks come 25 times a second).
 *
 * A frame is due at `offset + its time`, and is announced for the next refresh of the screen, up to 17 ms later. So
 * the offset lies a little below the smallest distance that was announced. Frames are counted on from round to round,
 * and a round is not quite as long as the video element says: where one began is corrected by each frame's own time.
 *
 * @import { Target } from "./types.js"
 * @typedef {{roundMs: number, frameMs: number, nearest: (ms: number) => number}} Clip How long one round takes (0 where
 *   nobody knows), how long a frame stands, and which frame begins nearest to a time of the round.
 */

/** A refresh of 60 Hz: so much later than announced a frame may come. */
const REFRESH_MS = 1000 / 60;
/** A picture that stands longer than this is worse than one that may be a frame beside its overlay. */
const LONGEST_WAIT_MS = 40;
/** From the announced distance down to the likely one: on seven films it was 1 to 14 ms. */
const HALF_A_REFRESH_MS = 4;
/** Announcements looked at: a third of a second, after which a stall is forgotten. 20 name 8 % wrongly on a varying rate, 8 less than 4. */
const COUNT = 8;
/** currentTime is taken every 40 ms and a frame announced 17 ms before: what differs by more has been moved. */
const MOVED_MS = 150;
/** How much of a frame's difference is believed: times are whole milliseconds in some files. A guess. */
const BELIEF = 0.25;

/** @type {WeakMap<Timeline, number[]>} */
const known = new WeakMap();

/**
 * The times of the clip's frames, as far as they follow from the samples: exact where the rate is even, and where each
 * frame is a sample.
 *
 * @param {Timeline} timeline
 */
function frameTimes(timeline) {
	const found = known.get(timeline);
	if (found) return found;
	/** @type {number[]} */
	const all = [];
	const { frames } = timeline.json;
	for (let i = 0; i < frames.length; i++) {
		const from = frames[i].time_ms;
		const isLast = i + 1 === frames.length;
		const count = (isLast ? timeline.source.frame_count : frames[i + 1].frame) - frames[i].frame;
		const step = isLast ? timeline.frameMs : (frames[i + 1].time_ms - from) / count;
		for (let k = 0; k < Math.max(1, count || 1); k++) all.push(from + (k && k * step));
	}
	known.set(timeline, all);
	return all;
}

/** When the frame that is shown at *timeMs* began. @param {Timeline} timeline @param {number} timeMs */
export function frameAt(timeline, timeMs) {
	const all = frameTimes(timeline);
	let low = 0;
	let high = all.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (all[middle] <= timeMs) low = middle;
		else high = middle - 1;
	}
	// Before the first sample nothing is known, unless it is the first frame; the last one stands until the round ends.
	return low || all[0] <= timeMs || timeline.json.frames[0]?.frame === 0 ? (all[low] ?? timeMs) : timeMs;
}

export class Counting {
	/** @type {number[]} */
	distances = [];
	rate = 1;
	/** When this round began, by the browser's count. */
	originMs = 0;
	/** When a picture was taken last. */
	takenMs = 0;
	/** @type {Clip} */
	clip = { roundMs: 0, frameMs: 0, nearest: (ms) => ms };

	/** @param {HTMLVideoElement} video */
	constructor(video) {
		this.video = video;
	}

	/**
	 * When the frame on the screen began; below 0 where it can't be told.
	 *
	 * @param {{clock: string, hasPicture: boolean}} plate
	 * @param {Target} target
	 */
	shownMs({ clock, hasPicture }, target) {
		const { video } = this;
		const timeline = target instanceof Timeline && target.times.length ? target : null;
		/** @param {number} ms */
		const frame = (ms) => (timeline ? frameAt(timeline, ms) : ms);
		if (clock !== "expectedDisplayTime") return frame(video.currentTime * 1000);
		// Firefox counts from 0 whatever the file says.
		const startMs = timeline?.startMs ?? 0;
		const frameMs = timeline?.frameMs ?? 0;
		this.clip = {
			roundMs: roundMs(1000 * video.duration, startMs, timeline?.durationMs ?? 0),
			frameMs,
			nearest: (ms) => frame(startMs + ms + frameMs / 2) - startMs,
		};
		/** @param {number} ms */
		const shown = (ms) => frame(startMs + this.inRound(ms));
		if (video.paused) return shown(video.currentTime * 1000);
		const nowMs = performance.now();
		const ms = this.timeAt(nowMs);
		if (ms < 0) return ms;
		// At a frame's edge nobody knows which one would be taken: the last picture stays for a moment, if there is one.
		const spread = (REFRESH_MS / 4) * video.playbackRate;
		const isEdge = frameMs > 1.5 * REFRESH_MS && shown(ms - spread) !== shown(ms + 3 * spread);
		if (isEdge && hasPicture && nowMs - this.takenMs < LONGEST_WAIT_MS) return -1;
		this.takenMs = nowMs;
		return shown(ms);
	}

	/**
	 * What a callback says.
	 *
	 * @param {number} mediaMs A frame's time, counted on from round to round.
	 * @param {number} dueMs When it is to be seen, by the page's clock.
	 * @param {number} rate Of playing.
	 * @param {number} currentMs The video's currentTime.
	 */
	note(mediaMs, dueMs, rate, currentMs) {
		if (rate !== this.rate) this.clear();
		this.rate = rate;
		const { distances } = this;
		distances.push(dueMs - mediaMs / rate);
		if (distances.length > COUNT) distances.shift();
		this.#align(mediaMs, currentMs);
	}

	/** @param {number} mediaMs @param {number} currentMs */
	#align(mediaMs, currentMs) {
		const { roundMs, frameMs, nearest } = this.clip;
		if (!roundMs) return;
		if (mediaMs - this.originMs >= roundMs - frameMs / 2) this.originMs += roundMs;
		/** @param {number} originMs */
		const away = (originMs) => {
			const ms = Math.abs(mediaMs - originMs - currentMs) % roundMs;
			return Math.min(ms, roundMs - ms);
		};
		// After a seek it counts from 0 again.
		if (away(this.originMs) > MOVED_MS) this.originMs = away(0) <= MOVED_MS ? 0 : mediaMs - currentMs;
		const ms = mediaMs - this.originMs;
		const late = ms - nearest(ms);
		if (Math.abs(late) < frameMs / 2) this.originMs += BELIEF * late;
	}

	/** @param {number} nowMs Of the page's clock. @returns {number} The likely time in the round; below 0 where nothing is known. */
	timeAt(nowMs) {
		const sorted = this.distances.slice().sort((a, b) => a - b);
		// At a loop's end one frame now and then is announced with the next round's time: it does not count.
		const distance = sorted[sorted.length > 2 ? 1 : 0];
		if (distance === undefined) return -1;
		return this.inRound((nowMs - distance + HALF_A_REFRESH_MS) * this.rate - this.originMs);
	}

	/** @param {number} ms Since this round began. */
	inRound(ms) {
		const { roundMs } = this.clip;
		return roundMs ? ((ms % roundMs) + roundMs) % roundMs : Math.max(0, ms);
	}

	/** After a seek or a stop. */
	clear() {
		this.distances.length = 0;
	}
}

/**
 * How long one round takes by the browser's own count. Firefox counts a start offset as part of a WebM's duration and
 * not of an MP4's; what the file is really long decides which it was.
 *
 * @param {number} durationMs The video element's.
 * @param {number} startMs The timeline's.
 * @param {number} trueMs The timeline's duration; 0 where it is not known.
 */
export function roundMs(durationMs, startMs, trueMs) {
	if (!Number.isFinite(durationMs)) return trueMs;
	const without = durationMs - startMs;
	return startMs > 0 && without > 0 && Math.abs(without - trueMs) < Math.abs(durationMs - trueMs)
		? without
		: durationMs;
}
