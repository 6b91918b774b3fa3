/**
 * The element's attributes as properties. Only the type checker reads this: no page loads it.
 *
 * @typedef {object} Properties
 * @property {string} src The pack's folder.
 * @property {string} label What a screen reader calls it.
 * @property {string} poster A picture to show until there is another.
 * @property {"eager" | "lazy"} loading "lazy" waits until it is nearly on the screen.
 * @property {"none" | "metadata" | "auto"} preload "none" loads nothing before play(), "metadata" all but the video.
 * @property {number} refresh Seconds between two looks for a new timeline; 0 is never.
 * @property {boolean} debug Boxes, crosshairs and a panel.
 * @property {boolean} calibrate Arrows move the overlays.
 * @property {boolean} keys Keys work everywhere in the page.
 */
export {};
