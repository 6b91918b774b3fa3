/**
 * The timeline's rules, and nothing of the page: what a file must hold, and where an anchor is at a time.
 *
 * @typedef {"mouth" | "eyes"} Part
 *
 * @typedef {object} Anchor Where an overlay is pinned: its centre, size (target pixels) and roll (degrees, clockwise).
 * @property {number} cx
 * @property {number} cy
 * @property {number} w
 * @property {number} h
 * @property {number} roll
 *
 * @typedef {"contain" | "cover" | "fill"} Fit
 */

/** @type {readonly Part[]} */
export const PARTS = ["mouth", "eyes"];

/** @type {readonly ["cx", "cy", "w", "h", "roll"]} */
export const VALUES = ["cx", "cy", "w", "h", "roll"];
const COUNT = VALUES.length;

/** The file is not a timeline that this page can read; the message says why. */
export class TimelineError extends Error {}

/** @param {number} degrees */
const shortestTurn = (degrees) => degrees - 360 * Math.round(degrees / 360);

/** @param {any} value @param {string} name @returns {number} */
function number(value, name) {
	if (Number.isFinite(value)) return value;
	throw new TimelineError(`${name} is ${JSON.stringify(value)}, not a number`);
}

/** One video's anchors in order of time. Made once, then only read: a look-up allocates nothing. */
export class Timeline {
	/**
	 * @param {any} json A parsed anchors_timeline.json; integer files of the first version too.
	 * @throws {TimelineError}
	 */
	constructor(json) {
		if (json?.version !== 1) {
			throw new TimelineError(`version is ${JSON.stringify(json?.version)}, this page reads 1`);
		}
		/** @type {any[]} */
		const frames = json.frames;
		if (!Array.isArray(frames)) throw new TimelineError("it has no list of frames");
		const source = json.source ?? {};
		const target = json.target ?? {};
		const quality = json.quality ?? {};
		/** @type {string | undefined} */
		this.video = source.video;
		/** Bytes of the video, and its SHA-256: what tells it from another of the same name. */
		this.videoBytes = Number(source.size) || 0;
		this.videoHash = String(source.sha256 ?? "");
		this.videoWidth = Number(source.width) || 0;
		this.videoHeight = Number(source.height) || 0;
		this.width = Number(target.width) || 512;
		this.height = Number(target.height) || 640;
		/** @type {Fit} */
		this.fit = target.fit ?? "contain";
		this.startMs = Number(source.start_ms) || 0;
		this.durationMs = Number(source.duration_ms) || (1000 * source.frame_count) / source.fps || 0;
		/** What else the file says, for who asks. */
		this.json = json;
		/** @type {[number, number][]} First and last time without a face. */
		this.gaps = /** @type {any} */ ([quality.gaps].flat().filter(Array.isArray));

		const times = frames.map((frame, i) => number(frame?.time_ms, `frames[${i}].time_ms`));
		const late = times.findIndex((time, i) => time <= times[i - 1]);
		if (late > 0) throw new TimelineError(`frames[${late}].time_ms goes back`);
		const rows = PARTS.map((part) => frames.map((frame, i) => valuesOf(frame[part], `frames[${i}].${part}`)));
		this.isClosed =
			json.loop?.closed === true && times.length > 1 && this.durationMs > times[times.length - 1] - times[0];
		if (this.isClosed) {
			// The first sample again, one round later, so that the way back is a segment like any other.
			times.push(times[0] + this.durationMs);
			for (const part of rows) part.push([...part[0]]);
		}
		this.times = Float64Array.from(times);
		/** Whether the face is in sight all the way from sample i to the next. */
		this.isJoined = times.map(
			(time, i) => i + 1 < times.length && !this.gaps.some(([from, to]) => from < times[i + 1] && to > time),
		);
		const [mouth, eyes] = rows.map((part) => new Curve(this.times, this.isJoined, part, this.isClosed));
		/** @type {Record<Part, Curve>} */
		this.curves = { mouth, eyes };
	}

	/** Whether nobody's face is in sight at *timeMs*. @param {number} timeMs */
	isInGap(timeMs) {
		for (let i = 0; i < this.gaps.length; i++) {
			if (timeMs >= this.gaps[i][0] && timeMs <= this.gaps[i][1]) return true;
		}
		return !this.times.length;
	}

