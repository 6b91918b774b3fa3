import assert from "node:assert/strict";
import { test } from "node:test";
import { packState } from "../demo/packs.js";
import { press as pressOne, toManifest } from "../src/calibrating.js";
import { Calibration } from "../src/calibration.js";
import { blinkAt } from "../src/compositor.js";
import { feather, opacityOf } from "../src/mask.js";
import { completeManifest, idleVideo, staticAnchor } from "../src/pack.js";
import { cuesFromText } from "../src/speech.js";

// --- masks

test("a mask is its alpha where it has one, else its brightness", () => {
	assert.deepEqual([...opacityOf(new Uint8ClampedArray([9, 9, 9, 255, 255, 255, 255, 51]))], [1, Math.fround(0.2)]);
	assert.deepEqual(
		[...opacityOf(new Uint8ClampedArray([0, 0, 0, 255, 255, 255, 255, 255]))].map((value) => Math.round(value)),
		[0, 1],
	);
});

test("a feathered mask runs out at the rim, stays whole in the middle, and never rises outwards", () => {
	const opacity = new Float32Array(60 * 40).fill(1);
	feather(opacity, 60, 40, 8);
	assert.ok(opacity[20 * 60] < 0.1 && opacity[30] < 0.1);
	assert.ok(opacity[20 * 60 + 30] > 0.999);
	for (let x = 1; x < 30; x++) assert.ok(opacity[20 * 60 + x] >= opacity[20 * 60 + x - 1]);
});

test("without a feather a mask stays as it was", () => {
	const opacity = Float32Array.from({ length: 100 }, (_, i) => (i % 3) / 2);
	const before = [...opacity];
	feather(opacity, 10, 10, 0);
	assert.deepEqual([...opacity], before);
});

// --- calibration

const shelf = (content = {}) => ({
	content,
	getItem: (key) => content[key] ?? null,
	setItem: (key, value) => (content[key] = value),
	removeItem: (key) => delete content[key],
});
const press = (calibration, ...keys) => {
	for (const key of keys) pressOne(calibration, { key: key.replace("Shift+", ""), shiftKey: key.startsWith("Shift+") });
};

test("arrows move, Shift+arrows resize, Tab changes the part, R goes back to the pack's own", () => {
	const calibration = new Calibration("a", { mouth: { x: 5 } });
	press(calibration, "ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp", "Tab", "ArrowLeft");
	assert.deepEqual(calibration.offsets, { mouth: { x: 6, y: 1, w: 1, h: 1 }, eyes: { x: -1, y: 0, w: 0, h: 0 } });
	press(calibration, "R");
	assert.deepEqual(calibration.offsets.mouth, { x: 5, y: 0, w: 0, h: 0 });
	assert.equal(pressOne(calibration, { key: "q", shiftKey: false }), false);
});

test("what was set is there the next time, for that avatar only", () => {
	const storage = shelf();
	press(new Calibration("a", null, storage), "ArrowRight");
	assert.equal(new Calibration("a", null, storage).offsets.mouth.x, 1);
	assert.equal(new Calibration("b", null, storage).offsets.mouth.x, 0);
});

test("storage that is full, forbidden or spoilt stops nobody", () => {
	const no = () => {
		throw new Error("no");
	};
	const forbidden = new Calibration("a", null, { getItem: no, setItem: no, removeItem: no });
	press(forbidden, "ArrowRight", "r", "ArrowRight");
	assert.equal(forbidden.offsets.mouth.x, 1);
	assert.equal(new Calibration("a", null, shelf({ "anchord.calibration.a": "{oops" })).offsets.mouth.x, 0);
});

test("an offset turns with the face", () => {
	const calibration = new Calibration("a", { mouth: { x: 10, y: 0, w: 4, h: -999 } });
	const anchor = { cx: 100, cy: 100, w: 50, h: 20, roll: 90 };
	calibration.apply("mouth", anchor);
	assert.deepEqual({ ...anchor, cx: Math.round(anchor.cx) }, { cx: 100, cy: 110, w: 54, h: 1, roll: 90 });
});

