import { Avatar } from "./avatar.js";
import { panelText } from "./debug.js";

/**
 * `<anchor-avatar src="avatars/ID/">`: an avatar in the page.
 *
 * Attributes: `src` the pack's folder; `label` what a screen reader calls it; `debug` shows boxes and the
 * panel; `keys` listens to T, C, arrows and Tab everywhere in the page, not only while it has the focus.
 * Events: see Avatar.
 *
 * @typedef {import("./compositor.js").Cue} Cue
 */

const STYLE = `
:host { display: block; position: relative; max-width: 512px; }
:host(:focus-visible) { outline: 3px solid Highlight; outline-offset: 3px; }
canvas { display: block; width: 100%; }
video { position: absolute; left: 0; top: 0; width: 1px; height: 1px; opacity: 0; pointer-events: none; }
pre { position: absolute; inset: auto 8px 8px; margin: 0; padding: 8px 10px; border-radius: 8px; overflow: hidden;
  font: 11px/1.5 ui-monospace, monospace; color: #e9fff0; background: #06140cd9; white-space: pre-wrap; pointer-events: none; }
`;

export class AnchorAvatar extends HTMLElement {
	static observedAttributes = ["src", "debug", "label"];

	constructor() {
		super();
		const root = this.attachShadow({ mode: "open" });
		root.innerHTML = `<style>${STYLE}</style><canvas part="canvas" role="img"></canvas>
      <video muted loop playsinline crossorigin="anonymous" aria-hidden="true" tabindex="-1"></video><pre part="panel" hidden></pre>`;
		this.canvas = /** @type {HTMLCanvasElement} */ (root.querySelector("canvas"));
		this.video = /** @type {HTMLVideoElement} */ (root.querySelector("video"));
		this.panel = /** @type {HTMLPreElement} */ (root.querySelector("pre"));
		// The attribute alone does not mute a video that a script made.
		this.video.muted = true;
		/** @type {Avatar | null} The headless core; there while the element is in a page. */
		this.avatar = null;
		/** @type {EventTarget} */
		this.keysFrom = this;
		this.onKey = this.onKey.bind(this);
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
			if (!this.panel.hidden) this.panel.textContent = panelText(avatar);
			this.dispatchEvent(frame);
		});
		this.sizes = new ResizeObserver(() => avatar.resize());
		this.sizes.observe(this.canvas);
		this.keysFrom = this.hasAttribute("keys") ? document : this;
		this.keysFrom.addEventListener("keydown", this.onKey);
		this.attributeChangedCallback("label");
		this.attributeChangedCallback("debug");
		this.attributeChangedCallback("src");
	}

	disconnectedCallback() {
		this.sizes?.disconnect();
		this.keysFrom.removeEventListener("keydown", this.onKey);
		this.avatar?.destroy();
		this.avatar = null;
	}

	/** @param {string} name */
	attributeChangedCallback(name) {
		if (!this.avatar) return;
		const src = this.getAttribute("src");
		if (name === "src" && src) this.avatar.load(src);
		else if (name === "label") this.canvas.setAttribute("aria-label", this.getAttribute("label") ?? "Talking avatar");
		else if (name === "debug") {
			this.avatar.isDebugging = this.hasAttribute("debug");
			this.panel.hidden = !this.avatar.isDebugging && !this.avatar.isCalibrating;
		}
	}

	/** @param {Event} event */
	onKey(event) {
		const pressed = /** @type {KeyboardEvent} */ (event);
		const { avatar } = this;
		const from = pressed.composedPath()[0];
		if (!avatar || pressed.ctrlKey || pressed.altKey || pressed.metaKey) return;
		if (from instanceof HTMLElement && (from.isContentEditable || from.matches("input, select, textarea"))) return;
		const key = pressed.key.toLowerCase();
		if (key === "t") this.toggleAttribute("debug");
		else if (key === "c" || (key === "escape" && avatar.isCalibrating)) this.calibrating = !avatar.isCalibrating;
		else if (!avatar.isCalibrating || !avatar.calibration?.press(pressed)) return;
		pressed.preventDefault();
	}

	/** Whether arrows move the overlays and the boxes are shown. */
	get calibrating() {
		return this.avatar?.isCalibrating ?? false;
	}

	set calibrating(isOn) {
		if (!this.avatar || this.avatar.isCalibrating === isOn) return;
		this.avatar.isCalibrating = isOn;
		this.attributeChangedCallback("debug");
		this.dispatchEvent(new CustomEvent("calibrating", { detail: { isOn } }));
	}

	/** The calibration as JSON for the pack's manifest. */
	exportCalibration() {
		return this.avatar?.calibration?.toManifest() ?? "";
	}

	/** @param {string} name */
	setViseme(name) {
		this.avatar?.setViseme(name);
	}

	/** @param {"open" | "half" | "closed"} state */
	setEyes(state) {
		this.avatar?.setEyes(state);
	}

	/** @param {number} x @param {number} y -1 to 1; right and down are positive. */
	setGaze(x, y) {
		this.avatar?.setGaze(x, y);
	}

	/** @param {readonly Cue[]} cues @param {() => number} [clock] See Avatar.playCues. */
	playCues(cues, clock) {
		return this.avatar?.playCues(cues, clock) ?? Promise.resolve();
	}

	stopCues() {
		this.avatar?.stopCues();
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
