import "../src/element.js";
import { toManifest } from "../src/calibrating.js";
import { cuesFromText } from "../src/speech.js";
import { tellHow } from "./making.js";
import { quality, VIDEO, watchPacks } from "./packs.js";
import { drawStrip } from "./strip.js";

/**
 * @typedef {import("../src/element.js").AnchorAvatar} AnchorAvatar
 * @typedef {import("../src/timeline.js").Timeline} Timeline
 * @typedef {import("./packs.js").PackState} PackState
 */

/** @param {string} id @returns {any} */
const find = (id) => document.getElementById(id);
/** @type {AnchorAvatar} */
const avatar = find("avatar");
const root = new URL("avatars/", document.baseURI).href;

// --- which avatar -------------------------------------------------------------------------------

/** @param {string} id */
function show(id) {
	avatar.setAttribute("src", `${root}${encodeURIComponent(id)}/`);
	avatar.setAttribute("label", `Talking avatar ${id}`);
	chosen = id;
	history.replaceState(null, "", `?avatar=${encodeURIComponent(id)}`);
	for (const button of find("packs").querySelectorAll("button")) {
		button.setAttribute("aria-pressed", String(button.dataset.id === id));
	}
}

let chosen = new URLSearchParams(location.search).get("avatar") ?? "";
if (chosen) show(chosen);

/** A still, or a video that stands at its first tracked frame. @param {string} folder @param {string} picture */
function thumbnail(folder, picture) {
	if (!picture) return document.createElement("i");
	if (VIDEO.test(picture)) {
		const [name, time] = picture.split("#");
		const src = `${folder}${encodeURIComponent(name)}#${time}`;
		return Object.assign(document.createElement("video"), {
			src,
			muted: true,
			preload: "metadata",
			ariaHidden: "true",
		});
	}
	return Object.assign(new Image(), { src: folder + encodeURIComponent(picture), alt: "", loading: "lazy" });
}

/** @param {string} tag @param {string} text @param {string} [name] */
function element(tag, text, name) {
	const made = document.createElement(tag);
	made.textContent = text;
	if (name) made.className = name;
	return made;
}

/** @param {PackState} pack */
function packItem({ id, state, words, warnings, picture }) {
	const item = document.createElement("li");
	const button = Object.assign(document.createElement("button"), { type: "button" });
	button.dataset.id = id;
	button.setAttribute("aria-pressed", String(id === chosen));
	button.onclick = () => show(id);
	button.append(
		thumbnail(`${root}${encodeURIComponent(id)}/`, picture),
		element("strong", id),
		element("span", words, `state ${state}`),
	);
	item.append(button);
	if (warnings.length) {
		// Advice is read by who opens it; the button's name stays short.
		const advice = document.createElement("details");
		advice.append(element("summary", warnings.length > 1 ? `${warnings.length} things to mend` : "1 thing to mend"));
		for (const warning of warnings) advice.append(element("p", warning));
		item.append(advice);
	}
	return item;
}

/** The packs as they were told last. @type {PackState[]} */
let known = [];

/** Whether the chosen one can speak at all. */
function tellMute() {
	const pack = known.find(({ id }) => id === chosen);
	const isMute = pack !== undefined && !pack.hasMouth && !avatar.avatar.compositor.pack?.mouth;
	find("mute").textContent = isMute ? `${chosen} has no pictures of a mouth yet.` : "";
	tellHow(isMute ? chosen : null);
	for (const control of find("speak").querySelectorAll("button")) control.disabled = isMute;
	find("recording").disabled = isMute;
}

watchPacks(
	root,
	(packs, changed) => {
		const of = (/** @type {PackState[]} */ states) => states.find(({ id }) => id === chosen);
		const [before, now] = [of(known), of(packs)];
		known = packs;
		const list = find("packs");
		const open = new Set(
			[...list.querySelectorAll("details[open]")].map(
				({ previousElementSibling }) => previousElementSibling.dataset.id,
			),
		);
		const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.id;
		list.replaceChildren(...packs.map(packItem));
		for (const details of list.querySelectorAll("details"))
			details.open = open.has(details.previousElementSibling.dataset.id);
		tellMute();
		if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
		if (!chosen && packs.length) show((packs.find(({ state }) => state === "tracked") ?? packs[0]).id);
		// Pictures that somebody has just made are another pack; a new timeline is not.
		else if (
			before &&
			now &&
			(before.hasMouth !== now.hasMouth || before.picture.split("#")[0] !== now.picture.split("#")[0])
		)
			avatar.avatar.load(avatar.getAttribute("src") ?? "");
		else if (changed.includes(chosen)) avatar.avatar.refresh();
		const news = packs.filter(({ id }) => changed.includes(id)).map(({ id, words }) => `${id}: ${words}`);
		if (changed.length < packs.length || packs.length === 1) find("news").textContent = news.join(". ");
	},
	() => {
		find("packs-hint").textContent = chosen
			? "This server does not list its avatars."
			: "This server does not list its avatars; add ?avatar=ID to the address.";
	},
);

// --- the clip -----------------------------------------------------------------------------------

