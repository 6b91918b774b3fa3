import { parseTimeline } from "./timeline.js";

/**
 * What an avatar's folder has to track with, and whether its parts belong together.
 *
 * @import { Supply } from "./types.js"
 */

/** @type {Supply} */
export const NO_SUPPLY = { text: "", timeline: null, videoName: "", videoUrl: "", fault: "" };

/**
 * Ask the server for the timeline, and whether its video is there; where nothing changed that costs two 304s.
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
	// Out of reach for a moment is no news about what is playing.
	const unanswered = () => (before.videoUrl ? before : without("the server does not answer"));

	const file = await ask("anchors_timeline.json", "GET");
	if (!file) return unanswered();
	const { status, ok } = file.response;
	let fault = "";
	if (status === 404) fault = "there is no anchors_timeline.json yet";
	else if (!ok) fault = `anchors_timeline.json: status ${status}`;
	else {
		held.text = file.text;
		try {
			held.timeline = (held.text === before.text && before.timeline) || parseTimeline(held.text);
		} catch (error) {
			fault = `anchors_timeline.json: ${/** @type {Error} */ (error).message}`;
		}
	}
	const source = held.timeline?.source ?? {};
	const videoName = named ?? source.video ?? "idle.webm";
	held.videoName = videoName;
	const head = await ask(videoName, "HEAD");
	if (!head) return unanswered();
	const { headers } = head.response;
	const bytes = Number(headers.get("content-length"));
	if (!head.response.ok) return without(fault || `${videoName} is not there (${head.response.status})`);
	const stamp = String(source.sha256 ?? "").slice(0, 12) || headers.get("etag") || headers.get("last-modified") || "";
	held.videoUrl = `${folder}${videoName}?v=${encodeURIComponent(stamp)}`;
	if (fault) return without(fault);
	if (!held.timeline?.times.length) return without("no face was found in the video");
	if (source.video && source.video !== videoName)
		return without(`the timeline is for ${source.video}, not for ${videoName}`);
	if (source.size && bytes && bytes !== source.size) {
		// What is asked for from now on is another file than what plays.
		held.videoUrl += `-${bytes}`;
		return without(`the timeline is for another ${videoName} (${source.size} bytes, this one has ${bytes})`);
	}
	return held;
}
