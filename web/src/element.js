import { Avatar } from "./avatar.js";

/**
 * `<anchor-avatar src="avatars/ID/">`: an avatar in the page. README tells of its attributes, events and parts.
 *
 * @import { Cue } from "./types.js"
 * @typedef {AnchorAvatar & import("./properties.js").Properties} Whole With its attributes as properties.
 */

const STYLE = `
:host { display: block; position: relative; max-width: 512px; aspect-ratio: 4 / 5; }
:host(:focus-visible) { outline: var(--anchor-avatar-focus, 3px solid Highlight); outline-offset: 3px; }
canvas, img { display: block; width: 100%; height: 100%; object-fit: contain; }
img { position: absolute; inset: 0; }
:host([hidden]), [hidden] { display: none; }
video { position: absolute; inset: 0; width: 1px; height: 1px; opacity: 0; }
`;

/** Where there is no page, as in Node, the module can still be imported. @type {typeof HTMLElement} */
const Base = globalThis.HTMLElement ?? class {};

/** Attributes as properties, both ways; `properties.js` has their types. @type {Record<string, string | number | boolean>} */
const PROPERTIES = {
	src: "",
	label: "",
	poster: "",
	loading: "eager",
	preload: "auto",
	refresh: 0,
	debug: false,
	calibrate: false,
	keys: false,
};
export class AnchorAvatar extends Base {
	static observedAttributes = Object.keys(PROPERTIES);

	/** @type {Promise<void> | null} What few need, from when it is asked for. */
	tools = null;
	/** The tools' own, from when they are there. */
	toolStyle = "";
	/** What is shown. */
	#shown = "";
	#isNear = false;
	/** @type {AbortController | null} */
	#nearing = null;
	#listening = new AbortController();

	constructor() {
		super();
		const root = this.attachShadow({ mode: "open" });
		/** @type {HTMLCanvasElement} */
		this.canvas = Object.assign(document.createElement("canvas"), { width: 512, height: 640, role: "img" });
		this.posterImage = Object.assign(new Image(), { alt: "", hidden: true });
		// The attribute alone does not mute a video that a script made.
		const kept = { muted: true, loop: true, playsInline: true, crossOrigin: "anonymous", ariaHidden: "true" };
		/** @type {HTMLVideoElement} */
		this.video = Object.assign(document.createElement("video"), kept);
		this.canvas.part.add("canvas");
		this.posterImage.part.add("poster");
		root.append(this.canvas, this.posterImage, this.video);
		/** The headless core. */
		this.avatar = new Avatar(this.canvas, this.video, this);
		new ResizeObserver(() => this.avatar.resize()).observe(this.canvas);
		this.avatar.onShape = ({ width, height }) => {
			const [host] = /** @type {any} */ (this.sheet?.cssRules ?? []);
			if (host) host.style.aspectRatio = `${width} / ${height}`;
		};
		this.addEventListener("frame", () => {
			this.posterImage.hidden = true;
		});
	}

	connectedCallback() {
		this.#dress();
		if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
		// A framework may have set properties before this class was there.
		for (const name of AnchorAvatar.observedAttributes) {
			if (!Object.hasOwn(this, name)) continue;
			const value = /** @type {any} */ (this)[name];
			delete (/** @type {any} */ (this)[name]);
			/** @type {any} */ (this)[name] = value;
		}
		this.#hear();
		for (const name of AnchorAvatar.observedAttributes)
			this.attributeChangedCallback(name, null, this.getAttribute(name));
	}

	/** Moved with moveBefore: nothing changes. */
	connectedMoveCallback() {}

	disconnectedCallback() {
		// Most often it is only on its way to another place: then it is back before this is asked.
		queueMicrotask(() => {
			if (this.isConnected) return;
			this.#listening.abort();
			this.#nearing?.abort();
			this.#nearing = null;
			this.#isNear = false;
			this.#shown = "";
			this.avatar.destroy();
		});
	}

	/** @param {string} name @param {string | null} before @param {string | null} value */
	attributeChangedCallback(name, before, value) {
		if (before === value && before !== null) return;
		if (name === "label") this.canvas.setAttribute("aria-label", value ?? "Talking avatar");
		else if (name === "poster") this.#showPoster();
		else if (name === "refresh") this.#poll();
		else if (name === "keys") this.#hear();
		else if (name === "debug" || name === "calibrate") value !== null && this.#look();
		else this.#update();
	}

