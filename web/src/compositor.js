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

/** How far open an eye is *ms* into a blink: quick down, a moment shut, slower up. @param {number} ms */
export function blinkAt(ms) {
	if (ms < 0 || ms >= 260) return 1;
	if (ms < 80) return 1 - ms / 80;
	return ms < 120 ? 0 : (ms - 120) / 140;
}

/** @type {Record<string, number>} */
const OPENNESS = { open: 1, half: 0.5, closed: 0 };

export class Compositor {
	/**
	 * @param {HTMLCanvasElement} canvas
	 * @param {Plate} plate
	 * @param {() => number} [random]
	 */
	constructor(canvas, plate, random = Math.random) {
		this.canvas = canvas;
		this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
		this.plate = plate;
		this.random = random;
		/** @type {Pack | null} */
		this.pack = null;
		/** @type {Timeline | null} None, or one that belongs to the video on the plate. */
		this.timeline = null;
		/** @type {Calibration | null} */
		this.calibration = null;
		/** @type {Record<Part, Layer | null>} */
		this.layers = { mouth: null, eyes: null };
		this.width = 512;
		this.height = 640;
		this.isTracked = false;
		this.fadeMs = 90;
		this.blinks = true;
		this.moves = true;
		/** @type {Record<Part, Anchor>} Where the parts were drawn last. */
		this.anchors = { mouth: staticAnchor({ x: 0, y: 0, w: 1, h: 1 }), eyes: staticAnchor({ x: 0, y: 0, w: 1, h: 1 }) };
		this.viseme = 0;
		this.openness = 1;
		this.opennessGoal = 1;
		this.gazeX = 0;
		this.gazeY = 0;
		this.lastMs = 0;
		this.blinkMs = 0;
		/** @type {readonly Cue[]} */
		this.cues = [];
		this.nextCue = 0;
		this.cueClock = () => 0;
		/** @type {() => void} */
		this.onCuesEnd = () => {};
	}

	/** @param {Pack} pack */
	use(pack) {
		this.layers.mouth?.destroy();
		this.layers.eyes?.destroy();
		this.pack = pack;
		const { mouth, eyes } = pack.sprites;
		this.layers = { mouth: mouth && new Layer(mouth), eyes: eyes && new Layer(eyes) };
		this.layers.eyes?.weigh(0, 0);
		this.statics = { mouth: staticAnchor(pack.manifest.mouth.anchor), eyes: staticAnchor(pack.manifest.eyes.anchor) };
		this.setViseme("REST");
	}

	/** @param {string} name A viseme of the pack, or one its manifest maps to one; REST for any other. */
	setViseme(name) {
		const names = this.pack?.sprites.mouth?.names ?? [];
		const mapped = this.pack?.manifest.mapping[name] ?? name;
		this.viseme = Math.max(0, names.indexOf(names.includes(mapped) ? mapped : "REST"));
	}

	/** @param {"open" | "half" | "closed"} state */
	setEyes(state) {
		this.opennessGoal = OPENNESS[state] ?? 1;
	}

	/** @param {number} x @param {number} y -1 to 1; right and down are positive. */
	setGaze(x, y) {
		this.gazeX = Math.min(1, Math.max(-1, x));
		this.gazeY = Math.min(1, Math.max(-1, y));
	}

	/**
	 * @param {readonly Cue[]} cues In order of time; each holds until the next.
	 * @param {() => number} clock Milliseconds since the cues began.
	 * @param {() => void} onEnd
	 */
	playCues(cues, clock, onEnd) {
		this.onCuesEnd();
		this.cues = cues;
		this.nextCue = 0;
		this.cueClock = clock;
		this.onCuesEnd = onEnd;
	}

	/** @param {number} nowMs Of the page's clock, as requestAnimationFrame gives it. */
	draw(nowMs) {
		const { context, canvas, plate, pack, timeline, anchors, layers } = this;
		const elapsedMs = Math.min(100, Math.max(0, nowMs - this.lastMs));
		this.lastMs = nowMs;
		plate.update();
		if (!pack || !this.statics) return;
		this.isTracked =
			timeline !== null &&
			plate.hasPicture &&
			timeline.anchorAt("mouth", plate.timeMs, anchors.mouth) &&
			timeline.anchorAt("eyes", plate.timeMs, anchors.eyes);

		let scale = canvas.width / this.width;
		let x = 0;
		let y = 0;
		context.setTransform(1, 0, 0, 1, 0, 0);
		context.globalCompositeOperation = "copy";
		if (this.isTracked) {
			context.drawImage(plate.canvas, 0, 0);
		} else {
			copy(this.statics.mouth, anchors.mouth);
			copy(this.statics.eyes, anchors.eyes);
			const micro = pack.manifest.microMotion;
			if (micro?.enabled && this.moves) {
				const turn = (2 * Math.PI * nowMs) / 1000;
				const breath = 1 + micro.breathingScale * Math.sin(turn * micro.breathingFrequency);
				// The chest stands still at the picture's foot; a video moves by itself and needs none of this.
				x = (canvas.width * (1 - breath)) / 2;
				y = canvas.height * (1 - breath) + scale * micro.headBobAmplitude * Math.sin(turn * micro.headBobFrequency);
				scale *= breath;
			}
			if (pack.base) context.drawImage(pack.base, x, y, this.width * scale, this.height * scale);
			else {
				// Without a still face the video is the better picture, but nobody knows where its mouth is.
				context.drawImage(plate.canvas, 0, 0);
				return;
			}
		}
		this.calibration?.apply("eyes", anchors.eyes);
		this.calibration?.apply("mouth", anchors.mouth);
		if (layers.eyes) {
			this.#moveEyes(layers.eyes, nowMs, elapsedMs);
			layers.eyes.draw(context, anchors.eyes, scale, x, y);
		}
		if (layers.mouth) {
			this.#speak();
			layers.mouth.fade(this.viseme, elapsedMs / this.fadeMs);
			layers.mouth.draw(context, anchors.mouth, scale, x, y);
		}
	}

	/** @param {Layer} eyes @param {number} nowMs @param {number} elapsedMs */
	#moveEyes(eyes, nowMs, elapsedMs) {
		const step = elapsedMs / 120;
		this.openness += Math.min(step, Math.max(-step, this.opennessGoal - this.openness));
		let open = this.openness;
		if (this.blinks) {
			if (nowMs > this.blinkMs + 260) this.blinkMs = nowMs + 2000 + 4000 * this.random();
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
		if (this.nextCue === this.cues.length) this.onCuesEnd();
	}

	destroy() {
		this.layers.mouth?.destroy();
		this.layers.eyes?.destroy();
		this.pack = null;
	}
}

/** @param {Anchor} from @param {Anchor} to */
function copy(from, to) {
	to.cx = from.cx;
	to.cy = from.cy;
	to.w = from.w;
	to.h = from.h;
	to.roll = from.roll;
}
