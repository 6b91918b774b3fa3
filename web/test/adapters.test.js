/**
 * Each format as its maker documents it; the samples are theirs, but for the frames of weights, which are made here.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
	CuesError,
	cuesFrom,
	cuesFromArkit,
	cuesFromAzure,
	cuesFromOculus,
	cuesFromPhonemes,
	cuesFromPolly,
	visemesOfPhoneme,
} from "../src/adapters/index.js";
import { checkedCues } from "../src/cues.js";

const PACK = ["REST", "AA", "EE", "OH", "OO", "FF", "TH"];
const shapes = (cues) => cues.map(({ viseme }) => viseme).join(" ");
/** What every list of cues must be. */
function sound(cues) {
	checkedCues(cues);
	for (const { viseme } of cues) assert.ok(PACK.includes(viseme), viseme);
	for (let i = 1; i < cues.length; i++) assert.notEqual(cues[i].viseme, cues[i - 1].viseme, "each shape once");
	return cues;
}

// Amazon Polly Developer Guide, "Speech marks without SSML example".
const POLLY = `{"time":0,"type":"sentence","start":0,"end":23,"value":"Mary had a little lamb."}
{"time":6,"type":"word","start":0,"end":4,"value":"Mary"}
{"time":6,"type":"viseme","value":"p"}
{"time":73,"type":"viseme","value":"E"}
{"time":180,"type":"viseme","value":"r"}
{"time":292,"type":"viseme","value":"i"}
{"time":373,"type":"word","start":5,"end":8,"value":"had"}
{"time":373,"type":"viseme","value":"k"}
{"time":460,"type":"viseme","value":"a"}
{"time":521,"type":"viseme","value":"t"}
{"time":604,"type":"word","start":9,"end":10,"value":"a"}
{"time":604,"type":"viseme","value":"@"}
{"time":643,"type":"word","start":11,"end":17,"value":"little"}
{"time":643,"type":"viseme","value":"t"}
{"time":739,"type":"viseme","value":"i"}
{"time":769,"type":"viseme","value":"t"}
{"time":799,"type":"viseme","value":"t"}
{"time":882,"type":"word","start":18,"end":22,"value":"lamb"}
{"time":882,"type":"viseme","value":"t"}
{"time":964,"type":"viseme","value":"a"}
{"time":1082,"type":"viseme","value":"p"}
`;

test("Amazon Polly's speech marks: only the visemes count, and lips meet for m and b", () => {
	const cues = sound(cuesFromPolly(POLLY));
	assert.deepEqual(cues.slice(0, 4), [
		{ t_ms: 6, viseme: "REST" },
		{ t_ms: 73, viseme: "EE" },
		{ t_ms: 180, viseme: "OO" },
		{ t_ms: 292, viseme: "EE" },
	]);
	assert.deepEqual(cues.at(-1), { t_ms: 1082, viseme: "REST" });
	assert.deepEqual(cuesFrom(POLLY), cues);
	assert.deepEqual(
		cuesFrom(
			POLLY.trim()
				.split("\n")
				.map((line) => JSON.parse(line)),
		),
		cues,
		"parsed already",
	);
	assert.throws(() => cuesFromPolly(`${POLLY}{"time":`), /line 22 of the speech marks is not JSON/);
});

test("Azure's viseme events: ids, and ticks of 100 ns", () => {
	// The ids of "hello" as the Speech SDK for JavaScript hands them to visemeReceived.
	const events = [
		{ privAudioOffset: 500000, audioOffset: 500000, visemeId: 0, animation: "" },
		{ audioOffset: 1000000, visemeId: 12, animation: "" },
		{ audioOffset: 1125000, visemeId: 4, animation: "" },
		{ audioOffset: 1812500, visemeId: 14, animation: "" },
		{ audioOffset: 2287500, visemeId: 8, animation: "" },
		{ audioOffset: 6375000, visemeId: 0, animation: "" },
	];
	const cues = sound(cuesFrom(events));
	assert.equal(shapes(cues), "REST AA EE TH OH REST");
	assert.deepEqual(
		cues.map(({ t_ms }) => t_ms),
		[50, 100, 113, 181, 229, 638],
	);
	for (let id = 0; id < 22; id++) assert.ok(PACK.includes(cuesFromAzure([{ audioOffset: 0, visemeId: id }])[0].viseme));
	assert.throws(() => cuesFrom([{ audioOffset: "soon", visemeId: 3 }]), /event 0: audioOffset is "soon"/);
});

