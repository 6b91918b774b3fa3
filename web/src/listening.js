import { cuesFromSound } from "./hearing.js";

/**
 * Sound that drives the mouth: a recording, an audio or video element, or a stream such as a microphone's.
 *
 * @import { Compositor } from "./compositor.js"
 */

/** Elements can be taken into one graph only, and for good. @type {WeakMap<HTMLMediaElement, MediaElementAudioSourceNode>} */
const taken = new WeakMap();
/** @type {AudioContext | null} */
let shared = null;
/** @type {WeakMap<BaseAudioContext, Promise<void>>} */
const prepared = new WeakMap();
/** Never due: the mouth is moved by what is heard. */
const ENDLESS = [{ t_ms: Number.MAX_SAFE_INTEGER, viseme: "REST" }];
/** How long a browser may take to start sound, ms. */
const PATIENCE_MS = 1000;

/** @param {AudioContext} context @throws {Error} The browser does not allow sound yet. */
async function start(context) {
	if (context.state === "running") return;
	await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
	if (/** @type {string} */ (context.state) !== "running") {
		throw new Error("the browser plays no sound before somebody has clicked or pressed a key");
	}
}

/**
 * Let *compositor*'s mouth follow *source*.
 *
 * @param {Compositor} compositor
 * @param {HTMLMediaElement | MediaStream | AudioBuffer} source An element goes on being heard; a recording is played; a
 *   stream is only listened to.
 * @param {{context?: AudioContext, worklet?: string | URL}} [options] The page's own graph; another address of hearing.js.
 * @returns {Promise<void>} Kept when the sound is over, or something else moves the mouth.
 */
export async function speakWith(compositor, source, options = {}) {
	shared ??= options.context ? null : new AudioContext({ latencyHint: "interactive" });
	const context = options.context ?? /** @type {AudioContext} */ (shared);
	await start(context);
	if (source instanceof AudioBuffer) return playBuffer(compositor, context, source);
	if (!prepared.has(context)) {
		const loading = context.audioWorklet.addModule(options.worklet ?? new URL("./hearing.js", import.meta.url));
		loading.catch(() => prepared.delete(context)); // the next call asks again
		prepared.set(context, loading);
	}
	await prepared.get(context);
	const hearing = new AudioWorkletNode(context, "anchord-hearing", { numberOfOutputs: 0 });
	const input = inputOf(context, source);
	const ended = compositor.playCues(ENDLESS, () => 0);
	const { track } = compositor;
	hearing.port.onmessage = ({ data }) => {
		if (compositor.track === track) compositor.setViseme(data);
	};
	input.connect(hearing);
	const stop = new AbortController();
	const over = () => compositor.track === track && compositor.stopCues();
	const { signal } = stop;
	if (source instanceof HTMLMediaElement) source.addEventListener("ended", over, { signal });
	else for (const one of source.getAudioTracks()) one.addEventListener("ended", over, { signal });
	await ended;
	stop.abort();
	hearing.port.onmessage = null;
	input.disconnect(hearing);
}

/** @param {AudioContext} context @param {HTMLMediaElement | MediaStream} source @returns {AudioNode} */
function inputOf(context, source) {
	if (!(source instanceof HTMLMediaElement)) return context.createMediaStreamSource(source);
	const known = taken.get(source);
	if (known) return known;
	const node = context.createMediaElementSource(source);
	node.connect(context.destination);
	taken.set(source, node);
	return node;
}

/** A whole recording can be listened to beforehand: then nothing lags. @param {Compositor} compositor @param {AudioContext} context @param {AudioBuffer} buffer */
async function playBuffer(compositor, context, buffer) {
	const mono = new Float32Array(buffer.length);
	for (let c = 0; c < buffer.numberOfChannels; c++) {
		buffer.getChannelData(c).forEach((sample, i) => {
			mono[i] += sample / buffer.numberOfChannels;
		});
	}
	const node = new AudioBufferSourceNode(context, { buffer });
	node.connect(context.destination);
	const startS = context.currentTime;
	node.start();
	// What is heard now left the graph some time ago.
	const clock = () => 1000 * (context.currentTime - startS - (context.outputLatency || context.baseLatency || 0));
	await compositor.playCues(cuesFromSound(mono, buffer.sampleRate), clock);
	node.stop();
	node.disconnect();
}
