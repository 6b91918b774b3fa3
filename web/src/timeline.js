/**
 * The timeline's rules, and nothing of the page: what a file must hold, and where an anchor is at a time.
 *
 * @import { Anchor, Fit, Part } from "./types.js"
 */

/** @type {readonly Part[]} */
export const PARTS = ["mouth", "eyes"];
/** @type {readonly (keyof Anchor)[]} */
const VALUES = ["cx", "cy", "w", "h", "roll"];
const COUNT = VALUES.length;

/** The file is not a timeline that this page can read; the message says why. */
export class TimelineError extends Error {}

/** @param {any} value @param {string} name @returns {number} */
function number(value, name) {
	if (Number.isFinite(value)) return value;
	throw new TimelineError(`${name} is ${JSON.stringify(value)}, not a number`);
}

/** cx, cy, w, h, roll; first versions may lack the centre and the roll. @param {any} anchor @param {string} name */
function valuesOf(anchor, name) {
	const w = number(anchor?.w, `${name}.w`);
	const h = number(anchor.h, `${name}.h`);
	const { cx = anchor.x + w / 2, cy = anchor.y + h / 2, roll = 0 } = anchor;
	return [cx, cy, w, h, roll].map((value, k) => number(value, `${name}.${VALUES[k]}`));
}

/**
 * The moment at which the face lies as in base_face.png, and where the parts are found in that picture itself.
 *
 * @param {any} json @returns {({timeMs: number} & Partial<Record<Part, Anchor>>) | null}
 */
function referenceIn(json) {
	if (!json) return null;
	/** @param {Part} part @returns {any} */
	const anchor = (part) => {
		if (!json[part]) return undefined;
		const values = valuesOf(json[part], `reference.${part}`);
		return Object.fromEntries(VALUES.map((name, k) => [name, values[k]]));
	};
	return { timeMs: number(json.time_ms, "reference.time_ms"), mouth: anchor("mouth"), eyes: anchor("eyes") };
}

/** One video's anchors in order of time. Made once, then only read: a look-up allocates nothing. */
export class Timeline {
	/** @param {any} json A parsed anchors_timeline.json; integer files of the first version too. @throws {TimelineError} */
	constructor(json) {
		if (json?.version !== 1) {
			throw new TimelineError(`version is ${JSON.stringify(json?.version)}, this page reads 1`);
		}
		/** @type {any[]} */
		const frames = json.frames;
		if (!Array.isArray(frames)) throw new TimelineError("it has no list of frames");
		this.json = json;
		/** What it says of its video. @type {any} */
		this.source = json.source ?? {};
		const { width = 512, height = 640, fit = "contain" } = json.target ?? {};
		this.width = number(width, "target.width");
		this.height = number(height, "target.height");
		/** @type {Fit} */
		this.fit = fit;
		const { duration_ms, frame_count, fps } = this.source;
		this.durationMs = Number(duration_ms) || (1000 * frame_count) / fps || 0;
		/** How long a frame stands, on average; 0 where the file does not say. */
		this.frameMs = this.durationMs / frame_count || 1000 / fps || 0;
		this.startMs = Number(this.source.start_ms) || 0;
		/** @type {[number, number][]} First and last time without a face. */
		this.gaps = /** @type {any} */ ([json.quality?.gaps].flat().filter(Array.isArray));

		this.reference = referenceIn(json.reference);

		const times = frames.map((frame, i) => number(frame?.time_ms, `frames[${i}].time_ms`));
		const late = times.findIndex((time, i) => time <= times[i - 1]);
		if (late > 0) throw new TimelineError(`frames[${late}].time_ms goes back`);
		const [mouth, eyes] = PARTS.map((part) => frames.map((frame, i) => valuesOf(frame[part], `frames[${i}].${part}`)));
		this.isClosed = json.loop?.closed === true && this.durationMs > times[times.length - 1] - times[0];
		if (this.isClosed) {
			// The first sample again, one round later, so that the way back is a segment like any other.
			times.push(times[0] + this.durationMs);
			for (const rows of [mouth, eyes]) rows.push([...rows[0]]);
		}
		this.times = Float64Array.from(times);
		/** Whether the face is in sight all the way from sample i to the next. */
		this.isJoined = times.map(
			(time, i) => i + 1 < times.length && !this.gaps.some(([from, to]) => from < times[i + 1] && to > time),
		);
		/** Value and slope of all samples, row by row. @type {Record<Part, [Float64Array, Float64Array]>} */
		this.curves = { mouth: this.#curve(mouth), eyes: this.#curve(eyes) };
	}

	/**
	 * A smooth curve through the samples: cubic, with the slope of the parabola through each and its neighbours.
	 * On a swaying head at sample rate 3 it is 14 times nearer than a straight line, on a still one with 0.05 px
	 * of noise 7 % worse (test/timeline.test.js measures both).
	 *
	 * @param {number[][]} rows cx, cy, w, h, roll of each sample
	 * @returns {[Float64Array, Float64Array]}
	 */
	#curve(rows) {
		const { times, isJoined, isClosed } = this;
		const last = times.length - 1;
		for (let i = 1; i <= last; i++) {
			// The shorter way round.
			rows[i][4] -= 360 * Math.round((rows[i][4] - rows[i - 1][4]) / 360);
		}
		/** @param {number} i */
		const span = (i) => (isJoined[i] ? times[i + 1] - times[i] : 0);
		const slopes = rows.flatMap((_, i) => {
			const before = isClosed && i === 0 ? last - 1 : i - 1;
			const after = isClosed && i === last ? 0 : i;
			// Where there is no way to a neighbour, the other way alone says how fast it goes.
			const a = span(before);
			const b = span(after);
			return VALUES.map((_, k) => {
				const come = a && (rows[before + 1][k] - rows[before][k]) / a;
				const go = b && (rows[after + 1][k] - rows[after][k]) / b;
				return a && b ? (b * come + a * go) / (a + b) : come + go;
			});
		});
		return [Float64Array.from(rows.flat()), Float64Array.from(slopes)];
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
	 * Put the anchor of *part* at *timeMs* into *out*; false, and nothing put, where no face is in sight.
	 *
	 * @param {Part} part
	 * @param {number} timeMs Presentation time, as the browser reports it.
	 * @param {Anchor} out
	 */
	anchorAt(part, timeMs, out) {
		const { times, gaps } = this;
		for (let i = 0; i < gaps.length; i++) if (timeMs >= gaps[i][0] && timeMs <= gaps[i][1]) return false;
		if (!times.length) return false;
		const at = this.isClosed && timeMs < times[0] ? timeMs + this.durationMs : timeMs;
		let i = this.sampleAt(at);
		let next = i + 1;
		if (!this.isJoined[i]) {
			// Beside a gap the face stays where it was last, or will be first, seen.
			if (times[next] - at < at - times[i]) i = next;
			next = i;
		}
		const [values, slopes] = this.curves[part];
		const span = times[next] - times[i];
		const u = span && Math.min(1, Math.max(0, (at - times[i]) / span));
		const arrived = u * u * (3 - 2 * u);
		const leaving = u * (1 - u) * (1 - u) * span;
		const arriving = u * u * (u - 1) * span;
		for (let k = 0, a = i * COUNT, b = next * COUNT; k < COUNT; k++, a++, b++) {
			out[VALUES[k]] = values[a] + arrived * (values[b] - values[a]) + leaving * slopes[a] + arriving * slopes[b];
		}
		return true;
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
