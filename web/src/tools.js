/**
 * What a person needs who looks closer or calibrates; loaded when it is first asked for.
 *
 * @import { AnchorAvatar } from "./element.js"
 */
import { press } from "./calibrating.js";
import { drawBoxes, panelText } from "./debug.js";

/**
 * Lay boxes and panel over each frame of *element*, as long as they are asked for.
 *
 * @param {AnchorAvatar} element
 * @returns {(pressed: KeyboardEvent) => boolean} What a key does while calibrating; false where it means nothing here.
 */
export function attach(element) {
	const panel = document.createElement("pre");
	panel.part.add("panel");
	element.shadowRoot?.append(panel);
	element.addEventListener("frame", () => {
		const { avatar } = element;
		const calibrates = element.hasAttribute("calibrate");
		panel.hidden = !(calibrates || element.hasAttribute("debug"));
		if (panel.hidden) return;
		const chosen = calibrates ? avatar.compositor.calibration.part : null;
		drawBoxes(avatar, chosen);
		panel.textContent = panelText(avatar, chosen);
	});
	return (pressed) => press(element.avatar.compositor.calibration, pressed);
}
