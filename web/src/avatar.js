import { Calibration } from "./calibration.js";
import { Compositor } from "./compositor.js";
import { drawBoxes } from "./debug.js";
import { idleVideo, loadPack } from "./pack.js";
import { Plate } from "./plate.js";
import { look, NO_SUPPLY } from "./supply.js";

/**
 * An avatar without a look of its own: loads a pack, plays its video, draws, and keeps the timeline fresh.
 *
 * Events: `ready` (the pack can be drawn), `frame` (one was drawn; its detail object is used again for the
 * next), `tracking` (on or off, and why), `fallback` (tracking went off), `error` (something is wrong with
 * the pack; the avatar goes on without it).
 *
 * @typedef {import("./compositor.js").Cue} Cue
 * @typedef {{isOn: boolean, reason: string}} Tracking
 */
export class Avatar extends EventTarget {
	/**
	 * @param {HTMLCanvasElement} canvas
	 * @param {HTMLVideoElement} video In the page (a detached one is not decoded), but it need not be seen.
	 * @param {object} [options]
	 * @param {number} [options.pollMs] How often to ask for a new timeline; 0 never.
	 * @param {Storage | null} [options.storage] Where calibration is kept.
	 */
	constructor(canvas, video, { pollMs = 3000, storage = null } = {}) {
		super();
		this.canvas = canvas;
		this.video = video;
		this.pollMs = pollMs;
		this.storage = storage;
		this.plate = new Plate(video);
		this.compositor = new Compositor(canvas, this.plate);
		this.supply = NO_SUPPLY;
		this.videoFault = "";
		/** @type {Calibration | null} */
		this.calibration = null;
		this.isCalibrating = false;
		this.isDebugging = false;
		/** @type {Tracking} */
		this.tracking = { isOn: false, reason: "nothing is loaded" };
		/** @type {Set<string>} What is wrong with the pack, in words. */
		this.problems = new Set();
		this.folder = "";
		this.detail = { timeMs: 0, isTracked: false };
		this.frameEvent = new CustomEvent("frame", { detail: this.detail });
		this.loading = new AbortController();
		this.isSwitchedOn = true;
		this.isPaused = false;
		this.poll = 0;
		this.tick = this.tick.bind(this);
		this.reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
		this.onChange = () => this.#decide();
		this.reducedMotion.addEventListener("change", this.onChange);
		this.onVideoError = () => {
			this.videoFault = `${this.supply.videoName} cannot be played: ${video.error?.message || "unknown format"}`;
			this.#problem(this.videoFault);
			this.#decide();
		};
		video.addEventListener("error", this.onVideoError);
		video.addEventListener("loadedmetadata", this.onChange);
		this.animation = requestAnimationFrame(this.tick);
	}

	/** Show the pack at *folder*, in place of any other. @param {string} folder */
	async load(folder) {
		this.loading.abort();
		this.loading = new AbortController();
		const { signal } = this.loading;
		clearTimeout(this.poll);
		this.folder = new URL(folder.endsWith("/") ? folder : `${folder}/`, document.baseURI).href;
		this.problems.clear();
		this.#use(NO_SUPPLY);
		try {
			const pack = await loadPack(this.folder, signal, (message) => this.#problem(message));
			const id = pack.manifest.id ?? this.folder.split("/").at(-2);
			this.compositor.use(pack);
			this.compositor.calibration = this.calibration = new Calibration(id, pack.manifest.calibration, this.storage);
			await this.refresh();
			signal.throwIfAborted();
			this.#emit("ready", { id, displayName: pack.manifest.displayName ?? id });
		} catch (error) {
			if (signal.aborted) return;
			this.#problem(String(error));
		}
		this.#schedule();
	}

	#schedule() {
		clearTimeout(this.poll);
		if (!this.pollMs) return;
		const { signal } = this.loading;
		this.poll = setTimeout(async () => {
			if (!document.hidden) await this.refresh();
			if (!signal.aborted) this.#schedule();
		}, this.pollMs);
	}

	/** Use a new timeline or video, if the folder has one. */
	async refresh() {
		const { signal } = this.loading;
		const { pack } = this.compositor;
		if (!pack) return;
		const supply = await look(this.folder, idleVideo(pack.manifest), this.supply, signal).catch(() => this.supply);
		if (!signal.aborted) this.#use(supply);
	}

