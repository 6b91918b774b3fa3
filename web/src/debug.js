import { PARTS } from "./timeline.js";

/**
 * What tracking sees, over the picture and in words: green box mouth, cyan box eyes, crosshairs at their centres.
 *
 * @import { Avatar } from "./avatar.js"
 * @import { Timeline } from "./timeline.js"
 * @import { Part } from "./types.js"
 */

const COLOURS = { mouth: "#2bff6a", eyes: "#23e5ff" };

/** @param {Avatar} avatar @param {Part | null} chosen The part that is being calibrated. */
export function drawBoxes({ compositor }, chosen) {
	const { context, anchors, canvas, target, isTracked } = compositor;
	const scale = canvas.width / target.width;
	context.globalCompositeOperation = "source-over";
	for (const part of PARTS) {
		const { cx, cy, w, h, roll } = anchors[part];
		const turn = (roll * Math.PI) / 180;
		const c = scale * Math.cos(turn);
		const s = scale * Math.sin(turn);
		context.setTransform(c, s, -s, c, scale * cx, scale * cy);
		context.strokeStyle = COLOURS[part];
		context.lineWidth = part === chosen ? 3 : 1.5;
		context.setLineDash(isTracked ? [] : [6, 4]);
		context.strokeRect(-w / 2, -h / 2, w, h);
		context.setLineDash([]);
		context.stroke(new Path2D("M-9 0H9M0-9V9"));
	}
}

/** The frame shown at *timeMs*, counted: samples know theirs. @param {Timeline} timeline @param {number} timeMs @param {number} i */
function frameAt({ times, json }, timeMs, i) {
	const now = json.frames[i].frame;
	const next = json.frames[i + 1]?.frame;
	if (next === undefined || timeMs < times[i]) return now;
	return Math.round(now + ((next - now) * (timeMs - times[i])) / (times[i + 1] - times[i]));
}

/** @param {Avatar} avatar @param {Part | null} chosen */
export function panelText({ compositor, plate, tracking, problems, hints }, chosen) {
	const { timeline, anchors, isTracked, calibration } = compositor;
	const lines = [`Tracking: ${tracking.isOn ? "ON" : `OFF – ${tracking.reason}`}`];
	if (timeline) {
		const { frames, quality, loop } = timeline.json;
		const i = Math.min(timeline.sampleAt(plate.timeMs), frames.length - 1);
		const seen = isTracked ? `sample ${i} ${frames[i].status ?? "tracked"}` : "no face here: still picture";
		const seam = timeline.isClosed ? `${loop.seam_px ?? "?"} px` : "open";
		lines.push(
			`frame ${frameAt(timeline, plate.timeMs, i)}  ${plate.timeMs.toFixed(1)} ms  ${seen}`,
			`coverage ${(100 * (quality?.coverage ?? 1)).toFixed(1)} %  seam ${seam}  clock ${plate.clock}`,
		);
	}
	const places = PARTS.map((part) => {
		const { cx, cy, w, h, roll } = anchors[part];
		return `${part} ${cx.toFixed(1)}, ${cy.toFixed(1)} ${w.toFixed(0)}×${h.toFixed(0)} ${roll.toFixed(1)}°`;
	});
	lines.push(places.join("  "));
	if (chosen) {
		const { x, y, w, h } = calibration.offsets[chosen];
		lines.push(`calibrating ${chosen}: x ${x}  y ${y}  w ${w}  h ${h}`);
	}
	lines.push(...[...problems].map((problem) => `! ${problem}`), ...hints);
	return lines.join("\n");
}
