/**
 * What a person needs who looks closer or calibrates; loaded when it is first asked for.
 *
 * @import { AnchorAvatar } from "./element.js"
 */
import { press } from "./calibrating.js";
import { drawBoxes, panelText } from "./debug.js";

const STYLE = `pre { position: absolute; inset: auto 8px 8px; margin: 0; padding: 6px 10px; border-radius: 8px; overflow: hidden;
	font: var(--anchor-avatar-panel-font, 11px / 1.45 ui-monospace, monospace); white-space: pre-wrap;
	color: var(--anchor-avatar-panel-color, #e9fff0); background: var(--anchor-avatar-panel-background, #06140cc7);
	pointer-events: none; }`;

/**
 * Lay boxes and panel over each frame of *element*, as long as they are asked for.
 *
 * @param {AnchorAvatar} element
 * @returns {(pressed: KeyboardEvent, from?: EventTarget) => void} What a key does; *from* is where it was pressed.
 */
export function attach(element) {
	const panel = document.createElement("pre");
	panel.part.add("panel");
	element.shadowRoot?.append(panel);
	element.toolStyle = STYLE;
	element.sheet?.insertRule(STYLE, element.sheet.cssRules.length);
	element.addEventListener("frame", () => {
		const { avatar } = element;
		const calibrates = element.hasAttribute("calibrate");
		panel.hidden = !(calibrates || element.hasAttribute("debug"));
		if (panel.hidden) return;
		const chosen = calibrates ? avatar.compositor.calibration.part : null;
		drawBoxes(avatar, chosen);
		panel.textContent = panelText(avatar, chosen);
	});
	return (pressed, from = pressed.composedPath()[0]) => {
		if (pressed.defaultPrevented || pressed.ctrlKey || pressed.altKey || pressed.metaKey) return;
		if (from instanceof HTMLElement && (from.isContentEditable || from.matches("input, select, textarea"))) return;
		const key = pressed.key.toLowerCase();
		const calibrates = element.hasAttribute("calibrate");
		if (key === "t") element.toggleAttribute("debug");
		else if (key === "c" || (key === "escape" && calibrates)) {
			if (element.toggleAttribute("calibrate")) element.focus();
		} else if (!calibrates) return;
		// Tab belongs to the page but for one step: on the avatar itself, between its two parts.
		else if (key === "tab" && from !== element) return;
		else if (!press(element.avatar.compositor.calibration, pressed)) return;
		pressed.preventDefault();
	};
}
