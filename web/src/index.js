export { Avatar } from "./avatar.js";
export { Calibration } from "./calibration.js";
export { press, toManifest } from "./calibrating.js";
export { Compositor } from "./compositor.js";
export { checkedCues } from "./cues.js";
export { completeManifest } from "./pack.js";
export { Plate } from "./plate.js";
export { poll } from "./polling.js";
export { parseTimeline, Timeline, TimelineError } from "./timeline.js";
