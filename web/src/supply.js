import { parseTimeline, TimelineError } from "./timeline.js";

/**
 * What an avatar's folder has to track with at this moment, and whether its parts belong together.
 *
 * @typedef {import("./timeline.js").Timeline} Timeline
 *
 * @typedef {object} Supply
 * @property {string} text The timeline's file.
 * @property {Timeline | null} timeline
 * @property {string} videoName
 * @property {string} videoUrl Empty where there is nothing to play; another one when the video is another one.
 * @property {string} fault Why the overlays can't follow the video, if they can't.
 */

/** @type {Supply} */
export const NO_SUPPLY = { text: "", timeline: null, videoName: "", videoUrl: "", fault: "" };

/**
 * Ask the server; where nothing changed that costs two 304s, and *before* is given back.
 *
 * @param {string} folder With a slash at its end.
 * @param {string | undefined} named The video the manifest names.
 * @param {Supply} before
 * @param {AbortSignal} signal
 * @returns {Promise<Supply>}
 */
export async function look(folder, named, before, signal) {
	/** @param {string} fault @param {Partial<Supply>} [rest] @returns {Supply} */
	const without = (fault, rest) => ({ ...NO_SUPPLY, ...rest, fault });
	/** @param {string} name @param {string} method */
	const ask = (name, method) =>
		fetch(folder + name, { method, cache: "no-cache", signal }).catch(() => signal.throwIfAborted());

	const file = await ask("anchors_timeline.json", "GET");
	// Out of reach for a moment is no news about what is playing.
	if (!file) return before.timeline ? before : without("the server does not answer");
	if (file.status === 404) return without("there is no anchors_timeline.json yet");
	if (!file.ok) return without(`anchors_timeline.json: status ${file.status}`);
	const text = await file.text();
	let { timeline } = before;
	if (text !== before.text || !timeline) {
		try {
			timeline = parseTimeline(text);
		} catch (error) {
			if (!(error instanceof TimelineError)) throw error;
			return without(`anchors_timeline.json: ${error.message}`, { text });
		}
	}
	const videoName = named ?? timeline.video ?? "idle.webm";
	const head = await ask(videoName, "HEAD");
	if (!head) return before.videoUrl ? { ...before, text, timeline } : without(`${videoName} is out of reach`);
	const { video, videoBytes, videoHash } = timeline;
	const bytes = Number(head.headers.get("content-length"));
	const held = { text, timeline, videoName };
	if (!head.ok) return without(`${videoName} is not there (${head.status})`, held);
	if (!timeline.times.length) return without("no face was found in the video", held);
	if (video && video !== videoName) return without(`the timeline is for ${video}, not for ${videoName}`, held);
	if (videoBytes && bytes && bytes !== videoBytes) {
		return without(`the timeline is for another ${videoName} (${videoBytes} bytes, this one has ${bytes})`, held);
	}
	const stamp = videoHash.slice(0, 12) || head.headers.get("etag") || head.headers.get("last-modified") || "";
	return { ...held, videoUrl: `${folder}${videoName}?v=${encodeURIComponent(stamp)}`, fault: "" };
}