test("Azure's blend shapes: frames of 55 at 60 Hz, in pieces", () => {
	const frame = (open, pucker) => Object.assign(new Array(55).fill(0), { 17: open, 20: pucker });
	const piece = (FrameIndex, BlendShapes) => ({
		audioOffset: 0,
		visemeId: 0,
		animation: JSON.stringify({ FrameIndex, BlendShapes }),
	});
	const cues = sound(cuesFrom([piece(0, [frame(0, 0), frame(0.6, 0)]), piece(2, [frame(0.5, 0), frame(0.05, 0.8)])]));
	assert.deepEqual(cues, [
		{ t_ms: 0, viseme: "REST" },
		{ t_ms: 17, viseme: "AA" },
		{ t_ms: 50, viseme: "OO" },
	]);
});

// Rhubarb's README, "Output formats".
const RHUBARB_TSV = "0.00\tX\n0.05\tD\n0.27\tC\n0.31\tB\n0.43\tX\n0.47\tX\n";
const RHUBARB_JSON = `{
  "metadata": { "soundFile": "C:\\\\Users\\\\Daniel\\\\Desktop\\\\av\\\\hi\\\\hi.wav", "duration": 0.47 },
  "mouthCues": [
    { "start": 0.00, "end": 0.05, "value": "X" },
    { "start": 0.05, "end": 0.27, "value": "D" },
    { "start": 0.27, "end": 0.31, "value": "C" },
    { "start": 0.31, "end": 0.43, "value": "B" },
    { "start": 0.43, "end": 0.47, "value": "X" }
  ]
}`;

test("Rhubarb's TSV and JSON say the same", () => {
	const cues = sound(cuesFrom(RHUBARB_TSV));
	assert.deepEqual(cues, [
		{ t_ms: 0, viseme: "REST" },
		{ t_ms: 50, viseme: "AA" },
		{ t_ms: 270, viseme: "EE" },
		{ t_ms: 430, viseme: "REST" },
	]);
	assert.deepEqual(cuesFrom(RHUBARB_JSON), cues);
	assert.deepEqual(cuesFrom(JSON.parse(RHUBARB_JSON)), cues);
	assert.throws(() => cuesFrom("0.1\tA\nsoon\tB\n"), /line 2: time is "soon"/);
});

test("Oculus' 15 visemes: names, weights in its order, and under Ready Player Me's and VRM's names", () => {
	const weights = (index) => Object.assign(new Array(15).fill(0), { [index]: 0.9 });
	const frames = [0, 1, 2, 3, 10, 13, 14].map((index, i) => ({ t_ms: 100 * i, weights: weights(index) }));
	assert.equal(shapes(sound(cuesFrom(frames))), "REST FF TH AA OH OO");
	const names = ["sil", "PP", "FF", "TH", "aa", "oh", "ou"].map((name, i) => ({ t_ms: 100 * i, name }));
	assert.equal(shapes(cuesFrom(names)), "REST FF TH AA OH OO");
	const vrm = ["neutral", "aa", "ih", "ou", "ee", "oh"].map((name, i) => ({ t_ms: 100 * i, weights: { [name]: 1 } }));
	assert.equal(shapes(cuesFrom(vrm)), "REST AA EE OO EE OH");
	assert.equal(shapes(cuesFrom([{ t_ms: 0, weights: { viseme_aa: 0.7, viseme_O: 0.2 } }])), "AA");
});

test("weights that are nearly equal do not make the mouth flicker", () => {
	const frames = Array.from({ length: 40 }, (_, i) => ({
		t_ms: 33 * i,
		weights: { aa: 0.5 + (i % 2 ? 0.03 : -0.03), oh: 0.5 },
	}));
	assert.equal(cuesFromOculus(frames).length, 1);
});

