import { Layer } from "./layer.js";
import { staticAnchor } from "./pack.js";

/**
 * Draws one picture: base, then eyes, then mouth. Time is an argument, and nothing is allocated per frame.
 *
 * @typedef {import("./calibration.js").Calibration} Calibration
 * @typedef {import("./pack.js").Pack} Pack
 * @typedef {import("./plate.js").Plate} Plate
 * @typedef {import("./timeline.js").Anchor} Anchor
 * @typedef {import("./timeline.js").Part} Part
 * @typedef {import("./timeline.js").Timeline} Timeline
 * @typedef {{t_ms: number, viseme: string}} Cue
 */

const BLINK_MS = 260;

/** How far open an eye is *ms* into a blink: quick down, a moment shut, slower up. @param {number} ms */
export function blinkAt(ms) {
	if (ms < 0 || ms >= BLINK_MS) return 1;
	return Math.max(0, 1 - ms / 80, (ms - 120) / 140);
}

const nowhere = () => staticAnchor({ x: 0, y: 0, w: 1, h: 1 });

export class Compositor {
	/** @type {Pack | null} */
	pack = null;
	/** @type {Timeline | null} None, or one that belongs to the video on the plate. */
	timeline = null;
	/** @type {Calibration | null} */
	calibration = null;
	/** @type {Layer | null} */
	mouth = null;
	/** @type {Layer | null} */
	eyes = null;
	width = 512;
	height = 640;
	fadeMs = 90;
	/** Whether the eyes blink and a still face breathes. */
	moves = true;
	isTracked = false;
	/** @type {Record<Part, Anchor>} Where the parts were drawn last. */
	anchors = { mouth: nowhere(), eyes: nowhere() };
	statics = { mouth: nowhere(), eyes: nowhere() };
	viseme = 0;
	openness = 1;
	opennessGoal = 1;
	gazeX = 0;
	gazeY = 0;
	lastMs = 0;
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
		this.destroy();
		this.pack = pack;
		this.calibration = calibration;
		const { manifest, sprites } = pack;
		this.mouth = sprites.mouth && new Layer(sprites.mouth);
		this.eyes = sprites.eyes && new Layer(sprites.eyes);
		this.mouth?.weigh(0, 1);
		this.statics = { mouth: staticAnchor(manifest.mouth.anchor), eyes: staticAnchor(manifest.eyes.anchor) };
		this.setViseme("REST");
	}

	/** @param {string} name A viseme of the pack, or one its manifest maps to one; REST for any other. */
	setViseme(name) {
		const names = this.mouth?.sprites.names ?? [];
		const mapped = this.pack?.manifest.mapping[name] ?? name;
		this.viseme = Math.max(0, names.indexOf(names.includes(mapped) ? mapped : "REST"));
	}

	/** @param {"open" | "half" | "closed"} state */
	setEyes(state) {
		this.opennessGoal = { closed: 0, half: 0.5, open: 1 }[state] ?? 1;
	}

	/** @param {number} x @param {number} y -1 to 1; right and down are positive. */
	setGaze(x, y) {
		this.gazeX = Math.min(1, Math.max(-1, x));
		this.gazeY = Math.min(1, Math.max(-1, y));
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

	/** @param {number} nowMs Of the page's clock, as requestAnimationFrame gives it. */
	draw(nowMs) {
		const { context, canvas, plate, pack, timeline, anchors, eyes, mouth, calibration } = this;
		const elapsedMs = Math.min(100, Math.max(0, nowMs - this.lastMs));
		this.lastMs = nowMs;
		plate.update();
		if (!pack) return;
		this.isTracked =
			plate.hasPicture &&
			timeline?.anchorAt("mouth", plate.timeMs, anchors.mouth) === true &&
			timeline.anchorAt("eyes", plate.timeMs, anchors.eyes);
		let scale = canvas.width / this.width;
		let x = 0;
		let y = 0;
		context.setTransform(1, 0, 0, 1, 0, 0);
		context.globalCompositeOperation = "copy";
		if (this.isTracked || !pack.base) {
			context.drawImage(plate.canvas, 0, 0);
			// Without a still face the video is the better picture, but nobody knows where its mouth is.
			if (!this.isTracked) return;
		} else {
			Object.assign(anchors.mouth, this.statics.mouth);
			Object.assign(anchors.eyes, this.statics.eyes);
			const micro = pack.manifest.microMotion;
			if (micro?.enabled && this.moves) {
				// The chest stands still at the picture's foot; a video moves by itself and needs none of this.
				const breath = 1 + micro.breathingScale * wave(nowMs, micro.breathingFrequency);
				x = (canvas.width * (1 - breath)) / 2;
				y = canvas.height * (1 - breath) + scale * micro.headBobAmplitude * wave(nowMs, micro.headBobFrequency);
				scale *= breath;
			}
			context.drawImage(pack.base, x, y, this.width * scale, this.height * scale);
		}
		calibration?.apply("eyes", anchors.eyes);
		calibration?.apply("mouth", anchors.mouth);
		if (eyes) {
			this.#look(eyes, nowMs, elapsedMs);
			eyes.draw(context, anchors.eyes, scale, x, y);
		}
		if (mouth) {
			this.#speak();
			mouth.fade(this.viseme, elapsedMs / this.fadeMs);
			mouth.draw(context, anchors.mouth, scale, x, y);
		}
	}

	/** @param {Layer} eyes @param {number} nowMs @param {number} elapsedMs */
	#look(eyes, nowMs, elapsedMs) {
		const step = elapsedMs / 120;
		this.openness += Math.min(step, Math.max(-step, this.opennessGoal - this.openness));
		let open = this.openness;
		if (this.moves) {
			if (nowMs > this.blinkMs + BLINK_MS) this.blinkMs = nowMs + 2000 + 4000 * Math.random();
			open = Math.min(open, blinkAt(nowMs - this.blinkMs));
		}
		const { names } = eyes.sprites;
		const half = names.indexOf("half");
		// Between neighbours only; an eye without a picture for its state is the video's own.
		eyes.weigh(names.indexOf("open"), half < 0 ? open : Math.max(0, 2 * open - 1));
		eyes.weigh(half, 1 - Math.abs(2 * open - 1));
		eyes.weigh(names.indexOf("closed"), half < 0 ? 1 - open : Math.max(0, 1 - 2 * open));
		const { pupil } = /** @type {Pack} */ (this.pack).manifest.eyes;
		if (pupil.enabled) eyes.shift(this.gazeX * pupil.maxOffsetX, this.gazeY * pupil.maxOffsetY);
	}

	#speak() {
		if (this.nextCue >= this.cues.length) return;
		// A fade is half done when its viseme is due.
		const dueMs = this.cueClock() + this.fadeMs / 2;
		while (this.nextCue < this.cues.length && this.cues[this.nextCue].t_ms <= dueMs) {
			this.setViseme(this.cues[this.nextCue++].viseme);
		}
		if (this.nextCue === this.cues.length) this.endCues();
	}

	destroy() {
		this.endCues();
		this.mouth?.destroy();
		this.eyes?.destroy();
		this.pack = this.mouth = this.eyes = null;
	}
}

/** @param {number} nowMs @param {number} hz */
const wave = (nowMs, hz) => Math.sin((2 * Math.PI * hz * nowMs) / 1000);
