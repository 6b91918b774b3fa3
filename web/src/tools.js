/**
 * What a person needs who looks closer or calibrates; loaded when it is first asked for.
 *
 * @import { AnchorAvatar } from "./element.js"
 */
import { press } from "./calibrating.js";
import { drawBoxes, panelText } from "./debug.js";

const PANEL = `position: absolute; inset: 8px 8px auto; margin: 0; padding: 8px 10px; border-radius: 8px; overflow: hidden;
	font: 11px/1.5 ui-monospace, monospace; color: #e9fff0; background: #06140cd9; white-space: pre-wrap; pointer-events: none;`;

/**
 * Lay boxes and panel over each frame of *element*, as long as they are asked for.
 *
 * @param {AnchorAvatar} element
 * @returns {(pressed: KeyboardEvent) => void} What a key does while calibrating.
 */
export function attach(element) {
	const panel = document.createElement("pre");
	panel.part.add("panel");
	panel.style.cssText = PANEL;
	element.shadowRoot?.append(panel);
	element.addEventListener("frame", () => {
		const { avatar } = element;
		const calibrates = element.hasAttribute("calibrate");
		panel.hidden = !avatar || !(calibrates || element.hasAttribute("debug"));
		if (!avatar || panel.hidden) return;
		const chosen = calibrates ? avatar.compositor.calibration.part : null;
		drawBoxes(avatar, chosen);
		panel.textContent = panelText(avatar, chosen);
	});
	return (pressed) => element.avatar && press(element.avatar.compositor.calibration, pressed);
}