/** @type {Timeline | null} */
let drawn = null;
let head = /** @type {Element | null} */ (null);

avatar.addEventListener("frame", () => {
	const timeline = avatar.avatar?.supply.timeline ?? null;
	if (timeline !== drawn) {
		drawn = timeline;
		head = drawStrip(find("strip"), find("legend"), timeline, timeline ? quality(timeline).coverage : 0);
	}
	if (!timeline || !avatar.avatar?.compositor.timeline || !head) return;
	const { timeMs } = avatar.avatar.detail;
	const share = Math.min(1, Math.max(0, (timeMs - timeline.startMs) / timeline.durationMs));
	head.setAttribute("transform", `translate(${(1000 * share).toFixed(1)})`);
	if (document.activeElement !== find("seek")) find("seek").value = String(Math.round(1000 * share));
	find("time").textContent = `${(timeMs / 1000).toFixed(2)} s`;
});

/** Say what the button would do, whoever held the clip: this button, a script, or a wish for less motion. */
function tellPause() {
	find("pause").toggleAttribute("data-paused", avatar.paused);
	find("pause").setAttribute("aria-label", avatar.paused ? "Play the clip" : "Pause the clip");
}
for (const name of ["play", "pause", "tracking"]) avatar.addEventListener(name, tellPause);
tellPause();
find("pause").onclick = () => (avatar.paused ? avatar.play() : avatar.pause());
find("seek").oninput = () => {
	if (!drawn) return;
	avatar.pause();
	avatar.avatar.seek(drawn.startMs + (drawn.durationMs * find("seek").value) / 1000);
};

// --- what it says about itself ------------------------------------------------------------------

function tell() {
	const core = avatar.avatar;
	const { isOn, reason } = core.tracking;
	find("tracking").textContent = isOn ? "Tracking: ON" : `Tracking: OFF – ${reason}`;
	find("tracking").toggleAttribute("data-on", isOn);
	find("problems").replaceChildren(...[...core.problems].map((problem) => element("li", problem)));
	find("hints").replaceChildren(...[...core.hints].map((hint) => element("li", hint)));
	tellMute();
}
for (const name of ["tracking", "error", "hint", "ready"]) avatar.addEventListener(name, tell);
tell();

/** Whether it came by a key or by a button. */
new MutationObserver(() => {
	for (const name of ["debug", "calibrate"]) find(name).setAttribute("aria-pressed", String(avatar.hasAttribute(name)));
	find("calibration").hidden = !avatar.hasAttribute("calibrate");
}).observe(avatar, { attributeFilter: ["debug", "calibrate"] });
find("debug").onclick = () => avatar.toggleAttribute("debug");
find("calibrate").onclick = () => {
	if (avatar.toggleAttribute("calibrate")) avatar.focus();
};
find("export").onclick = () => {
	const link = document.createElement("a");
	const text = avatar.avatar ? toManifest(avatar.avatar.compositor.calibration) : "";
	link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
	link.download = "calibration.json";
	link.click();
	URL.revokeObjectURL(link.href);
};
find("follow").onclick = () => {
	const isOn = !avatar.avatar?.isSwitchedOn;
	avatar.avatar?.setTracking(isOn);
	find("follow").setAttribute("aria-pressed", String(isOn));
};

// --- speech -------------------------------------------------------------------------------------

const voiceBox = find("voice");
/** @returns {boolean} */
const hasVoice = () => typeof speechSynthesis === "object" && speechSynthesis.getVoices().length > 0;
function tellVoices() {
	voiceBox.parentElement.hidden = !hasVoice();
	find("voices").textContent = hasVoice() ? "" : "This browser has no voice: the lips move silently.";
}
tellVoices();
if (typeof speechSynthesis === "object") speechSynthesis.addEventListener?.("voiceschanged", tellVoices);

find("speak").onsubmit = (/** @type {Event} */ event) => {
	event.preventDefault();
	const text = find("text").value;
	const { cues, words } = cuesFromText(text);
	if (!voiceBox.checked || !hasVoice()) {
		avatar.playCues(cues);
		return;
	}
	speechSynthesis.cancel();
	const utterance = new SpeechSynthesisUtterance(text);
	let startMs = Number.POSITIVE_INFINITY;
	utterance.onstart = () => {
		startMs = performance.now();
	};
	utterance.onboundary = ({ charIndex }) => {
		// The voice keeps its own pace: put our word where its word is.
		const word = words.findLast(({ index }) => index <= charIndex);
		if (word) startMs = performance.now() - word.t_ms;
	};
	utterance.onend = utterance.onerror = () => avatar.stopCues();
	avatar.playCues(cues, () => performance.now() - startMs);
	speechSynthesis.speak(utterance);
};

/** @type {AudioContext | null} */
let sound = null;
find("recording").onchange = async () => {
	const [file] = find("recording").files;
	if (!file) return;
	sound ??= new AudioContext();
	try {
		const buffer = await sound.decodeAudioData(await file.arrayBuffer());
		await avatar.speakWith(buffer, { context: sound });
	} catch (error) {
		find("mute").textContent = `${file.name} can't be played: ${/** @type {Error} */ (error).message}`;
	}
};
