/**
 * The packs beside the page, from the server's own folder listings (nginx's `autoindex_format json`).
 *
 * @typedef {import("../src/timeline.js").Timeline} Timeline
 * @typedef {{name: string, type: string, mtime?: string, size?: number}} Entry
 *
 * @typedef {object} PackState
 * @property {string} id
 * @property {string} mtime
 * @property {"tracked" | "partly" | "waiting" | "changed" | "bare" | "broken"} state
 * @property {string} words What the state is, for a person.
 * @property {string[]} warnings
 * @property {string} picture What to show of it: a still, or a video with the time of its first tracked frame; empty is nothing.
 * @property {boolean} hasMouth
 */
import { parseTimeline } from "../src/timeline.js";

export const VIDEO = /\.(webm|mp4|mov|mkv|m4v)(#|$)/i;
const FACE = /^base_face\.(png|webp|jpe?g|avif)$/i;
const MOUTH = /^mouth_sprites\.(png|webp|jpe?g|avif)$/i;

/** @param {string} url @returns {Promise<Entry[] | null>} None where the server lists nothing. */
export async function list(url) {
	try {
		const response = await fetch(url, { cache: "no-cache", headers: { accept: "application/json" } });
		const entries = await response.json();
		return Array.isArray(entries) ? entries : null;
	} catch {
		return null;
	}
}

/** How far a timeline can be trusted; files of the first version do not say. @param {Timeline} timeline */
export function quality({ json, times }) {
	const { coverage = times.length ? 1 : 0, warnings = [] } = json.quality ?? {};
	/** @type {string[]} */
	const words = [warnings].flat().map((/** @type {any} */ warning) => String(warning?.message ?? warning));
	return { coverage: Number(coverage), warnings: words };
}

/**
 * What a pack's files and timeline amount to.
 *
 * @param {string} id
 * @param {string} mtime
 * @param {Entry[]} files
 * @param {string | null} text The timeline's, if there is one.
 * @returns {PackState}
 */
export function packState(id, mtime, files, text) {
	const videos = files.filter((file) => file.type === "file" && VIDEO.test(file.name));
	const face = files.find(({ name }) => FACE.test(name));
	const hasMouth = files.some(({ name }) => MOUTH.test(name));
	let picture = face?.name ?? (videos.length ? `${videos[0].name}#t=0.001` : "");
	/** @param {PackState["state"]} state @param {string} words @param {string[]} warnings @returns {PackState} */
	const is = (state, words, warnings = []) => ({ id, mtime, state, words, warnings, picture, hasMouth });
	if (text === null) return videos.length ? is("waiting", "Waiting to be tracked") : is("bare", "No video yet");
	/** @type {Timeline} */
	let timeline;
	try {
		timeline = parseTimeline(text);
	} catch (error) {
		return is("broken", "Unreadable timeline", [/** @type {Error} */ (error).message]);
	}
	const { coverage, warnings } = quality(timeline);
	const { video: name, size } = timeline.source;
	const video = videos.find((file) => file.name === name);
	if (!video) return is("changed", `${name ?? "The video"} is gone`, warnings);
	if (size && video.size && video.size !== size) {
		return is("changed", "New video, being tracked", warnings);
	}
	if (!face && timeline.times.length) picture = `${name}#t=${(timeline.times[0] / 1000 + 0.001).toFixed(3)}`;
	const percent = Math.floor(1000 * coverage) / 10;
	if (coverage >= 0.999) return is("tracked", "Tracked throughout", warnings);
	if (!timeline.times.length) return is("broken", "No face found", warnings);
	const gaps = timeline.gaps.length;
	return is("partly", `Face in ${percent} %${gaps ? `, ${gaps} ${gaps > 1 ? "gaps" : "gap"}` : ""}`, warnings);
}

/**
 * Tell *onChange* of every state of the packs under *root* as they change, until *signal* aborts. A folder that
 * did not change costs nothing; it is the root's listing that says so.
 *
 * @param {string} root
 * @param {(packs: PackState[], changed: string[]) => void} onChange
 * @param {() => void} onUnlisted The server lists no folders.
 */
export function watchPacks(root, onChange, onUnlisted, pollMs = 1500) {
	/** @type {Map<string, PackState>} */
	let known = new Map();
	let isFirst = true;
	const look = async () => {
		const entries = document.hidden && !isFirst ? null : await list(root);
		if (!entries && isFirst) return onUnlisted();
		if (entries) {
			/** @type {string[]} */
			const changed = [];
			const folders = entries.filter(({ type, name }) => type === "directory" && !name.startsWith("."));
			const states = await Promise.all(
				folders.map(async ({ name, mtime = "" }) => {
					const before = known.get(name);
					const isSettled = before && before.state !== "waiting" && before.state !== "changed";
					// Listings count whole seconds: a folder is only old news once its second is over.
					const isFresh = Date.now() - Date.parse(mtime) < 4000;
					if (isSettled && before.mtime === mtime && !isFresh) return before;
					const url = `${root}${encodeURIComponent(name)}/`;
					const [files, text] = await Promise.all([
						list(url),
						fetch(`${url}anchors_timeline.json`, { cache: "no-cache" }).then(
							(response) => (response.ok ? response.text() : null),
							() => null,
						),
					]);
					const state = packState(name, mtime, files ?? [], text);
					if (JSON.stringify(state) !== JSON.stringify(before)) changed.push(name);
					return state;
				}),
			);
			if (changed.length || states.length !== known.size || isFirst) onChange(states, changed);
			known = new Map(states.map((state) => [state.id, state]));
			isFirst = false;
		}
		setTimeout(look, pollMs);
	};
	look();
}
