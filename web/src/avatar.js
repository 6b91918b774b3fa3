import { Calibration } from "./calibration.js";
import { Compositor } from "./compositor.js";
import { Folder, idleVideo } from "./pack.js";
import { Plate } from "./plate.js";
import { look, NO_SUPPLY } from "./supply.js";

/** How often a track of cues is looked after where nothing is drawn, ms. */
const UNSEEN_MS = 250;

/**
 * An avatar without a look of its own: loads a pack, plays its video, draws, and keeps the timeline fresh. What
 * it does with mouth and eyes is its `compositor`'s, and stays from pack to pack.
 *
 * Events: `ready` (the pack is loaded), `frame` (one was drawn; the event and its detail are used again for the
 * next), `tracking` (on or off, and why), `fallback` (it is off), `play`, `pause`, `hint` (something that a pack
 * may have is not there), `error` (something is wrong; the avatar goes on without it).
 */
export class Avatar extends EventTarget {
	supply = NO_SUPPLY;
	folder = "";
	/** @type {Set<string>} What is wrong with the pack, in words; what is wrong with its video says `tracking`. */
	problems = new Set();
	/** @type {Set<string>} What the pack does not have, and need not. */
	hints = new Set();
	tracking = { isOn: false, reason: "nothing is loaded" };
	isSwitchedOn = true;
	/** What a person or a script asked for; null is as usual: it plays, unless less motion is asked for. @type {"play" | "pause" | null} */
	wish = null;
	/** Whether the video is loaded and played without being asked. */
	autoplays = true;
	/** How often polling.js asks for a new timeline, s; 0 never. */
	refreshS = 0;
	videoFault = "";
	loading = new AbortController();
	/** Of listeners; aborted while nothing is loaded. */
	life = new AbortController();
	isAlive = false;
	isSeen = true;
	animation = 0;
	detail = { timeMs: 0, isTracked: false };
	frame = new CustomEvent("frame", { detail: this.detail });
	lessMotion = matchMedia("(prefers-reduced-motion: reduce)");

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
	}

	/** Listen and draw, as long as there is something to show. */
	#wake() {
		if (this.isAlive) return;
		this.isAlive = true;
		this.life = new AbortController();
		const { signal } = this.life;
		const { video } = this;
		const { canvas } = this.compositor;
		const decide = () => this.#decide();
		const see = () => this.#see();
		const fail = () => {
			this.videoFault = `${this.supply.videoName} cannot be played: ${video.error?.message || "unknown"}`;
			decide();
		};
		const calm = () => {
			// Who asks for less motion now has a newer wish than who pressed play before.
			if (this.lessMotion.matches && this.wish === "play") this.wish = null;
			decide();
		};
		this.lessMotion.addEventListener("change", calm, { signal });
		video.addEventListener("loadedmetadata", decide, { signal });
		video.addEventListener("error", fail, { signal });
		document.addEventListener("visibilitychange", see, { signal });
		this.plate.listen(signal);
		// A canvas that is in no page may be drawn on for another purpose.
		const observer = new IntersectionObserver((entries) => {
			this.isOnScreen = !canvas.isConnected || entries[entries.length - 1].isIntersecting;
			see();
		});
		observer.observe(canvas);
		signal.addEventListener("abort", () => observer.disconnect());
		this.isSeen = !document.hidden;
		this.#draw();
	}
	isOnScreen = true;
	/** Told what shape the picture has. @type {(target: {width: number, height: number}) => void} */
	onShape = () => {};

	/** Somebody looks, or looks away: what nobody sees is neither drawn nor decoded. */
	#see() {
		const isSeen = this.isOnScreen && !document.hidden;
		if (isSeen === this.isSeen) return;
		this.isSeen = isSeen;
		this.#draw();
		this.#decide();
	}

	#draw() {
		cancelAnimationFrame(this.animation);
		clearTimeout(this.timer);
		if (this.isSeen) this.animation = requestAnimationFrame(this.tick);
		else this.#goOnUnseen();
	}

	/** A track ends for who waits for it, seen or not. */
	#goOnUnseen() {
		if (this.compositor.pack?.mouth) this.compositor.speak(performance.now());
		this.timer = setTimeout(() => this.#goOnUnseen(), UNSEEN_MS);
	}
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	timer;

	/** Show the pack at *folder*, in place of any other. @param {string} folder */
	async load(folder) {
		this.#leave();
		this.#wake();
		const { signal } = this.loading;
		this.folder = new URL(folder.replace(/\/?$/, "/"), document.baseURI).href;
		this.#decide();
		try {
			await this.#load(new Folder(this.folder, signal));
		} catch (error) {
			if (!signal.aborted) this.#tell(String(error));
		}
	}

	/** Face first, then the video, then what lies on it. @param {Folder} folder */
	async #load(folder) {
		const { compositor, loading } = this;
		const { signal } = loading;
		const fault = await folder.readManifest();
		if (fault) this.#tell(fault);
		const { manifest } = folder;
		const id = manifest.id ?? this.folder.split("/").at(-2);
		const showing = folder.loadBase().then((pack) => {
			compositor.use(pack, new Calibration(id, manifest.calibration));
			this.#decide();
			return pack;
		});
		const looking = look(this.folder, idleVideo(manifest), this.supply, signal);
		const [pack, supply] = await Promise.all([showing, looking]);
		signal.throwIfAborted();
		if (!folder.isFound && !supply.videoUrl && !supply.text) {
			compositor.use(null);
			this.#use({ ...supply, fault: "there is no avatar" });
			this.#tell(`there is no avatar at ${this.folder}`);
			return;
		}
		this.#use(supply);
		await this.#firstFrame(signal);
		const { lackOf, loadSprites } = await import("./sprites.js");
		await loadSprites(folder, pack);
		const { fault: lack, hint } = lackOf(folder);
		if (lack) this.#tell(lack);
		if (hint) {
			this.hints.add(hint);
			this.#emit("hint", { message: hint });
		}
		this.#emit("ready", { id, displayName: manifest.displayName ?? id });
	}

	/** Sprites wait for the video's first picture, if one is to come: they share the same line. @param {AbortSignal} signal */
	#firstFrame(signal) {
		const { video } = this;
		if (!video.getAttribute("src") || video.readyState >= 2 || video.error || !this.isSeen) return;
		return new Promise((resolve) => {
			for (const name of ["loadeddata", "error", "suspend", "stalled", "emptied"])
				video.addEventListener(name, resolve, { once: true, signal });
			signal.addEventListener("abort", resolve);
		});
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
		if (supply.videoUrl !== this.supply.videoUrl) this.videoFault = "";
		this.supply = supply;
		this.#decide();
	}

	/** Give the video what it is to play, which may be nothing. */
	#fetchVideo() {
		const { video, supply, compositor } = this;
		// Where overlays can't follow and there is a face, nobody sees the video.
		const obstacle = this.#obstacle();
		const needed = !obstacle || obstacle === "loading" || !compositor.pack?.base;
		const url = needed && this.#isAsked() ? supply.videoUrl : "";
		const now = video.getAttribute("src") ?? "";
		// What is not followed for a while is kept, as long as it is the right one.
		if (url === now || (now && now === supply.videoUrl)) return;
		this.plate.clear();
		if (url) video.src = url;
		else video.removeAttribute("src");
		video.load();
	}

	/** Whether the video is to be loaded and played at all. */
	#isAsked() {
		return this.autoplays || this.wish !== null;
	}

	/** Why the overlays can't follow the video; empty if they can. */
	#obstacle() {
		const { videoWidth, videoHeight } = this.video;
		const { timeline } = this.supply;
		const fault = this.supply.fault || this.videoFault;
		if (!this.folder) return "nothing is loaded";
		if (!this.isSwitchedOn) return "switched off";
		if (this.#isStill()) return "reduced motion is asked for";
		if (fault) return fault;
		if (!this.#isAsked()) return "it waits for play()";
		if (!timeline || !videoWidth) return "loading";
		const { width, height } = timeline.source;
		if (!width || (videoWidth === width && videoHeight === height)) return "";
		return `the timeline is for a ${width}×${height} video, this one is ${videoWidth}×${videoHeight}`;
	}

	/** Less motion is asked for, and nobody asked for this one. */
	#isStill() {
		return this.lessMotion.matches && this.wish !== "play";
	}

	/** Whether the clip is held, for whatever wish. */
	get paused() {
		return this.wish === "pause" || this.#isStill() || !this.#isAsked();
	}

	#decide() {
		const { compositor, video, supply } = this;
		const { timeline } = supply;
		const { pack } = compositor;
		this.#fetchVideo();
		const reason = this.#obstacle();
		compositor.timeline = reason ? null : timeline;
		compositor.moves = !this.lessMotion.matches;
		compositor.target = timeline ?? this.#videoTarget() ?? pack?.manifest.base ?? compositor.target;
		this.resize();
		const isNeeded = !reason || reason === "loading" || !pack?.base;
		if (this.paused || !this.isSeen || !isNeeded) video.pause();
		// Refused where the page may not play yet; the plate still gets the first frame.
		else if (video.paused && video.getAttribute("src")) video.play().catch(() => {});
		if (reason === this.tracking.reason) return;
		this.tracking = { isOn: !reason, reason };
		this.#emit("tracking", this.tracking);
		if (reason) this.#emit("fallback", { reason });
		// No timeline yet is a state; a bad one is a problem.
		const isFault = [supply.fault, this.videoFault].includes(reason) || reason.startsWith("the timeline");
		if (supply.text && reason && isFault) this.#emit("error", { message: reason });
	}

	/** A pack that has only a video is as large as that. */
	#videoTarget() {
		const { videoWidth: width, videoHeight: height } = this.video;
		const { pack } = this.compositor;
		return pack && !pack.base && !pack.mouth && width ? { width, height } : null;
	}

	/** Follow the video (as it starts), or show the still face. @param {boolean} isOn */
	setTracking(isOn) {
		this.isSwitchedOn = isOn;
		this.#decide();
	}

	/** Let the clip go on; also for people who ask for less motion: who says so asks for it. */
	async play() {
		this.#want("play");
		const { video } = this;
		if (this.isSeen && video.getAttribute("src") && video.paused) await video.play();
	}

	/** Hold the clip at the frame it shows. */
	pause() {
		this.#want("pause");
	}

	/** Go to the frame that is shown at *timeMs*, by the timeline's count. @param {number} timeMs */
	seek(timeMs) {
		const { video, supply, plate } = this;
		// Firefox counts from the first frame on, whatever its time is.
		const startMs = plate.clock === "expectedDisplayTime" ? (supply.timeline?.startMs ?? 0) : 0;
		video.currentTime = (timeMs - startMs) / 1000;
	}

	/** @param {"play" | "pause"} wish */
	#want(wish) {
		const was = this.paused;
		this.wish = wish;
		this.#decide();
		if (this.paused !== was) this.#emit(wish);
	}

	/** Give the canvas as many pixels as its place on the screen has, up to twice the target's. */
	resize() {
		const { canvas, target } = this.compositor;
		const shown = Math.min(
			(canvas.clientWidth || target.width) / target.width,
			(canvas.clientHeight || target.height) / target.height,
		);
		const scale = Math.min(2, Math.max(0.25, shown * devicePixelRatio));
		const width = Math.round(target.width * scale);
		const height = Math.round(target.height * scale);
		// Setting a size empties a canvas, even the same one.
		if (canvas.width === width && canvas.height === height) return;
		canvas.width = width;
		canvas.height = height;
		this.plate.isNew = true;
		this.compositor.drawnMs = -1000;
		this.onShape(target);
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

	/** @param {string} name @param {object} [detail] */
	#emit(name, detail) {
		this.events.dispatchEvent(new CustomEvent(name, { detail }));
	}

	/** Take what is shown away. */
	#leave() {
		this.loading.abort();
		this.loading = new AbortController();
		this.folder = "";
		this.problems.clear();
		this.hints.clear();
		this.compositor.use(null);
		this.#use(NO_SUPPLY);
	}

	/** Show nothing, and give everything back; `load` begins anew, and what the mouth was to do is still known. */
	destroy() {
		this.#leave();
		this.isAlive = false;
		this.life.abort();
		cancelAnimationFrame(this.animation);
		clearTimeout(this.timer);
	}
}