	/** The last sample at or before *timeMs*; the first for an earlier time. @param {number} timeMs */
	sampleAt(timeMs) {
		let low = 0;
		let high = this.times.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.times[middle] <= timeMs) low = middle;
			else high = middle - 1;
		}
		return low;
	}

	/**
	 * Put the anchor of *part* at *timeMs* into *out*; false, and nothing put, inside a gap.
	 *
	 * @param {Part} part
	 * @param {number} timeMs Presentation time, as the browser reports it.
	 * @param {Anchor} out
	 */
	anchorAt(part, timeMs, out) {
		if (this.isInGap(timeMs)) return false;
		const at = this.isClosed && timeMs < this.times[0] ? timeMs + this.durationMs : timeMs;
		let i = this.sampleAt(at);
		// Beside a gap the face stays where it was last, or will be first, seen.
		if (!this.isJoined[i] && this.#isPastGap(i, at)) i++;
		this.curves[part].read(i, at, out);
		return true;
	}

	/** Whether a gap lies between sample *i* and *timeMs*. @param {number} i @param {number} timeMs */
	#isPastGap(i, timeMs) {
		for (let g = 0; g < this.gaps.length; g++) {
			if (this.gaps[g][1] > this.times[i] && this.gaps[g][1] < timeMs) return i + 1 < this.times.length;
		}
		return false;
	}
}

/** cx, cy, w, h, roll. @param {any} anchor @param {string} name */
function valuesOf(anchor, name) {
	const w = number(anchor?.w, `${name}.w`);
	const h = number(anchor.h, `${name}.h`);
	return [anchor.cx ?? anchor.x + w / 2, anchor.cy ?? anchor.y + h / 2, w, h, anchor.roll ?? 0].map((value, k) =>
		number(value, `${name}.${VALUES[k]}`),
	);
}

/**
 * A smooth curve through one part's samples: cubic, with the slope of the parabola through each sample and
 * its neighbours. On a swaying head at sample rate 3 it is 14 times nearer than a straight line, on a still
 * one with 0.05 px of noise 7 % worse (test/timeline.test.js measures both).
 */
class Curve {
	/**
	 * @param {Float64Array} times
	 * @param {boolean[]} isJoined
	 * @param {number[][]} rows cx, cy, w, h, roll at each time
	 * @param {boolean} isClosed The last row is the first one again.
	 */
	constructor(times, isJoined, rows, isClosed) {
		const last = times.length - 1;
		for (let i = 1; i <= last; i++) rows[i][4] = rows[i - 1][4] + shortestTurn(rows[i][4] - rows[i - 1][4]);
		this.times = times;
		this.isJoined = isJoined;
		this.values = Float64Array.from(rows.flat());
		/** @param {number} i */
		const span = (i) => times[i + 1] - times[i];
		const slopes = rows.flatMap((_, i) => {
			const before = isClosed && i === 0 ? last - 1 : i - 1;
			const after = isClosed && i === last ? 0 : i;
			// Where there is no way to a neighbour, the other way alone says how fast it goes.
			const a = isJoined[before] ? span(before) : 0;
			const b = isJoined[after] ? span(after) : 0;
			return VALUES.map((_, k) => {
				const come = a && (rows[before + 1][k] - rows[before][k]) / a;
				const go = b && (rows[after + 1][k] - rows[after][k]) / b;
				return a && b ? (b * come + a * go) / (a + b) : come + go;
			});
		});
		this.slopes = Float64Array.from(slopes);
	}

	/** @param {number} i @param {number} timeMs @param {Anchor} out */
	read(i, timeMs, out) {
		const { times, values, slopes } = this;
		const next = this.isJoined[i] ? i + 1 : i;
		const span = times[next] - times[i];
		const u = span && Math.min(1, Math.max(0, (timeMs - times[i]) / span));
		const arrived = u * u * (3 - 2 * u);
		const leaving = u * (1 - u) * (1 - u) * span;
		const arriving = u * u * (u - 1) * span;
		for (let k = 0, a = i * COUNT, b = next * COUNT; k < COUNT; k++, a++, b++) {
			out[VALUES[k]] = values[a] + arrived * (values[b] - values[a]) + leaving * slopes[a] + arriving * slopes[b];
		}
	}
}

/** @param {string} text @throws {TimelineError} */
export function parseTimeline(text) {
	let json;
	try {
		json = JSON.parse(text);
	} catch (error) {
		throw new TimelineError(`it is not JSON: ${/** @type {Error} */ (error).message}`);
	}
	return new Timeline(json);
}