	/** An inline style would break a page that allows none. */
	#dress() {
		const root = /** @type {ShadowRoot} */ (this.shadowRoot);
		// A style sheet belongs to one document: in another one it is gone.
		if (root.adoptedStyleSheets.length) return;
		const { CSSStyleSheet } = /** @type {any} */ (this.ownerDocument.defaultView ?? globalThis);
		/** @type {CSSStyleSheet} */
		const sheet = new CSSStyleSheet();
		sheet.replaceSync(STYLE + this.toolStyle);
		root.adoptedStyleSheets = [sheet];
		this.sheet = sheet;
	}

	async #poll() {
		this.avatar.refreshS = Number(this.getAttribute("refresh")) || 0;
		if (this.avatar.refreshS) (await import("./polling.js")).poll(this.avatar);
	}

	#showPoster() {
		const poster = this.getAttribute("poster");
		this.posterImage.src = poster ?? "";
		this.posterImage.hidden = !poster || this.avatar.compositor.pack !== null;
	}

	/** Load what the attributes ask for, once it is asked for. */
	#update() {
		if (!this.isConnected) return;
		const { src, preload, loading } = /** @type {Whole} */ (/** @type {unknown} */ (this));
		const { avatar } = this;
		avatar.autoplays = preload !== "metadata" && preload !== "none";
		if (loading === "lazy" && src && !this.#isNear) {
			this.#awaitNearness();
			return;
		}
		const isAsked = preload !== "none" || avatar.wish;
		if (src === this.#shown || (src && !isAsked)) return;
		this.#shown = src;
		if (src) {
			avatar.load(src);
			this.#poll();
		} else {
			avatar.destroy();
			this.canvas.getContext("2d")?.reset?.();
			this.#showPoster();
		}
	}

	async #awaitNearness() {
		if (this.#nearing) return;
		this.#nearing = new AbortController();
		const { nearness } = await import("./nearness.js");
		await nearness(this, this.#nearing.signal);
		this.#isNear = true;
		this.#update();
	}

	#hear() {
		this.#listening.abort();
		if (!this.isConnected) return;
		this.#listening = new AbortController();
		const hears = this.hasAttribute("keys") ? this.ownerDocument.documentElement : this;
		const { signal } = this.#listening;
		hears.addEventListener("keydown", (pressed) => this.#press(/** @type {KeyboardEvent} */ (pressed)), { signal });
	}

	#look() {
		this.tools ??= import("./tools.js").then(
			({ attach }) => {
				this.press = attach(this);
			},
			({ message }) => {
				this.tools = null; // the next key or attribute asks again
				this.dispatchEvent(new CustomEvent("error", { detail: { message: `no panel: ${message}` } }));
			},
		);
		return this.tools;
	}
	/** What a key does, from when it is known. @type {((pressed: KeyboardEvent, from?: EventTarget) => void) | null} */
	press = null;

	/** @param {KeyboardEvent} pressed */
	#press(pressed) {
		// T and C have no meaning of the browser's own: they can wait for what they bring.
		if (this.press) this.press(pressed);
		else if (this.tools || /^[tc]$/i.test(pressed.key)) {
			const path = pressed.composedPath();
			this.#look().then(() => this.press?.(pressed, path[0]));
		}
	}

	/** @param {string} name */
	setViseme(name) {
		this.avatar.compositor.setViseme(name);
	}

	/** @param {"open" | "half" | "closed"} state */
	setEyes(state) {
		this.avatar.compositor.setEyes(state);
	}

	/** @param {number} x @param {number} y -1 to 1; right and down are positive. */
	setGaze(x, y) {
		this.avatar.compositor.setGaze(x, y);
	}

	/**
	 * Move the mouth through *cues*: our own, or any that `cuesFrom` reads.
	 *
	 * @param {readonly Cue[] | string | object} cues
	 * @param {() => number} [clock] Milliseconds since the track began, such as an audio's time; else the page's.
	 * @returns {Promise<void>} Kept when the last cue was reached or another track began.
	 */
	async playCues(cues, clock) {
		const isOwn = Array.isArray(cues) && (!cues.length || cues[0]?.viseme !== undefined);
		const own = isOwn ? cues : (await import("./adapters/index.js")).cuesFrom(cues);
		await this.avatar.compositor.playCues(own, clock);
	}

	/**
	 * Let the mouth follow a sound, by loudness and spectrum.
	 *
	 * @param {HTMLMediaElement | MediaStream | AudioBuffer} source An element goes on being heard; a recording is played.
	 * @param {{context?: AudioContext, worklet?: string | URL}} [options] See speakWith in listening.js.
	 * @returns {Promise<void>} Kept when the sound is over, or something else moves the mouth.
	 */
	async speakWith(source, options) {
		const { speakWith } = await import("./listening.js");
		await speakWith(this.avatar.compositor, source, options);
	}

	/** Let the mouth rest; also ends what `speakWith` began. */
	stopCues() {
		this.avatar.compositor.stopCues();
	}

	/** Let the clip go on. */
	async play() {
		const playing = this.avatar.play();
		this.#update();
		await playing;
	}

	/** Hold the clip at the frame it shows. */
	pause() {
		this.avatar.pause();
	}

	get paused() {
		return this.avatar.paused;
	}
}

for (const [name, usual] of Object.entries(PROPERTIES)) {
	Object.defineProperty(AnchorAvatar.prototype, name, {
		/** @this {AnchorAvatar} */
		get() {
			if (usual === false) return this.hasAttribute(name);
			const value = this.getAttribute(name) ?? usual;
			return usual === 0 ? Number(value) || 0 : value;
		},
		/** @this {AnchorAvatar} @param {any} value */
		set(value) {
			if (usual === false) this.toggleAttribute(name, Boolean(value));
			else if (value === null || value === undefined) this.removeAttribute(name);
			else this.setAttribute(name, value);
		},
	});
}

if (globalThis.customElements && !customElements.get("anchor-avatar")) {
	customElements.define("anchor-avatar", AnchorAvatar);
}
