import { parseTimeline } from "./timeline.js";

/**
 * What an avatar's folder has to track with, and whether its parts belong together.
 *
 * @import { Supply } from "./types.js"
 */

/** @type {Supply} */
export const NO_SUPPLY = { text: "", timeline: null, videoName: "", videoUrl: "", fault: "" };

/**
 * Ask the server; where nothing changed that costs two 304s.
 *
 * @param {string} folder With a slash at its end.
 * @param {string | undefined} named The video the manifest names.
 * @param {Supply} before
 * @param {AbortSignal} signal
 * @returns {Promise<Supply>}
 */
export async function look(folder, named, before, signal) {
	/** @param {string} name @param {string} method */
	const ask = async (name, method) => {
		try {
			const response = await fetch(folder + name, { method, cache: "no-cache", signal });
			return { response, text: await response.text() };
		} catch {
			return null;
		}
	};
	const held = { ...NO_SUPPLY };
	/** @param {string} fault @returns {Supply} */
	const without = (fault) => ({ ...held, fault });

	const file = await ask("anchors_timeline.json", "GET");
	// Out of reach for a moment is no news about what is playing.
	if (!file) return before.timeline ? before : without("the server does not answer");
	const { status, ok } = file.response;
	if (status === 404) return without("there is no anchors_timeline.json yet");
	if (!ok) return without(`anchors_timeline.json: status ${status}`);
	held.text = file.text;
	try {
		held.timeline = (held.text === before.text && before.timeline) || parseTimeline(held.text);
	} catch (error) {
		return without(`anchors_timeline.json: ${/** @type {Error} */ (error).message}`);
	}
	const { source, times } = held.timeline;
	const videoName = named ?? source.video ?? "idle.webm";
	held.videoName = videoName;
	const head = await ask(videoName, "HEAD");
	if (!head) return before.videoUrl ? { ...held, videoUrl: before.videoUrl } : without(`${videoName} is out of reach`);
	const { headers } = head.response;
	const bytes = Number(headers.get("content-length"));
	if (!head.response.ok) return without(`${videoName} is not there (${head.response.status})`);
	if (!times.length) return without("no face was found in the video");
	if (source.video && source.video !== videoName)
		return without(`the timeline is for ${source.video}, not for ${videoName}`);
	if (source.size && bytes && bytes !== source.size) {
		return without(`the timeline is for another ${videoName} (${source.size} bytes, this one has ${bytes})`);
	}
	const stamp = String(source.sha256 ?? "").slice(0, 12) || headers.get("etag") || headers.get("last-modified") || "";
	return { ...held, videoUrl: `${folder}${videoName}?v=${encodeURIComponent(stamp)}` };
}
