export { Avatar } from "./avatar.js";
export { Calibration } from "./calibration.js";
export { press, toManifest } from "./calibrating.js";
export { Compositor } from "./compositor.js";
export { loadPack } from "./pack.js";
export { Plate } from "./plate.js";
export { parseTimeline, Timeline, TimelineError } from "./timeline.js";