test("the export is a piece of manifest that gives the same calibration", () => {
	const calibration = new Calibration("a");
	press(calibration, "ArrowRight", "Tab", "Shift+ArrowDown");
	const { calibration: preset } = JSON.parse(toManifest(calibration));
	assert.deepEqual(new Calibration("b", preset).offsets, calibration.offsets);
});

// --- manifests

test("the idle video stands under base or at the top", () => {
	assert.equal(idleVideo(completeManifest({ base: { idleVideo: "a.webm" } })), "a.webm");
	assert.equal(idleVideo(completeManifest({ idleVideo: "b.webm" })), "b.webm");
	assert.equal(idleVideo(completeManifest({})), undefined);
});

test("what a manifest leaves out is as usual", () => {
	for (const odd of [null, {}, { mouth: null, eyes: 3, base: "x" }]) {
		const manifest = completeManifest(odd);
		assert.equal(manifest.base.src, "base_face.png");
		assert.equal(manifest.mouth.visemes.length, 7);
		assert.equal(manifest.eyes.pupil.maxOffsetX, 8);
	}
	assert.deepEqual(staticAnchor({ x: 176, y: 400, w: 160, h: 120 }), { cx: 256, cy: 460, w: 160, h: 120, roll: 0 });
});

// --- eyes and speech

test("a blink closes the eye and opens it again, without a jump", () => {
	assert.equal(blinkAt(-1), 1);
	assert.equal(blinkAt(100), 0);
	assert.equal(blinkAt(300), 1);
	for (let ms = 0; ms < 300; ms++) assert.ok(Math.abs(blinkAt(ms) - blinkAt(ms - 1)) < 0.02);
});

test("words become the shapes of their sounds", () => {
	const shapes = (text) => cuesFromText(text).cues.map(({ viseme }) => viseme);
	assert.deepEqual(shapes("mom"), ["REST", "OH", "REST"]);
	assert.deepEqual(shapes("five"), ["FF", "EE", "FF", "EE", "REST"]);
	assert.deepEqual(shapes("the moon"), ["TH", "EE", "REST", "OO", "TH", "REST"]);
	assert.deepEqual(shapes(""), ["REST"]);
	assert.deepEqual(shapes("2"), shapes("two"));
	assert.deepEqual(shapes("Übergröße").slice(0, 2), ["OO", "REST"]);
	assert.ok(shapes("привет").length > 1, "letters of any script move the lips");
});

test("cues rise in time, words are named by their place, and a faster voice is shorter", () => {
	const text = "Hello, world. How are you?";
	const { cues, words, durationMs } = cuesFromText(text);
	for (let i = 1; i < cues.length; i++) assert.ok(cues[i].t_ms > cues[i - 1].t_ms);
	assert.deepEqual(
		words.map(({ index }) => text.slice(index).match(/^\w+/)[0]),
		["Hello", "world", "How", "are", "you"],
	);
	assert.equal(cues.at(-1).viseme, "REST");
	assert.ok(Math.abs(cuesFromText(text, 2).durationMs - durationMs / 2) <= 1);
});

// --- packs

test("a pack's state follows from its files and its timeline", () => {
	const video = { name: "idle.webm", type: "file", size: 100 };
	const timeline = (rest) =>
		JSON.stringify({ version: 1, source: { video: "idle.webm", size: 100 }, frames: [], ...rest });
	const anchor = { x: 0, y: 0, w: 1, h: 1 };
	const frames = [{ frame: 0, time_ms: 0, mouth: anchor, eyes: anchor }];
	const state = (files, text) => packState("a", "", files, text);
	assert.equal(state([], null).state, "bare");
	assert.equal(state([video], null).state, "waiting");
	assert.equal(state([video], timeline({ frames })).state, "tracked");
	assert.equal(state([{ ...video, size: 7 }], timeline({ frames })).state, "changed");
	assert.equal(state([], timeline({ frames })).state, "changed");
	assert.equal(state([video], "oops").state, "broken");
	assert.equal(state([video], timeline({})).words, "No face found");
	const partly = state(
		[video],
		timeline({ frames, quality: { coverage: 0.8, gaps: [[1, 2]], warnings: [{ message: "too dark" }] } }),
	);
	assert.deepEqual([partly.state, partly.words, partly.warnings], ["partly", "Face in 80 %, 1 gap", ["too dark"]]);
});
