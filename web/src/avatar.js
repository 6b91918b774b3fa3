import { Calibration } from "./calibration.js";
import { Compositor } from "./compositor.js";
import { idleVideo, loadPack } from "./pack.js";
import { Plate } from "./plate.js";
import { look, NO_SUPPLY } from "./supply.js";

/** Why an avatar may stand still though nothing is wrong. */
const WISHES = ["", "loading", "switched off", "reduced motion is asked for"];

/**
 * An avatar without a look of its own: loads a pack, plays its video, draws, and keeps the timeline fresh. What
 * it does with mouth and eyes is its `compositor`'s.
 *
 * Events: `ready` (the pack can be drawn), `frame` (one was drawn; the event and its detail are used again for
 * the next), `tracking` (on or off, and why), `fallback` (it is off), `error` (something is wrong with the
 * pack; the avatar goes on without it).
 */
export class Avatar extends EventTarget {
	supply = NO_SUPPLY;
	folder = "";
	/** @type {Set<string>} What is wrong with the pack, in words; what is wrong with its video says `tracking`. */
	problems = new Set();
	tracking = { isOn: false, reason: "nothing is loaded" };
	isSwitchedOn = true;
	isPaused = false;
	/** How often to ask for a new timeline; 0 never. */
	pollMs = 3000;
	videoFault = "";
	loading = new AbortController();
	life = new AbortController();
	detail = { timeMs: 0, isTracked: false };
	frame = new CustomEvent("frame", { detail: this.detail });
	reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

	/**
	 * @param {HTMLCanvasElement} canvas
	 * @param {HTMLVideoElement} video In the page (a detached one is not decoded), but it need not be seen.
	 * @param {EventTarget} [events] Who dispatches the events, if not the avatar itself.
	 */
	constructor(canvas, video, events) {
		super();
		/** @type {EventTarget} */
		this.events = events ?? this;
		this.video = video;
		this.plate = new Plate(video);
		this.compositor = new Compositor(canvas, this.plate);
		this.animation = requestAnimationFrame(this.tick);
		const decide = () => this.#decide();
		const fail = () => {
			this.videoFault = `${this.supply.videoName} cannot be played: ${video.error?.message || "unknown format"}`;
			decide();
		};
		// One signal takes every listener off again.
		const { signal } = this.life;
		this.reducedMotion.addEventListener("change", decide, { signal });
		video.addEventListener("loadedmetadata", decide, { signal });
		video.addEventListener("error", fail, { signal });
	}

	/** Show the pack at *folder*, in place of any other. @param {string} folder */
	async load(folder) {
		this.loading.abort();
		this.loading = new AbortController();
		const { signal } = this.loading;
		this.folder = new URL(folder.replace(/\/?$/, "/"), document.baseURI).href;
		this.problems.clear();
		this.compositor.pack = null;
		this.#use(NO_SUPPLY);
		try {
			const pack = await loadPack(this.folder, signal, (message) => this.#tell(message));
			const { manifest } = pack;
			const id = manifest.id ?? this.folder.split("/").at(-2);
			this.compositor.use(pack, new Calibration(id, manifest.calibration));
			await this.refresh();
			signal.throwIfAborted();
			this.#emit("ready", { id, displayName: manifest.displayName ?? id });
			this.#poll(signal);
		} catch (error) {
			if (!signal.aborted) this.#tell(String(error));
		}
	}

	/** @param {AbortSignal} signal */
	async #poll(signal) {
		while (this.pollMs && !signal.aborted) {
			await new Promise((resolve) => setTimeout(resolve, this.pollMs));
			if (!document.hidden && !signal.aborted) await this.refresh();
		}
	}

	/** Use a new timeline or video, if the folder has one. */
	async refresh() {
		const { signal } = this.loading;
		const { pack } = this.compositor;
		if (!pack || signal.aborted) return;
		const supply = await look(this.folder, idleVideo(pack.manifest), this.supply, signal);
		if (!signal.aborted) this.#use(supply);
	}

	/** @param {import("./types.js").Supply} supply */
	#use(supply) {
		const { video } = this;
		if (supply.videoUrl !== this.supply.videoUrl) {
			this.videoFault = "";
			this.plate.clear();
			if (supply.videoUrl) video.src = supply.videoUrl;
			else video.removeAttribute("src");
			video.load();
		}
		this.supply = supply;
		this.#decide();
	}

	/** Why the overlays can't follow the video; empty if they can. */
	#obstacle() {
		const { videoWidth, videoHeight } = this.video;
		const { timeline } = this.supply;
		const fault = this.supply.fault || this.videoFault;
		if (!this.isSwitchedOn) return "switched off";
		if (this.reducedMotion.matches) return "reduced motion is asked for";
		if (fault) return fault;
		if (!timeline || !videoWidth) return "loading";
		const { width, height } = timeline.source;
		if (!width || (videoWidth === width && videoHeight === height)) return "";
		return `the timeline is for a ${width}×${height} video, this one is ${videoWidth}×${videoHeight}`;
	}

	#decide() {
		const { compositor, video, supply } = this;
		const { timeline } = supply;
		const reason = this.#obstacle();
		compositor.timeline = reason ? null : timeline;
		compositor.moves = !this.reducedMotion.matches;
		compositor.target = timeline ?? compositor.pack?.manifest.base ?? compositor.target;
		this.resize();
		if (this.isPaused || (reason && reason !== "loading")) video.pause();
		// Refused where the page may not play yet; the plate still gets the first frame.
		else if (video.paused && supply.videoUrl) video.play().catch(() => {});
		if (reason === this.tracking.reason) return;
		this.tracking = { isOn: !reason, reason };
		console.info(`Tracking: ${reason ? `OFF (${reason})` : "ON"}`);
		this.#emit("tracking", this.tracking);
		if (reason) this.#emit("fallback", { reason });
		// No timeline yet is a state; a bad one is a problem.
		if (supply.text && !WISHES.includes(reason)) this.#emit("error", { message: reason });
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
		const { canvas, target } = this.compositor;
		const shown = (canvas.clientWidth || target.width) * devicePixelRatio;
		const scale = Math.min(2, Math.max(0.25, shown / target.width));
		const width = Math.round(target.width * scale);
		const height = Math.round(target.height * scale);
		// Setting a size empties a canvas, even the same one.
		if (canvas.width === width && canvas.height === height) return;
		canvas.width = width;
		canvas.height = height;
		this.plate.isNew = true;
	}

	/** @param {number} nowMs */
	tick = (nowMs) => {
		this.animation = requestAnimationFrame(this.tick);
		if (!this.compositor.draw(nowMs)) return;
		this.detail.timeMs = this.plate.timeMs;
		this.detail.isTracked = this.compositor.isTracked;
		this.events.dispatchEvent(this.frame);
	};

	/** @param {string} message */
	#tell(message) {
		this.problems.add(message);
		console.warn(`anchord: ${message}`);
		this.#emit("error", { message });
	}

	/** @param {string} name @param {object} detail */
	#emit(name, detail) {
		this.events.dispatchEvent(new CustomEvent(name, { detail }));
	}

	/** Stop for good, and give everything back. */
	destroy() {
		this.life.abort();
		this.loading.abort();
		cancelAnimationFrame(this.animation);
		this.video.removeAttribute("src");
		this.video.load();
		this.compositor.endCues();
		this.compositor.pack = null;
		this.plate.destroy();
	}
}
