/** What a person needs who looks closer or calibrates; loaded when it is first asked for. */
export { press, toManifest } from "./calibrating.js";
export { drawBoxes, panelText } from "./debug.js";
