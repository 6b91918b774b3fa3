/**
 * What tracking sees, drawn over the picture: green box mouth, cyan box eyes, crosshairs at their centres.
 *
 * @typedef {import("./avatar.js").Avatar} Avatar
 * @typedef {import("./timeline.js").Part} Part
 * @typedef {import("./timeline.js").Timeline} Timeline
 */

/** @type {Record<Part, string>} */
const COLOURS = { mouth: "#2bff6a", eyes: "#23e5ff" };

/** @param {Avatar} avatar @param {Part | null} chosen The part that is being calibrated. */
export function drawBoxes({ compositor }, chosen) {
	const { context, anchors, canvas, width } = compositor;
	const scale = canvas.width / width;
	context.globalCompositeOperation = "source-over";
	for (const part of /** @type {Part[]} */ (["eyes", "mouth"])) {
		const { cx, cy, w, h, roll } = anchors[part];
		const turn = (roll * Math.PI) / 180;
		const c = scale * Math.cos(turn);
		const s = scale * Math.sin(turn);
		context.setTransform(c, s, -s, c, scale * cx, scale * cy);
		context.strokeStyle = COLOURS[part];
		context.lineWidth = part === chosen ? 3 : 1.5;
		context.setLineDash(compositor.isTracked ? [] : [6, 4]);
		context.strokeRect(-w / 2, -h / 2, w, h);
		context.setLineDash([]);
		context.beginPath();
		context.moveTo(-9, 0);
		context.lineTo(9, 0);
		context.moveTo(0, -9);
		context.lineTo(0, 9);
		context.stroke();
	}
}

/** The frame shown at *timeMs*, counted: samples know theirs. @param {Timeline} timeline @param {number} timeMs @param {number} i */
function frameAt({ times, frameNumbers }, timeMs, i) {
	const next = frameNumbers[i + 1];
	if (next === undefined || timeMs < times[i]) return frameNumbers[i];
	return Math.round(frameNumbers[i] + ((next - frameNumbers[i]) * (timeMs - times[i])) / (times[i + 1] - times[i]));
}

/** What a panel beside the picture says. @param {Avatar} avatar @returns {string} */
export function panelText({ compositor, plate, tracking, problems, calibration, isCalibrating }) {
	const lines = [`Tracking: ${tracking.isOn ? "ON" : `OFF – ${tracking.reason}`}`];
	const { timeline } = compositor;
	if (timeline) {
		const i = Math.min(timeline.sampleAt(plate.timeMs), timeline.statuses.length - 1);
		const seen = compositor.isTracked ? `sample ${i} ${timeline.statuses[i]}` : "no face here: still picture";
		lines.push(
			`frame ${frameAt(timeline, plate.timeMs, i)}  ${plate.timeMs.toFixed(1)} ms  ${seen}`,
			`coverage ${(100 * timeline.coverage).toFixed(1)} %  seam ${timeline.closed ? `${timeline.seamPx} px` : "open"}  clock ${plate.clock}`,
		);
	}
	for (const part of /** @type {Part[]} */ (["mouth", "eyes"])) {
		const { cx, cy, w, h, roll } = compositor.anchors[part];
		lines.push(
			`${part.padEnd(5)} ${cx.toFixed(1)}, ${cy.toFixed(1)}  ${w.toFixed(0)}×${h.toFixed(0)}  ${roll.toFixed(1)}°`,
		);
	}
	if (isCalibrating && calibration) {
		const { x, y, w, h } = calibration.offsets[calibration.part];
		lines.push(`calibrating ${calibration.part}: x ${x}  y ${y}  w ${w}  h ${h}`);
	}
	return [...lines, ...[...problems].map((problem) => `! ${problem}`)].join("\n");
}
