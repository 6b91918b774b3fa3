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

const VALUES = 5; // cx, cy, w, h, roll

/** The file is not a timeline that this page can read; the message says why. */
export class TimelineError extends Error {}

/** @param {number} degrees */
const shortestTurn = (degrees) => degrees - 360 * Math.round(degrees / 360);

/** @param {any} value @param {string} name @returns {number} */
function number(value, name) {
	if (typeof value !== "number" || !Number.isFinite(value)) {
		throw new TimelineError(`${name} is ${JSON.stringify(value)}, not a number`);
	}
	return value;
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
		if (!Array.isArray(json.frames)) throw new TimelineError("it has no list of frames");
		const source = json.source ?? {};
		const target = json.target ?? {};
		const quality = json.quality ?? {};
		/** @type {any[]} */
		const frames = json.frames;
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
		this.fit = ["cover", "fill"].includes(target.fit) ? target.fit : "contain";
		this.startMs = Number(source.start_ms) || 0;
		this.durationMs = Number(source.duration_ms) || (1000 * source.frame_count) / source.fps || 0;
		this.seamPx = Number(json.loop?.seam_px) || 0;
		/** @type {[number, number][]} */
		this.gaps = /** @type {any} */ ([quality.gaps].flat().filter(Array.isArray));
		this.coverage = typeof quality.coverage === "number" ? quality.coverage : frames.length ? 1 : 0;
		/** @type {string[]} */
		this.warnings = [quality.warnings ?? []]
			.flat()
			.map((/** @type {any} */ warning) => String(warning?.message ?? warning));
		/** @type {number[]} */
		this.frameNumbers = frames.map((frame) => frame.frame);
		/** @type {string[]} */
		this.statuses = frames.map((frame) => frame.status ?? "tracked");

		const times = frames.map((frame, i) => number(frame?.time_ms, `frames[${i}].time_ms`));
		for (let i = 1; i < times.length; i++) {
			if (times[i] <= times[i - 1]) throw new TimelineError(`frames[${i}].time_ms goes back`);
		}
		const rows = PARTS.map((part) => frames.map((frame, i) => row(frame, part, i)));
		this.closed =
			json.loop?.closed === true && times.length > 1 && this.durationMs > times[times.length - 1] - times[0];
		if (this.closed) {
			// The first sample again, one round later, so that the way back is a segment like any other.
			times.push(times[0] + this.durationMs);
			for (const part of rows) part.push([...part[0]]);
		}
		this.times = Float64Array.from(times);
		/** Whether sample i and the next have the face in sight all the way between them. */
		this.joined = Uint8Array.from(times, (time, i) =>
			i + 1 < times.length && !this.gaps.some(([from, to]) => from < times[i + 1] && to > time) ? 1 : 0,
		);
		const [mouth, eyes] = rows.map((part) => new Curve(this.times, this.joined, part, this.closed));
		/** @type {Record<Part, Curve>} */
		this.curves = { mouth, eyes };
		Object.freeze(this);
	}

	/** Whether nobody's face is in sight at *timeMs*. @param {number} timeMs */
	isInGap(timeMs) {
		for (let i = 0; i < this.gaps.length; i++) {
			if (timeMs >= this.gaps[i][0] && timeMs <= this.gaps[i][1]) return true;
		}
		return this.times.length === 0;
	}

	/** The last sample at or before *timeMs*; the first for an earlier time. @param {number} timeMs */
	sampleAt(timeMs) {
		const { times } = this;
		let low = 0;
		let high = times.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (times[middle] <= timeMs) low = middle;
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
		const { times } = this;
		if (this.isInGap(timeMs)) return false;
		if (this.closed && timeMs < times[0]) timeMs += this.durationMs;
		let i = this.sampleAt(timeMs);
		// Beside a gap the face stays where it was last, or will be first, seen.
		if (!this.joined[i] && i + 1 < times.length && this.#gapEndsBefore(i, timeMs)) i++;
		this.curves[part].read(i, timeMs, this.joined[i] === 1, out);
		return true;
	}

	/** @param {number} i @param {number} timeMs */
	#gapEndsBefore(i, timeMs) {
		for (let g = 0; g < this.gaps.length; g++) {
			if (this.gaps[g][1] > this.times[i] && this.gaps[g][1] < timeMs) return true;
		}
		return false;
	}
}

