/**
 * The clip from its begin to its end, as its timeline tells it: where a face is, which way it goes, and, where the
 * timeline was asked for them (`include`), how the head is turned, when the eyes are shut, and in which light.
 *
 * @import { Timeline } from "../src/timeline.js"
 */

const WIDE = 1000;
const HIGH = 44;
/** The rows of light and of blinks, at the top and at the bottom. */
const ROW = 4;
/** An eye that is open by less is shut; as anchord preview --plot draws it. */
const SHUT = 0.25;
/** A turn by so many degrees reaches the strip's edge. */
const TURN_DEG = 20;

/** @param {string} tag @param {Record<string, string | number>} attributes */
function shape(tag, attributes) {
	const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
	return made;
}

/** A pen that is lifted where there is nothing. @param {number[][]} points x and y; NaN for nothing. */
function path(points) {
	let isDown = false;
	return points
		.map(([x, y]) => {
			if (Number.isNaN(y)) isDown = false;
			else {
				const step = `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
				isDown = true;
				return step;
			}
			return "";
		})
		.join("");
}

/** Smallest and largest, rounded. @param {number[]} values @param {number} digits */
const span = (values, digits) =>
	[Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits)).join(" to ");

/** The mouth's way across and down, in the strip's own units. @param {Timeline} timeline @returns {Element[]} */
function ways(timeline) {
	const { durationMs, startMs } = timeline;
	const at = { cx: 0, cy: 0, w: 0, h: 0, roll: 0 };
	/** @type {number[]} */
	const across = [];
	/** @type {number[]} */
	const down = [];
	for (let i = 0; i <= 250; i++) {
		const isSeen = timeline.anchorAt("mouth", startMs + (durationMs * i) / 250.01, at);
		across.push(isSeen ? at.cx : Number.NaN);
		down.push(isSeen ? at.cy : Number.NaN);
	}
	const fromMiddle = (/** @type {number[]} */ line) => {
		const seen = line.filter((value) => !Number.isNaN(value));
		const middle = (Math.min(...seen) + Math.max(...seen)) / 2;
		return line.map((value) => value - middle);
	};
	const [x, y] = [fromMiddle(across), fromMiddle(down)];
	const reach = Math.max(4, ...[...x, ...y].map((value) => Math.abs(value) || 0));
	const drawn = (/** @type {number[]} */ line) => path(line.map((v, i) => [i * 4, HIGH / 2 + (17 * v) / reach]));
	return [shape("path", { class: "y", d: drawn(y) }), shape("path", { class: "x", d: drawn(x) })];
}

/**
 * What was asked for by `include`, and the words for it; nothing where the timeline has none of it.
 *
 * @param {Timeline} timeline
 * @param {(ms: number) => number} place
 */
function told(timeline, place) {
	/** @type {any[]} */
	const frames = timeline.json.frames;
	/** @type {Element[]} */
	const shapes = [];
	/** @type {string[]} */
	const words = [];
	/** @type {string[]} */
	const kinds = [];
	const endOf = (/** @type {number} */ i) => place(frames[i + 1]?.time_ms ?? timeline.startMs + timeline.durationMs);
	const row = (/** @type {number} */ i, /** @type {Record<string, string | number>} */ attributes) => {
		const x = place(frames[i].time_ms);
		shapes.push(shape("rect", { x, width: Math.max(2, endOf(i) - x), height: ROW, ...attributes }));
	};

	const lit = frames.filter(({ light }) => light);
	if (lit.length) {
		kinds.push("light");
		frames.forEach(({ light }, i) => {
			// Its colour over the usual one, on mid-grey.
			if (light) row(i, { fill: `rgb(${[light.r, light.g, light.b].map((v) => Math.round(128 * v)).join(" ")})` });
		});
		words.push(
			`light ${span(
				lit.map(({ light }) => (light.r + light.g + light.b) / 3),
				2,
			)} of the usual`,
		);
	}
	const posed = frames.filter(({ pose }) => pose);
	if (posed.length) {
		kinds.push("yaw");
		const points = frames.map(({ time_ms, pose }) => [
			place(time_ms),
			pose ? HIGH / 2 - (HIGH / 2) * Math.max(-1, Math.min(1, pose.yaw / TURN_DEG)) : Number.NaN,
		]);
		shapes.push(shape("path", { class: "yaw", d: path(points) }));
		words.push(
			`head turned by ${span(
				posed.map(({ pose }) => pose.yaw),
				0,
			)}°`,
		);
	}
	const signalled = frames.filter(({ signals }) => signals);
	if (signalled.length) {
		kinds.push("blink");
		let blinks = 0;
		let wasShut = false;
		frames.forEach(({ signals }, i) => {
			const isShut = Boolean(signals) && Math.max(signals.eye_open_left, signals.eye_open_right) < SHUT;
			if (isShut) row(i, { class: "blink", y: HIGH - ROW });
			if (isShut && !wasShut) blinks++;
			wasShut = isShut;
		});
		const open = Math.max(...signalled.map(({ signals }) => signals.mouth_open));
		words.push(`${blinks} blinks, mouth open by ${Math.round(100 * open)} % at most`);
	}
	return { shapes, words, kinds };
}

/**
 * Draw it anew.
 *
 * @param {Element} strip An SVG.
 * @param {Element} legend Its spans of class light, yaw and blink are shown where there is such a thing.
 * @param {Timeline | null} timeline
 * @param {number} coverage
 * @returns {Element | null} The mark that is moved to where the clip is; null without a timeline.
 */
export function drawStrip(strip, legend, timeline, coverage) {
	if (!timeline?.times.length) {
		strip.replaceChildren();
		strip.setAttribute("aria-label", "No timeline");
		name(legend, []);
		return null;
	}
	const { gaps, durationMs, startMs } = timeline;
	const place = (/** @type {number} */ ms) => (WIDE * (ms - startMs)) / durationMs;
	const { shapes, words, kinds } = told(timeline, place);
	const head = shape("line", { class: "head", y2: HIGH });
	strip.replaceChildren(
		shape("rect", { class: "face", width: WIDE, height: HIGH }),
		...gaps.map(([from, to]) =>
			shape("rect", { class: "gap", x: place(from), width: place(to) - place(from), height: HIGH }),
		),
		...shapes,
		...ways(timeline),
		head,
	);
	const percent = (100 * coverage).toFixed(coverage > 0.999 ? 0 : 1);
	const found = `Face found in ${percent} % of the clip${gaps.length ? `, ${gaps.length} gaps` : ""}`;
	strip.setAttribute("aria-label", [found, ...words].join("; "));
	name(legend, kinds);
	return head;
}

/**
 * @param {Element} legend
 * @param {string[]} kinds What of that which not every timeline tells is drawn.
 */
function name(legend, kinds) {
	for (const kind of ["light", "yaw", "blink"])
		legend.querySelector(`.${kind}`)?.toggleAttribute("hidden", !kinds.includes(kind));
}
