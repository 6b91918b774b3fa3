import { Avatar } from "./avatar.js";

/**
 * `<anchor-avatar src="avatars/ID/">`: an avatar in the page.
 *
 * Attributes: `src` the pack's folder; `label` what a screen reader calls it; `debug` shows boxes and the
 * panel; `calibrate` lets arrows move the overlays; `keys` listens to T, C, arrows and Tab everywhere in the
 * page, not only while the avatar has the focus. Events: see Avatar.
 *
 * @import { Cue } from "./types.js"
 */

const INSIDE = `<style>
:host { display: block; position: relative; max-width: 512px; }
:host(:focus-visible) { outline: 3px solid Highlight; outline-offset: 3px; }
canvas { display: block; width: 100%; }
video { position: absolute; left: 0; top: 0; width: 1px; height: 1px; opacity: 0; }
</style><canvas part="canvas" role="img"></canvas>
<video muted loop playsinline crossorigin="anonymous" aria-hidden="true"></video>`;

export class AnchorAvatar extends HTMLElement {
	/** @type {Avatar | null} The headless core; there while the element is in a page. */
	avatar = null;
	/** @type {Promise<((pressed: KeyboardEvent) => void) | void> | null} What few need, from when it is asked for. */
	tools = null;

	static observedAttributes = ["src", "label", "debug", "calibrate"];

	constructor() {
		super();
		const root = this.attachShadow({ mode: "open" });
		root.innerHTML = INSIDE;
		this.canvas = /** @type {HTMLCanvasElement} */ (root.querySelector("canvas"));
		this.video = /** @type {HTMLVideoElement} */ (root.querySelector("video"));
		// The attribute alone does not mute a video that a script made.
		this.video.muted = true;
		new ResizeObserver(() => this.avatar?.resize()).observe(this.canvas);
	}

	connectedCallback() {
		if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
		this.avatar = new Avatar(this.canvas, this.video, this);
		const hears = this.hasAttribute("keys") ? document.documentElement : this;
		hears.addEventListener("keydown", (pressed) => this.#press(pressed), { signal: this.avatar.life.signal });
		for (const name of AnchorAvatar.observedAttributes) this.attributeChangedCallback(name);
	}

	disconnectedCallback() {
		this.avatar?.destroy();
		this.avatar = null;
	}

	/** @param {string} name */
	attributeChangedCallback(name) {
		const value = this.getAttribute(name);
		if (name === "label") this.canvas.setAttribute("aria-label", value ?? "Talking avatar");
		else if (name === "src") value && this.avatar?.load(value);
		else if (value !== null) this.#look();
	}

	#look() {
		this.tools ??= import("./tools.js").then(
			({ attach }) => attach(this),
			({ message }) => {
				this.tools = null; // the next key or attribute asks again
				this.dispatchEvent(new CustomEvent("error", { detail: { message: `no panel: ${message}` } }));
			},
		);
	}

	/** @param {KeyboardEvent} pressed */
	#press(pressed) {
		const from = pressed.composedPath()[0];
		if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return;
		if (from instanceof HTMLElement && (from.isContentEditable || from.matches("input, select, textarea"))) return;
		const key = pressed.key.toLowerCase();
		const calibrates = this.hasAttribute("calibrate");
		if (key === "t") this.toggleAttribute("debug");
		else if (key === "c" || (key === "escape" && calibrates)) this.toggleAttribute("calibrate");
		else if (calibrates && this.tools && /^(arrow.+|tab|r)$/.test(key)) {
			// Keys may come before the tools do; waiting for one promise they stay in order.
			this.tools.then((press) => press?.(pressed));
		} else return;
		pressed.preventDefault();
	}

	/** @param {string} name */
	setViseme(name) {
		this.avatar?.compositor.setViseme(name);
	}

	/** @param {"open" | "half" | "closed"} state */
	setEyes(state) {
		this.avatar?.compositor.setEyes(state);
	}

	/** @param {number} x @param {number} y -1 to 1; right and down are positive. */
	setGaze(x, y) {
		this.avatar?.compositor.setGaze(x, y);
	}

	/** @param {readonly Cue[]} cues @param {() => number} [clock] See Compositor.playCues. */
	async playCues(cues, clock) {
		await this.avatar?.compositor.playCues(cues, clock);
	}

	stopCues() {
		this.avatar?.compositor.stopCues();
	}
}

if (!customElements.get("anchor-avatar")) customElements.define("anchor-avatar", AnchorAvatar);