	/** @param {import("./supply.js").Supply} supply */
	#use(supply) {
		const { video, plate } = this;
		const before = this.supply;
		this.supply = supply;
		if (supply.fault !== before.fault) {
			this.problems.delete(before.fault);
			if (supply.text || supply.timeline) this.#problem(supply.fault);
		}
		if (supply.videoUrl !== before.videoUrl) {
			this.problems.delete(this.videoFault);
			this.videoFault = "";
			this.compositor.timeline = null;
			plate.clear();
			if (supply.videoUrl) video.src = supply.videoUrl;
			else video.removeAttribute("src");
			video.load();
		}
		this.#decide();
	}

	/** Why the overlays can't follow the video; empty if they can. @returns {string} */
	#obstacle() {
		const { video, videoFault, reducedMotion, supply } = this;
		if (!this.isSwitchedOn) return "switched off";
		if (reducedMotion.matches) return "reduced motion is asked for";
		if (supply.fault || videoFault) return supply.fault || videoFault;
		if (!supply.timeline || !video.videoWidth) return "loading";
		const { videoWidth, videoHeight } = supply.timeline;
		if (!videoWidth || (video.videoWidth === videoWidth && video.videoHeight === videoHeight)) return "";
		this.videoFault = `the timeline is for a ${videoWidth}×${videoHeight} video, this one is ${video.videoWidth}×${video.videoHeight}`;
		this.#problem(this.videoFault);
		return this.videoFault;
	}

	#decide() {
		const { compositor, video, reducedMotion } = this;
		const { timeline } = this.supply;
		const reason = this.#obstacle();
		compositor.timeline = reason ? null : timeline;
		compositor.moves = compositor.blinks = !reducedMotion.matches;
		const size = timeline ?? compositor.pack?.manifest.base;
		if (size) {
			compositor.width = size.width;
			compositor.height = size.height;
			this.plate.fit = timeline?.fit ?? "contain";
			this.resize();
		}
		if (this.isPaused || (reason && reason !== "loading")) video.pause();
		// Refused where the page may not play yet; the plate still gets the first frame.
		else if (video.paused && this.supply.videoUrl) video.play().catch(() => {});
		if (reason === this.tracking.reason) return;
		this.tracking = { isOn: !reason, reason };
		console.info(`Tracking: ${reason ? `OFF (${reason})` : "ON"}`);
		this.#emit("tracking", this.tracking);
		if (reason) this.#emit("fallback", { reason });
	}

	/** Follow the video (as it starts), or show the still face. @param {boolean} isOn */
	setTracking(isOn) {
		this.isSwitchedOn = isOn;
		this.#decide();
	}

	/** Hold the video at the frame it shows, or let it go on. @param {boolean} isPaused */
	setPaused(isPaused) {
		this.isPaused = isPaused;
		this.#decide();
	}

	/** Give the canvas as many pixels as its place on the screen has, up to twice the target's. */
	resize() {
		const { width, height } = this.compositor;
		const shown = this.canvas.clientWidth || width;
		const scale = Math.min(2, Math.max(0.25, (shown * devicePixelRatio) / width));
		const w = Math.round(width * scale);
		const h = Math.round(height * scale);
		if (this.canvas.width !== w || this.canvas.height !== h) {
			this.canvas.width = w;
			this.canvas.height = h;
		}
		this.plate.resize(w, h);
	}

	/** @param {number} nowMs */
	tick(nowMs) {
		this.animation = requestAnimationFrame(this.tick);
		this.compositor.draw(nowMs);
		if (this.isDebugging || this.isCalibrating)
			drawBoxes(this, this.isCalibrating && this.calibration ? this.calibration.part : null);
		this.detail.timeMs = this.plate.timeMs;
		this.detail.isTracked = this.compositor.isTracked;
		this.dispatchEvent(this.frameEvent);
	}

	/** @param {string} name */
	setViseme(name) {
		this.compositor.setViseme(name);
	}

	/** @param {"open" | "half" | "closed"} state */
	setEyes(state) {
		this.compositor.setEyes(state);
	}

	/** @param {number} x @param {number} y -1 to 1; right and down are positive. */
	setGaze(x, y) {
		this.compositor.setGaze(x, y);
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
		return new Promise((resolve) => {
			this.compositor.playCues(cues, clock ?? (() => performance.now() - startMs), resolve);
			if (!cues.length) resolve();
		});
	}

	stopCues() {
		this.compositor.playCues(
			[],
			() => 0,
			() => {},
		);
		this.setViseme("REST");
	}

	/** @param {string} message */
	#problem(message) {
		if (this.problems.has(message)) return;
		this.problems.add(message);
		console.warn(`anchord: ${message}`);
		this.#emit("error", { message });
	}

	/** @param {string} name @param {object} detail */
	#emit(name, detail) {
		this.dispatchEvent(new CustomEvent(name, { detail }));
	}

	/** Stop for good, and give everything back. */
	destroy() {
		this.loading.abort();
		clearTimeout(this.poll);
		cancelAnimationFrame(this.animation);
		this.reducedMotion.removeEventListener("change", this.onChange);
		this.video.removeEventListener("error", this.onVideoError);
		this.video.removeEventListener("loadedmetadata", this.onChange);
		this.video.removeAttribute("src");
		this.video.load();
		this.compositor.onCuesEnd();
		this.compositor.destroy();
		this.plate.destroy();
	}
}
