import { Calibration } from "./calibration.js";
import { Compositor } from "./compositor.js";
import { idleVideo, loadPack } from "./pack.js";
import { Plate } from "./plate.js";
import { look, NO_SUPPLY } from "./supply.js";

/**
 * An avatar without a look of its own: loads a pack, plays its video, draws, and keeps the timeline fresh. What
 * it does with mouth and eyes is its `compositor`'s.
 *
 * Events: `ready` (the pack can be drawn), `frame` (one was drawn; the event and its detail are used again for
 * the next), `tracking` (on or off, and why), `fallback` (it is off), `error` (something is wrong with the
 * pack; the avatar goes on without it).
 */
export class Avatar extends EventTarget {
	calibration = new Calibration("");
	supply = NO_SUPPLY;
	folder = "";
	/** @type {Set<string>} What is wrong with the pack, in words. */
	problems = new Set();
	tracking = { isOn: false, reason: "nothing is loaded" };
	isSwitchedOn = true;
	isPaused = false;
	videoFault = "";
	loading = new AbortController();
	poll = 0;
	detail = { timeMs: 0, isTracked: false };
	life = new AbortController();
	reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

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
		this.frame = new CustomEvent("frame", { detail: this.detail });
		this.tick = this.tick.bind(this);
		this.animation = requestAnimationFrame(this.tick);
		// One signal takes every listener off again.
		const { signal } = this.life;
		this.reducedMotion.addEventListener("change", () => this.#decide(), { signal });
		video.addEventListener("loadedmetadata", () => this.#decide(), { signal });
		const fail = () =>
			this.#fail(`${this.supply.videoName} cannot be played: ${video.error?.message || "unknown format"}`);
		video.addEventListener("error", () => this.#decide(fail()), { signal });
	}

	/** Show the pack at *folder*, in place of any other. @param {string} folder */
	async load(folder) {
		this.loading.abort();
		this.loading = new AbortController();
		const { signal } = this.loading;
		this.folder = new URL(folder.endsWith("/") ? folder : `${folder}/`, document.baseURI).href;
		this.problems.clear();
		this.#use(NO_SUPPLY);
		try {
			const pack = await loadPack(this.folder, signal, (message) => this.#tell(message));
			const id = pack.manifest.id ?? this.folder.split("/").at(-2);
			this.calibration = new Calibration(id, pack.manifest.calibration, this.storage);
			this.compositor.use(pack, this.calibration);
			await this.refresh();
			this.#emit("ready", { id, displayName: pack.manifest.displayName ?? id });
			this.#schedule(signal);
		} catch (error) {
			if (!signal.aborted) this.#tell(String(error));
		}
	}

	/** @param {AbortSignal} signal */
	#schedule(signal) {
		clearTimeout(this.poll);
		if (!this.pollMs || signal.aborted) return;
		this.poll = setTimeout(async () => {
			if (!document.hidden) await this.refresh().catch(() => {});
			this.#schedule(signal);
		}, this.pollMs);
	}

	/** Use a new timeline or video, if the folder has one. */
	async refresh() {
		const { signal } = this.loading;
		const { pack } = this.compositor;
		if (!pack) return;
		const supply = await look(this.folder, idleVideo(pack.manifest), this.supply, signal);
		signal.throwIfAborted();
		this.#use(supply);
	}

	/** @param {import("./supply.js").Supply} supply */
	#use(supply) {
		const { video } = this;
		const before = this.supply;
		this.supply = supply;
		if (supply.fault !== before.fault) {
			this.problems.delete(before.fault);
			// No timeline yet is a state; a bad one is a problem.
			if (supply.text) this.#tell(supply.fault);
		}
		if (supply.videoUrl !== before.videoUrl) {
			this.problems.delete(this.videoFault);
			this.videoFault = "";
			this.compositor.timeline = null;
			this.plate.clear();
			if (supply.videoUrl) video.src = supply.videoUrl;
			else video.removeAttribute("src");
			video.load();
		}
		this.#decide();
	}

	/** Why the overlays can't follow the video; empty if they can. */
	#obstacle() {
		const { videoWidth, videoHeight } = this.video;
		const { fault, timeline } = this.supply;
		if (!this.isSwitchedOn) return "switched off";
		if (this.reducedMotion.matches) return "reduced motion is asked for";
		if (fault || this.videoFault) return fault || this.videoFault;
		if (!timeline || !videoWidth) return "loading";
		const { videoWidth: width, videoHeight: height } = timeline;
		if (!width || (videoWidth === width && videoHeight === height)) return "";
		return this.#fail(`the timeline is for a ${width}×${height} video, this one is ${videoWidth}×${videoHeight}`);
	}

	/** @param {unknown} [_because] */
	#decide(_because) {
		const { compositor, video } = this;
		const { timeline, videoUrl } = this.supply;
		const reason = this.#obstacle();
		compositor.timeline = reason ? null : timeline;
		compositor.moves = !this.reducedMotion.matches;
		const size = timeline ?? compositor.pack?.manifest.base;
		if (size) {
			compositor.width = size.width;
			compositor.height = size.height;
			this.plate.fit = size.fit;
			this.resize();
		}
		if (this.isPaused || (reason && reason !== "loading")) video.pause();
		// Refused where the page may not play yet; the plate still gets the first frame.
		else if (video.paused && videoUrl) video.play().catch(() => {});
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
		const { canvas, compositor, plate } = this;
		const shown = (canvas.clientWidth || compositor.width) * devicePixelRatio;
		const scale = Math.min(2, Math.max(0.25, shown / compositor.width));
		const width = Math.round(compositor.width * scale);
		const height = Math.round(compositor.height * scale);
		// Setting a size empties a canvas, even the same one.
		if (canvas.width !== width) canvas.width = width;
		if (canvas.height !== height) canvas.height = height;
		plate.resize(width, height);
	}

	/** @param {number} nowMs */
	tick(nowMs) {
		this.animation = requestAnimationFrame(this.tick);
		this.compositor.draw(nowMs);
		this.detail.timeMs = this.plate.timeMs;
		this.detail.isTracked = this.compositor.isTracked;
		this.dispatchEvent(this.frame);
	}

	/** The video cannot be used with this timeline. @param {string} fault */
	#fail(fault) {
		this.videoFault = fault;
		this.#tell(fault);
		return fault;
	}

	/** @param {string} message */
	#tell(message) {
		if (!message || this.problems.has(message)) return;
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
		this.life.abort();
		this.loading.abort();
		clearTimeout(this.poll);
		cancelAnimationFrame(this.animation);
		this.video.removeAttribute("src");
		this.video.load();
		this.compositor.destroy();
		this.plate.destroy();
	}
}