/** What ARKit gives for a mouth, made by hand: the coefficients that Apple's pictures show. */
const FACES = {
	REST: { jawOpen: 0.03, mouthClose: 0.02, mouthSmileLeft: 0.1, mouthSmileRight: 0.1 },
	AA: {
		jawOpen: 0.55,
		mouthLowerDownLeft: 0.2,
		mouthLowerDownRight: 0.2,
		mouthUpperUpLeft: 0.1,
		mouthUpperUpRight: 0.1,
	},
	EE: {
		jawOpen: 0.12,
		mouthStretchLeft: 0.35,
		mouthStretchRight: 0.35,
		mouthSmileLeft: 0.3,
		mouthSmileRight: 0.3,
		mouthLowerDownLeft: 0.4,
		mouthLowerDownRight: 0.4,
	},
	OH: { jawOpen: 0.4, mouthFunnel: 0.5, mouthPucker: 0.3 },
	OO: { jawOpen: 0.08, mouthFunnel: 0.2, mouthPucker: 0.75 },
	FF: { jawOpen: 0.06, mouthRollLower: 0.6, mouthUpperUpLeft: 0.2, mouthUpperUpRight: 0.2 },
	TH: { jawOpen: 0.2, tongueOut: 0.6 },
};

test("ARKit's blend shapes become the mouth that they shape", () => {
	const frames = Object.values(FACES).map((weights, i) => ({ t_ms: 200 * i, weights }));
	assert.equal(shapes(sound(cuesFrom(frames))), Object.keys(FACES).join(" "));
	// A mouth that is pressed shut while the jaw is down is shut.
	assert.equal(
		shapes(
			cuesFromArkit([
				{ t_ms: 0, weights: { jawOpen: 0.4, mouthClose: 0.4, mouthPressLeft: 0.5, mouthPressRight: 0.5 } },
			]),
		),
		"REST",
	);
});

test("Audio2Face's JSON and CSV, and Live Link's CSV, are read by their columns", () => {
	const names = ["eyeBlinkLeft", "jawOpen", "mouthPucker"];
	const rows = [
		[0, 0, 0],
		[0, 0.6, 0],
		[0, 0.05, 0.8],
	];
	const a2f = { exportFps: 30, trackPath: "hi.wav", numPoses: 3, numFrames: 3, facsNames: names, weightMat: rows };
	const cues = sound(cuesFrom(a2f));
	assert.deepEqual(cues, [
		{ t_ms: 0, viseme: "REST" },
		{ t_ms: 33, viseme: "AA" },
		{ t_ms: 67, viseme: "OO" },
	]);
	const upper = names.map((name) => name[0].toUpperCase() + name.slice(1));
	const csv = [
		`timeCode,${upper.map((name) => `blendShapes.${name}`).join()}`,
		...rows.map((row, i) => `${i / 30},${row.join()}`),
	];
	assert.deepEqual(cuesFrom(csv.join("\n")), cues);
	const live = [
		`Timecode,BlendshapeCount,${upper.join()}`,
		...rows.map((row, i) => `14:03:59:${57 + i}.250,61,${row.join()}`),
	];
	assert.deepEqual(
		cuesFrom(live.join("\r\n")).map(({ t_ms, viseme }) => [t_ms, viseme]),
		[
			[0, "REST"],
			[17, "AA"],
			[33, "OO"],
		],
	);
});

test("ElevenLabs' alignment: letters with times, spread over each word, also over its WebSocket", () => {
	const text = "Hi Bob";
	const starts = [0, 0.1, 0.2, 0.3, 0.4, 0.55];
	const ends = [0.1, 0.2, 0.3, 0.4, 0.55, 0.7];
	const alignment = { characters: [...text], character_start_times_seconds: starts, character_end_times_seconds: ends };
	const cues = sound(cuesFrom({ audio_base64: "", alignment, normalized_alignment: alignment }));
	assert.equal(shapes(cues), "EE REST OH REST");
	assert.equal(cues[0].t_ms, 0);
	assert.equal(cues.find(({ viseme }) => viseme === "REST").t_ms, 200, "lips close after Hi and stay so for the B");
	const chars = {
		chars: [...text],
		charStartTimesMs: starts.map((s) => 1000 * s),
		charDurationsMs: starts.map((s, i) => 1000 * (ends[i] - s)),
	};
	assert.deepEqual(cuesFrom({ alignment: chars, isFinal: false }), cues);
	assert.throws(
		() => cuesFrom({ ...alignment, character_end_times_seconds: [1] }),
		/6 characters, 6 starts and 1 ends/,
	);
});

