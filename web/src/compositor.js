import { Calibration } from "./calibration.js";
import { checkedCues, CueTrack } from "./cues.js";
import { place, referenceOf } from "./placing.js";

/**
 * Draws one picture: base, then eyes, then mouth. Time is an argument, and nothing is allocated per frame.
 *
 * @import { Layer } from "./layer.js"
 * @import { Plate } from "./plate.js"
 * @import { Timeline } from "./timeline.js"
 * @import { Anchor, Cue, Pack, Part, Target } from "./types.js"
 */

const BLINK_MS = 260;
/** Eyes and a still face that move less often than this look slow. */
const SLOW_MS = 50;
/** From a drawing to the screen: half a refresh, so that a mouth is neither early nor late on average. */
const AHEAD_MS = 8;
/** Lids, and how far open they are: from 1 down to 0. */
const LIDS = ["open", "half", "closed"];

/** How far open an eye is *ms* into a blink: quick down, a moment shut, slower up. @param {number} ms */
export function blinkAt(ms) {
	return ms < 0 ? 1 : Math.min(1, Math.max(0, 1 - ms / 80, (ms - 120) / 140));
}

/** @param {number} nowMs @param {number} hz */
const wave = (nowMs, hz) => Math.sin((Math.PI * hz * nowMs) / 500);

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
	/** Whether the eyes blink and a still face breathes. */
	moves = true;
	isTracked = false;
	/** @type {Record<Part, Anchor>} Where the parts were drawn last. */
	anchors = { mouth: nowhere(), eyes: nowhere() };
	/** @type {import("./light.js").Lighting | null} */
	lighting = null;
	/** What the mouth was asked to show; kept from pack to pack. */
	viseme = "REST";
	openness = 1;
	opennessGoal = 1;
	gazeX = 0;
	gazeY = 0;
	lastMs = 0;
	/** When the canvas got a frame of the video, if that is what it shows. */
	drawnMs = 0;
	blinkMs = 0;
	track = new CueTrack([]);
	/** What the references were made of. @type {Timeline | null} */
	placed = null;
	/** @type {ReturnType<typeof referenceOf> | null} */
	references = null;

	/** @param {HTMLCanvasElement} canvas @param {Plate} plate */
	constructor(canvas, plate) {
		this.canvas = canvas;
		this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
		this.plate = plate;
	}

	/** @param {Pack | null} pack @param {Calibration} [calibration] */
	use(pack, calibration = new Calibration("")) {
		this.context.reset?.();
		this.pack = pack;
		this.calibration = calibration;
		this.placed = null;
		this.drawnMs = -SLOW_MS;
		this.isTracked = false;
	}

	/** @param {string} name A viseme of the pack, or one its manifest maps to one; REST for any other. */
	setViseme(name) {
		this.viseme = String(name);
	}

	/** Of the cell that shows the viseme; a pack may lack it, and even REST. @param {Layer} mouth */
	#cell({ names }) {
		const mapped = this.pack?.manifest.mapping?.[this.viseme] ?? this.viseme;
		return Math.max(0, names.indexOf(names.includes(mapped) ? mapped : "REST"));
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
	 * @param {() => number} [clock] Milliseconds since the track began, such as an audio's time; else the page's,
	 *   from when there is a mouth.
	 * @returns {Promise<void>} Kept when the last cue was reached or the track was replaced.
	 * @throws {TypeError} What is wrong with the cues.
	 */
	playCues(cues, clock) {
		const track = new CueTrack(checkedCues(cues), clock);
		this.track.end();
		this.track = track;
		return track.ended;
	}

	stopCues() {
		this.playCues([]);
		this.setViseme("REST");
	}

	/** Let the mouth say what is due; also where nothing is drawn, so that a track ends there too. @param {number} nowMs */
	speak(nowMs) {
		this.viseme = this.track.due(nowMs, AHEAD_MS) ?? this.viseme;
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
		const { base, mouth, eyes, statics } = pack;
		if (eyes) this.#look(eyes, nowMs, elapsedMs);
		if (mouth) {
			this.speak(nowMs);
			mouth.show(this.#cell(mouth));
		}

		// Without a still face the video is the better picture, but nobody knows where its mouth is.
		const follows = timeline || !base;
		// Eyes move with the video's frames, and by themselves only where those are slow or stand; a mouth that is a
		// frame late can be seen.
		const isDue = follows ? plate.isNew : eyes?.isStale;
		if (!isDue && !mouth?.isStale && nowMs - this.drawnMs < SLOW_MS) return false;
		if (follows) {
			// At a loop's end there is no frame for a moment: the last picture stays.
			if (!plate.draw(context, target) && plate.hasPicture) return false;
		}
		this.drawnMs = nowMs;
		this.isTracked =
			timeline !== null &&
			plate.hasPicture &&
			timeline.anchorAt("mouth", plate.timeMs, anchors.mouth) &&
			timeline.anchorAt("eyes", plate.timeMs, anchors.eyes);
		if (this.isTracked && timeline) {
			if (this.placed !== timeline) {
				this.placed = timeline;
				this.references = referenceOf(timeline, statics);
				this.lighting = null;
				if (timeline.json.frames[0].light) import("./light.js").then(({ light }) => light(this, timeline));
			}
			this.lighting?.apply(plate.timeMs, mouth, eyes);
			if (this.references && !mouth?.cover) place(anchors.mouth, this.references.mouth, statics.mouth);
			if (this.references && !eyes?.cover) place(anchors.eyes, this.references.eyes, statics.eyes);
		}
		let scale = canvas.width / target.width;
		let x = 0;
		let y = 0;
		if (!this.isTracked) {
			if (!base) return true;
			Object.assign(anchors.mouth, statics.mouth);
			Object.assign(anchors.eyes, statics.eyes);
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
		let best = 0;
		for (let i = 0; i < LIDS.length; i++) {
			// Without a picture of open eyes the video's own are the open ones.
			if (i && !eyes.names.includes(LIDS[i])) continue;
			if (Math.abs(open - 1 + i / 2) < Math.abs(open - 1 + best / 2)) best = i;
		}
		eyes.show(eyes.names.indexOf(LIDS[best]));
		const { pupil } = /** @type {Pack} */ (this.pack).manifest.eyes;
		if (pupil.enabled) eyes.shift(this.gazeX * pupil.maxOffsetX, this.gazeY * pupil.maxOffsetY);
	}
}
