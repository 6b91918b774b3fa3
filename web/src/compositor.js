import { Calibration } from "./calibration.js";

/**
 * Draws one picture: base, then eyes, then mouth. Time is an argument, and nothing is allocated per frame.
 *
 * @import { Layer } from "./layer.js"
 * @import { Plate } from "./plate.js"
 * @import { Timeline } from "./timeline.js"
 * @import { Anchor, Cue, Pack, Part, Target } from "./types.js"
 */

const BLINK_MS = 260;
/** Lips that move less often than this look slow. */
const SLOW_MS = 50;

/** How far open an eye is *ms* into a blink: quick down, a moment shut, slower up. @param {number} ms */
export function blinkAt(ms) {
	return ms < 0 ? 1 : Math.min(1, Math.max(0, 1 - ms / 80, (ms - 120) / 140));
}

/** @param {number} nowMs @param {number} hz */
const wave = (nowMs, hz) => Math.sin((2 * Math.PI * hz * nowMs) / 1000);

/** @param {number} value @param {number} least @param {number} most */
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

const nowhere = () => ({ cx: 0, cy: 0, w: 0, h: 0, roll: 0 });

export class Compositor {
	/** @type {Pack | null} */
	pack = null;
	/** @type {Timeline | null} None, or one that belongs to the video on the plate. */
	timeline = null;
	calibration = new Calibration("");
	/** Whose pixels anchors are in. @type {Target} */
	target = { width: 512, height: 640 };
	fadeMs = 90;
	/** Whether the eyes blink and a still face breathes. */
	moves = true;
	isTracked = false;
	/** @type {Record<Part, Anchor>} Where the parts were drawn last. */
	anchors = { mouth: nowhere(), eyes: nowhere() };
	viseme = 0;
	openness = 1;
	opennessGoal = 1;
	gazeX = 0;
	gazeY = 0;
	lastMs = 0;
	/** When the canvas got a frame of the video, if that is what it shows. */
	drawnMs = 0;
	blinkMs = 0;
	/** @type {readonly Cue[]} */
	cues = [];
	nextCue = 0;
	cueClock = () => 0;
	/** @type {() => void} */
	endCues = () => {};

	/** @param {HTMLCanvasElement} canvas @param {Plate} plate */
	constructor(canvas, plate) {
		this.canvas = canvas;
		this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
		this.plate = plate;
	}

	/** @param {Pack} pack @param {Calibration} calibration */
	use(pack, calibration) {
		this.context.reset?.();
		this.endCues();
		this.pack = pack;
		this.calibration = calibration;
		this.setViseme("REST");
		pack.mouth?.fade(this.viseme, 1);
	}

	/** @param {string} name A viseme of the pack, or one its manifest maps to one; REST for any other. */
	setViseme(name) {
		const names = this.pack?.mouth?.names ?? [];
		const mapped = this.pack?.manifest.mapping?.[name] ?? name;
		this.viseme = Math.max(0, names.indexOf(names.includes(mapped) ? mapped : "REST"));
	}

	/** @param {"open" | "half" | "closed"} state */
	setEyes(state) {
		this.opennessGoal = { closed: 0, half: 0.5, open: 1 }[state] ?? 1;
	}

	/** @param {number} x @param {number} y -1 to 1; right and down are positive. */
	setGaze(x, y) {
		this.gazeX = clamp(x, -1, 1);
		this.gazeY = clamp(y, -1, 1);
	}

	/**
	 * Move the mouth through *cues*; a new track replaces the old.
	 *
	 * @param {readonly Cue[]} cues In order of `t_ms`; each holds until the next.
	 * @param {() => number} [clock] Milliseconds since the track began, such as an audio's time; else the page's.
	 * @returns {Promise<void>} Kept when the last cue was reached or the track was replaced.
	 */
	playCues(cues, clock) {
		const startMs = performance.now();
		this.endCues();
		this.cues = cues;
		this.nextCue = 0;
		this.cueClock = clock ?? (() => performance.now() - startMs);
		return new Promise((resolve) => {
			this.endCues = resolve;
			if (!cues.length) resolve();
		});
	}