/** @param {any} frame @param {Part} part @param {number} i */
function row(frame, part, i) {
	const anchor = frame[part];
	const name = `frames[${i}].${part}`;
	if (typeof anchor !== "object" || anchor === null) throw new TimelineError(`${name} is missing`);
	const w = number(anchor.w, `${name}.w`);
	const h = number(anchor.h, `${name}.h`);
	const cx = anchor.cx ?? number(anchor.x, `${name}.x`) + w / 2;
	const cy = anchor.cy ?? number(anchor.y, `${name}.y`) + h / 2;
	return [number(cx, `${name}.cx`), number(cy, `${name}.cy`), w, h, number(anchor.roll ?? 0, `${name}.roll`)];
}

/**
 * A smooth curve through one part's samples: cubic, with the slope of the parabola through each sample and
 * its neighbours. On a breathing, swaying head at sample rate 3 it is several times nearer than a
 * straight line (test/timeline.test.js measures both), and on a still one it adds no noise worth a number.
 */
class Curve {
	/**
	 * @param {Float64Array} times
	 * @param {Uint8Array} joined
	 * @param {number[][]} rows cx, cy, w, h, roll at each time
	 * @param {boolean} closed The last row is the first one again.
	 */
	constructor(times, joined, rows, closed) {
		const last = times.length - 1;
		for (let i = 1; i <= last; i++) {
			rows[i][4] = rows[i - 1][4] + shortestTurn(rows[i][4] - rows[i - 1][4]);
		}
		this.times = times;
		this.values = Float64Array.from(rows.flat());
		this.slopes = new Float64Array(this.values.length);
		/** @param {number} i @param {number} k */
		const steepness = (i, k) => (rows[i + 1][k] - rows[i][k]) / (times[i + 1] - times[i]);
		for (let i = 0; i <= last; i++) {
			const before = i > 0 ? i - 1 : closed ? last - 1 : -1;
			const hasBefore = before >= 0 && joined[before];
			const after = closed && i === last ? 0 : i;
			const hasAfter = joined[after];
			for (let k = 0; k < VALUES; k++) {
				const s = i * VALUES + k;
				if (hasBefore && hasAfter) {
					const a = times[before + 1] - times[before];
					const b = times[after + 1] - times[after];
					this.slopes[s] = (b * steepness(before, k) + a * steepness(after, k)) / (a + b);
				} else if (hasBefore || hasAfter) {
					this.slopes[s] = steepness(hasBefore ? before : after, k);
				}
			}
		}
	}

	/** @param {number} i @param {number} timeMs @param {boolean} moves @param {Anchor} out */
	read(i, timeMs, moves, out) {
		const { times, values, slopes } = this;
		const a = i * VALUES;
		if (!moves) {
			out.cx = values[a];
			out.cy = values[a + 1];
			out.w = values[a + 2];
			out.h = values[a + 3];
			out.roll = values[a + 4];
			return;
		}
		const span = times[i + 1] - times[i];
		const u = Math.min(1, Math.max(0, (timeMs - times[i]) / span));
		const v = 1 - u;
		const end = u * u * (3 - 2 * u);
		const start = 1 - end;
		const leave = u * v * v * span;
		const arrive = -u * u * v * span;
		const b = a + VALUES;
		out.cx = start * values[a] + end * values[b] + leave * slopes[a] + arrive * slopes[b];
		out.cy = start * values[a + 1] + end * values[b + 1] + leave * slopes[a + 1] + arrive * slopes[b + 1];
		out.w = start * values[a + 2] + end * values[b + 2] + leave * slopes[a + 2] + arrive * slopes[b + 2];
		out.h = start * values[a + 3] + end * values[b + 3] + leave * slopes[a + 3] + arrive * slopes[b + 3];
		out.roll = start * values[a + 4] + end * values[b + 4] + leave * slopes[a + 4] + arrive * slopes[b + 4];
	}
}

/** @param {string} text @returns {Timeline} @throws {TimelineError} */
export function parseTimeline(text) {
	let json;
	try {
		json = JSON.parse(text);
	} catch (error) {
		throw new TimelineError(`it is not JSON: ${/** @type {Error} */ (error).message}`);
	}
	return new Timeline(json);
}
