import { Avatar } from "./avatar.js";

/**
 * `<anchor-avatar src="avatars/ID/">`: an avatar in the page.
 *
 * Attributes: `src` the pack's folder; `label` what a screen reader calls it; `debug` shows boxes and the
 * panel; `calibrate` lets arrows move the overlays; `keys` listens to T, C, arrows and Tab everywhere in the
 * page, not only while the avatar has the focus. Events: see Avatar.
 *
 * @typedef {import("./compositor.js").Cue} Cue
 */

const INSIDE = `<style>
:host { display: block; position: relative; max-width: 512px; }
:host(:focus-visible) { outline: 3px solid Highlight; outline-offset: 3px; }
canvas { display: block; width: 100%; }
video { position: absolute; left: 0; top: 0; width: 1px; height: 1px; opacity: 0; pointer-events: none; }
pre { position: absolute; inset: auto 8px 8px; margin: 0; padding: 8px 10px; border-radius: 8px; overflow: hidden;
	font: 11px/1.5 ui-monospace, monospace; color: #e9fff0; background: #06140cd9; white-space: pre-wrap; pointer-events: none; }
</style><canvas part="canvas" role="img"></canvas>
<video muted loop playsinline crossorigin="anonymous" aria-hidden="true" tabindex="-1"></video><pre part="panel" hidden></pre>`;

export class AnchorAvatar extends HTMLElement {
	/** @type {Avatar | null} The headless core; there while the element is in a page. */
	avatar = null;
	/** @type {typeof import("./tools.js") | null} What few visitors need. */
	tools = null;
	/** @type {Promise<typeof import("./tools.js")> | null} */
	loading = null;
	life = new AbortController();

	static observedAttributes = ["src", "label", "debug", "calibrate"];

	constructor() {
		super();
		const root = this.attachShadow({ mode: "open" });
		root.innerHTML = INSIDE;
		this.canvas = /** @type {HTMLCanvasElement} */ (root.querySelector("canvas"));
		this.video = /** @type {HTMLVideoElement} */ (root.querySelector("video"));
		this.panel = /** @type {HTMLPreElement} */ (root.querySelector("pre"));
		// The attribute alone does not mute a video that a script made.
		this.video.muted = true;
	}

	connectedCallback() {
		if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
		const avatar = new Avatar(this.canvas, this.video, { storage: storageOrNone() });
		this.avatar = avatar;
		for (const name of ["ready", "tracking", "fallback", "error"]) {
			avatar.addEventListener(name, (event) =>
				this.dispatchEvent(new CustomEvent(name, { detail: /** @type {CustomEvent} */ (event).detail })),
			);
		}
		const frame = new CustomEvent("frame", { detail: avatar.detail });
		avatar.addEventListener("frame", () => {
			if (!this.panel.hidden && this.tools) {
				this.tools.drawBoxes(avatar, this.chosen);
				this.panel.textContent = this.tools.panelText(avatar, this.chosen);
			}
			this.dispatchEvent(frame);
		});
		this.life = new AbortController();
		const { signal } = this.life;
		const sizes = new ResizeObserver(() => avatar.resize());
		sizes.observe(this.canvas);
		signal.addEventListener("abort", () => sizes.disconnect());
		(this.hasAttribute("keys") ? document : this).addEventListener("keydown", (event) => this.#press(event), {
			signal,
		});
		for (const name of AnchorAvatar.observedAttributes) this.attributeChangedCallback(name);
	}

	disconnectedCallback() {
		this.life.abort();
		this.avatar?.destroy();
		this.avatar = null;
	}

	/** The part that is being calibrated. */
	get chosen() {
		return this.avatar && this.hasAttribute("calibrate") ? this.avatar.calibration.part : null;
	}

	/** @param {string} name */
	attributeChangedCallback(name) {
		const src = this.getAttribute("src");
		if (name === "label") this.canvas.setAttribute("aria-label", this.getAttribute("label") ?? "Talking avatar");
		else if (name !== "src") this.#showPanel();
		else if (src) this.avatar?.load(src);
	}

	#showPanel() {
		this.panel.hidden = !this.hasAttribute("debug") && !this.hasAttribute("calibrate");
		if (this.panel.hidden) return;
		this.loading ??= import("./tools.js").then((tools) => {
			this.tools = tools;
			return tools;
		});
	}

	/** @param {KeyboardEvent} pressed */
	async #calibrate(pressed) {
		// Keys may come before the tools do; waiting for one promise they stay in order.
		const tools = await this.loading;
		if (this.avatar) tools?.press(this.avatar.calibration, pressed);
	}

	/** @param {Event} event */
	#press(event) {
		const pressed = /** @type {KeyboardEvent} */ (event);
		const from = pressed.composedPath()[0];
		if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return;
		if (from instanceof HTMLElement && (from.isContentEditable || from.matches("input, select, textarea"))) return;
		const key = pressed.key.toLowerCase();
		if (key === "t") this.toggleAttribute("debug");
		else if (key === "c" || (key === "escape" && this.chosen)) this.toggleAttribute("calibrate");
		else if (this.chosen && /^(arrow.+|tab|r)$/.test(key)) this.#calibrate(pressed);
		else return;
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

/** @returns {Storage | null} */
function storageOrNone() {
	try {
		return localStorage;
	} catch {
		return null; // forbidden in some frames and private windows
	}
}

if (!customElements.get("anchor-avatar")) customElements.define("anchor-avatar", AnchorAvatar);
