/**
 * The nouns that several modules share. Only the type checker reads this: no page loads it.
 *
 * @typedef {"mouth" | "eyes"} Part
 *
 * @typedef {object} Anchor Where an overlay is pinned: its centre, size (target pixels) and roll (degrees, clockwise).
 * @property {number} cx
 * @property {number} cy
 * @property {number} w
 * @property {number} h
 * @property {number} roll
 *
 * @typedef {"contain" | "cover" | "fill"} Fit How a video lies in the target.
 * @typedef {{width: number, height: number, fit?: Fit, startMs?: number}} Target A timeline, or a manifest's base.
 * @typedef {{t_ms: number, viseme: string}} Cue
 * @typedef {{x: number, y: number, w: number, h: number}} Offset What a calibration adds to an anchor.
 * @typedef {{name: string, image: HTMLImageElement, x: number, w: number, h: number}} Cell One sprite, and where it lies in *image*.
 *
 * @typedef {object} Pack What of an avatar's folder can be drawn; null is missing.
 * @property {any} manifest Complete: see completeManifest.
 * @property {HTMLImageElement | null} base
 * @property {import("./layer.js").Layer | null} mouth
 * @property {import("./layer.js").Layer | null} eyes
 * @property {Record<Part, Anchor>} statics Where the parts are without a timeline.
 *
 * @typedef {object} Supply What a folder has to track with at this moment.
 * @property {string} text The timeline's file.
 * @property {import("./timeline.js").Timeline | null} timeline
 * @property {string} videoName
 * @property {string} videoUrl Empty where there is nothing to play; another one when the video is another one.
 * @property {string} fault Why the overlays can't follow the video, if they can't.
 */
export {};
