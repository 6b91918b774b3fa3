import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { checkedCues } from "../src/cues.js";
import { cuesFromSound, Hearing } from "../src/hearing.js";

const RATE = 48_000;

/** What espeak-ng says, as samples; *said* may name phonemes: `[[hA:]]`. */
function spoken(said, voice = "en-us", speed = 120) {
	const wav = execFileSync("espeak-ng", ["-v", voice, "-s", String(speed), "--stdout", said]);
	const from = wav.indexOf("data") + 8;
	const samples = new Float32Array((wav.length - from) >> 1);
	for (let i = 0; i < samples.length; i++) samples[i] = wav.readInt16LE(from + 2 * i) / 32768;
	return { samples, rate: wav.readUInt32LE(24) };
}

/** A buzz of 120 Hz with noise in it, between *fromS* and *toS* of *lengthS*. */
function buzz(fromS, toS, lengthS, level = 0.3) {
	return Float32Array.from({ length: lengthS * RATE }, (_, i) => {
		const s = i / RATE;
		return s < fromS || s >= toS ? 0 : level * (((s * 120) % 1) - 0.5);
	});
}

/** Milliseconds of each shape. */
function shares(cues) {
	const ms = {};
	cues.slice(1).forEach(({ t_ms }, i) => {
		ms[cues[i].viseme] = (ms[cues[i].viseme] ?? 0) + t_ms - cues[i].t_ms;
	});
	return ms;
}

test("the mouth opens within 20 ms of a sound's beginning and shuts within 50 ms of its end", (t) => {
	const changes = [];
	new Hearing(RATE).hear(buzz(0.5, 1, 1.5), (viseme, at) => changes.push({ viseme, ms: (1000 * at) / RATE }));
	const opened = changes.find(({ viseme }) => viseme !== "REST");
	const shut = changes.at(-1);
	t.diagnostic(`opens after ${(opened.ms - 500).toFixed(0)} ms, shuts after ${(shut.ms - 1000).toFixed(0)} ms`);
	assert.ok(opened.ms >= 500 && opened.ms <= 520);
	assert.equal(shut.viseme, "REST");
	assert.ok(shut.ms >= 1000 && shut.ms <= 1050);
});

test("silence and a quiet room keep it shut", () => {
	assert.deepEqual(shares(cuesFromSound(new Float32Array(RATE), RATE)), { REST: 1000 });
	let seed = 7;
	const noise = Float32Array.from({ length: 3 * RATE }, () => {
		seed = (seed * 1103515245 + 12345) % 2 ** 31;
		return 0.002 * (seed / 2 ** 30 - 1);
	});
	const ms = shares(cuesFromSound(noise, RATE));
	assert.ok((ms.REST ?? 0) > 2900, JSON.stringify(ms));
});

test("a sound at the edge of being heard does not make it flicker", () => {
	// 4 dB up and down, ten times a second, around where it opens.
	const samples = buzz(0, 4, 4, 1).map(
		(sample, i) => sample * 0.004 * (1 + 0.25 * Math.sin((2 * Math.PI * 10 * i) / RATE)),
	);
	const cues = cuesFromSound(samples, RATE);
	assert.ok(cues.length < 12, `${cues.length} changes in 4 s`);
});

test("no shape is shorter than 40 ms, in a whole sentence", () => {
	const { samples, rate } = spoken(
		"Hello there, watch my mouth: it follows every breath and every little nod.",
		"en-us",
		160,
	);
	const cues = checkedCues(cuesFromSound(samples, rate));
	const lengths = cues.slice(2).map(({ t_ms }, i) => t_ms - cues[i + 1].t_ms);
	assert.ok(Math.min(...lengths.slice(0, -1)) >= 39, `${lengths}`);
	assert.ok(new Set(cues.map(({ viseme }) => viseme)).size >= 5, "it is not the same mouth all the time");
});

test("it does not matter how loud the recording is, or at which rate", () => {
	const { samples, rate } = spoken("Hello there, watch my mouth.");
	const whole = shares(cuesFromSound(samples, rate));
	const quiet = shares(
		cuesFromSound(
			samples.map((sample) => sample / 8),
			rate,
		),
	);
	for (const viseme of ["AA", "EE", "REST"])
		assert.ok(Math.abs(whole[viseme] - quiet[viseme]) < 0.15 * whole[viseme] + 100, viseme);
	const twice = new Float32Array(2 * samples.length).map((_, i) => (samples[i >> 1] + samples[(i + 1) >> 1] || 0) / 2);
	const fast = shares(cuesFromSound(twice, 2 * rate));
	for (const viseme of ["AA", "EE", "REST"])
		assert.ok(Math.abs(whole[viseme] - fast[viseme]) < 0.2 * whole[viseme] + 100, viseme);
});

test("of espeak's vowels it names most as they look, and s, f and silence", (t) => {
	const SOUNDS = { AA: ["A:", "a", "V"], EE: ["i:", "I", "E"], OH: ["O:"], OO: ["u:", "U"] };
	const right = {};
	for (const [want, list] of Object.entries(SOUNDS)) {
		right[want] = [];
		for (const voice of ["en-us", "en-us+f2", "en-us+m3", "en-us+f4", "en-gb", "en-gb+m7"]) {
			for (const vowel of list) {
				const { samples, rate } = spoken(`[[h${vowel}]]`, voice);
				const { REST, ...ms } = shares(cuesFromSound(samples, rate));
				const open = Object.values(ms).reduce((a, b) => a + b, 0);
				right[want].push((ms[want] ?? 0) / open);
			}
		}
	}
	const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
	const told = Object.entries(right).map(([viseme, list]) => `${viseme} ${Math.round(100 * mean(list))} %`);
	const all = mean(Object.values(right).flat());
	t.diagnostic(`of the time in which the mouth is open: ${told.join(", ")}; all ${Math.round(100 * all)} %`);
	// By chance it would be a quarter.
	assert.ok(all >= 0.6);
	assert.ok(mean(right.AA) >= 0.65 && mean(right.EE) >= 0.65);
	const s = spoken("[[s::::]]");
	const hiss = shares(cuesFromSound(s.samples, s.rate));
	assert.ok(
		(hiss.EE ?? 0) > 0.6 * ((hiss.EE ?? 0) + (hiss.AA ?? 0) + (hiss.OO ?? 0) + (hiss.OH ?? 0)),
		JSON.stringify(hiss),
	);
});