test("words with times, as Kokoro gives them, with phonemes where they are known", () => {
	const timestamps = [
		{ word: "Hello", start_time: 0.275, end_time: 0.65 },
		{ word: "world", start_time: 0.65, end_time: 1.1 },
		{ word: ".", start_time: 1.1, end_time: 1.2 },
	];
	const cues = sound(cuesFrom({ audio: "", timestamps }));
	assert.equal(cues[0].t_ms, 275);
	assert.deepEqual(cues.at(-1), { t_ms: 1100, viseme: "REST" });
	assert.ok(
		cues.filter(({ t_ms }) => t_ms >= 650 && t_ms < 1100).some(({ viseme }) => viseme === "OO"),
		"the w of world",
	);
	const tokens = [
		{ text: "Hello", phonemes: "həlˈO", start_ts: 0.275, end_ts: 0.65 },
		{ text: ".", phonemes: ".", start_ts: null, end_ts: null },
	];
	assert.equal(shapes(sound(cuesFrom(tokens))), "AA TH OH OO REST");
});

test("phonemes in ARPAbet and in IPA give the same mouth", () => {
	const at = (phonemes) => phonemes.map((phoneme, i) => ({ t_ms: 100 * i, end_ms: 100 * i + 100, phoneme }));
	const arpabet = cuesFromPhonemes(at(["F", "AO1", "DH", "ER0", "sil"]));
	const ipa = cuesFromPhonemes(at(["f", "ˈɔː", "ð", "ɚ", ""]));
	assert.deepEqual(arpabet, ipa);
	assert.equal(shapes(sound(arpabet)), "FF OH TH OO REST");
	assert.equal(shapes(cuesFrom(at(["B", "OY1"]))), "REST OH EE REST", "a diphthong is two shapes");
});

test("every ARPAbet phoneme and every usual letter of the IPA has a shape, and signs have none", () => {
	const arpabet =
		"AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split(" ");
	assert.equal(arpabet.length, 39);
	for (const phoneme of arpabet) assert.ok(visemesOfPhoneme(`${phoneme}1`).length, phoneme);
	for (const letter of "aɑæɐəɚɝɛeɪiɨɔoɒʊuʌyøœʉɯbdfghjklmnŋpɹrsʃtθðvwzʒʔçxɣɲʎɾʁχ") {
		assert.ok(visemesOfPhoneme(letter).length, letter);
	}
	for (const sign of "ˈˌːˑ.‿") assert.deepEqual(visemesOfPhoneme(sign), [], sign);
});

test("our own cues pass as they are, and what nobody knows is refused by name", () => {
	const own = [
		{ t_ms: 0, viseme: "AA" },
		{ t_ms: 90, viseme: "REST" },
	];
	assert.deepEqual(cuesFrom(own), own);
	assert.deepEqual(cuesFrom([]), []);
	for (const [input, says] of [
		["once upon a time", /no lip-sync format begins with "once/],
		[{ once: 1 }, /no lip-sync format looks like \{"once":1\}/],
		[null, /null/],
		[7, /7/],
		[[1, 2], /cues\[0\]\.t_ms is undefined/],
		[[{ t_ms: 0, viseme: 4 }], /cues\[0\]\.viseme is 4/],
		[
			[
				{ t_ms: 5, viseme: "AA" },
				{ t_ms: 4, viseme: "AA" },
			],
			/cues\[1\]\.t_ms goes back/,
		],
		[{ mouthCues: [{ start: "x", end: 1, value: "A" }] }, /mouthCues\[0\]\.start is "x"/],
	])
		assert.throws(
			() => cuesFrom(input),
			(error) => error instanceof TypeError && says.test(error.message),
		);
	assert.ok(new CuesError() instanceof TypeError);
});