	stopCues() {
		this.playCues([]);
		this.setViseme("REST");
	}

	/**
	 * Draw what is due; false where what is on the canvas already is right.
	 *
	 * @param {number} nowMs Of the page's clock, as requestAnimationFrame gives it.
	 */
	draw(nowMs) {
		const { context, canvas, plate, pack, timeline, target, anchors, calibration } = this;
		const elapsedMs = clamp(nowMs - this.lastMs, 0, 100);
		this.lastMs = nowMs;
		if (!pack) {
			this.isTracked = false;
			return false;
		}
		const { base, mouth, eyes } = pack;
		if (eyes) this.#look(eyes, nowMs, elapsedMs);
		this.#speak();
		mouth?.fade(this.viseme, elapsedMs / this.fadeMs);

		// Without a still face the video is the better picture, but nobody knows where its mouth is.
		const follows = timeline || !base;
		if (follows) {
			// What moves, moves with the video's frames, and by itself only where those are slow or stand.
			if (!plate.isNew && nowMs - this.drawnMs < SLOW_MS) return false;
			// At a loop's end there is no frame for a moment: the last picture stays.
			if (!plate.draw(context, target) && plate.hasPicture) return false;
		}
		this.drawnMs = follows ? nowMs : -SLOW_MS;
		this.isTracked =
			timeline !== null &&
			plate.hasPicture &&
			timeline.anchorAt("mouth", plate.timeMs, anchors.mouth) &&
			timeline.anchorAt("eyes", plate.timeMs, anchors.eyes);
		let scale = canvas.width / target.width;
		let x = 0;
		let y = 0;
		if (!this.isTracked) {
			if (!base) return true;
			Object.assign(anchors.mouth, pack.statics.mouth);
			Object.assign(anchors.eyes, pack.statics.eyes);
			const micro = pack.manifest.microMotion;
			if (micro?.enabled && this.moves) {
				// The chest stands still at the picture's foot; a video moves by itself and needs none of this.
				const breath = 1 + micro.breathingScale * wave(nowMs, micro.breathingFrequency);
				x = (canvas.width * (1 - breath)) / 2;
				y = canvas.height * (1 - breath) + scale * micro.headBobAmplitude * wave(nowMs, micro.headBobFrequency);
				scale *= breath;
			}
			context.resetTransform();
			context.globalCompositeOperation = "copy";
			context.drawImage(base, x, y, target.width * scale, target.height * scale);
		}
		calibration.apply("eyes", anchors.eyes);
		calibration.apply("mouth", anchors.mouth);
		eyes?.draw(context, anchors.eyes, scale, x, y);
		mouth?.draw(context, anchors.mouth, scale, x, y);
		return true;
	}

	/** @param {Layer} eyes @param {number} nowMs @param {number} elapsedMs */
	#look(eyes, nowMs, elapsedMs) {
		const step = elapsedMs / 120;
		this.openness += clamp(this.opennessGoal - this.openness, -step, step);
		let open = this.openness;
		if (this.moves) {
			if (nowMs > this.blinkMs + BLINK_MS) this.blinkMs = nowMs + 2000 + 4000 * Math.random();
			open = Math.min(open, blinkAt(nowMs - this.blinkMs));
		}
		// Between neighbours only.
		const half = eyes.names.includes("half") ? 1 - Math.abs(2 * open - 1) : 0;
		eyes.weigh("half", half);
		eyes.weigh("open", open - half / 2);
		eyes.weigh("closed", 1 - open - half / 2);
		const { pupil } = /** @type {Pack} */ (this.pack).manifest.eyes;
		if (pupil.enabled) eyes.shift(this.gazeX * pupil.maxOffsetX, this.gazeY * pupil.maxOffsetY);
	}

	#speak() {
		const { cues } = this;
		if (this.nextCue >= cues.length) return;
		// A fade is half done when its viseme is due.
		const dueMs = this.cueClock() + this.fadeMs / 2;
		while (this.nextCue < cues.length && cues[this.nextCue].t_ms <= dueMs) {
			this.setViseme(cues[this.nextCue++].viseme);
		}
		if (this.nextCue === cues.length) this.endCues();
	}
}
