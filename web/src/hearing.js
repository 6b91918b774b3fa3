/**
 * Sound to mouth shapes, by loudness and spectrum, as it is heard. Runs in an AudioWorklet, where it must be one file,
 * and anywhere else: samples in, shapes out.
 *
 * Every 10 ms: quieter than speech is a mouth at rest; hiss is teeth; else the vowel whose formants would give the
 * nearest spectrum. README says how often that is right.
 *
 * Source: Peterson & Barney (1952), mean formants of men's and women's American vowels; Hawkins & Midgley (2005), boot today; Fant (1960), a vowel's spectrum
 * as a chain of resonances.
 */

/** F1, F2, F3 in Hz of men and women, and the mouth that belongs to them. @type {[string, number[], number[]][]} */
const VOWELS = [
	["EE", [270, 2290, 3010], [310, 2790, 3310]], // beat
	["EE", [390, 1990, 2550], [430, 2480, 3070]], // bit
	["EE", [530, 1840, 2480], [610, 2330, 2990]], // bet
	["AA", [660, 1720, 2410], [860, 2050, 2850]], // bat
	["AA", [730, 1090, 2440], [850, 1220, 2810]], // father
	["AA", [640, 1190, 2390], [760, 1400, 2780]], // but
	["OH", [570, 840, 2410], [590, 920, 2710]], // bought
	["OO", [440, 1020, 2240], [470, 1160, 2680]], // book
	["OO", [300, 870, 2240], [370, 950, 2670]], // boot
	["OO", [330, 1500, 2300], [370, 1650, 2700]], // boot, as younger people say it
	["OO", [490, 1350, 1690], [500, 1640, 1960]], // bird
];
/** Edges of the bands in which spectra are compared, Hz; about a third of an octave where F1 and F2 lie. */
const EDGES = [200, 320, 430, 560, 700, 880, 1100, 1400, 1750, 2200, 2750, 3400];
/** What is so much weaker than the strongest band is noise, dB: of 20, 25, 30 and 40 this names most of espeak's vowels rightly. */
const DEPTH_DB = 30;
/** The fourth formant of men and women, which hardly moves, Hz. */
const F4 = [3500, 4200];
/** Hiss is louder from here on than below, Hz. */
const HISS_HZ = 3600;
/** Below this nobody speaks, dB of full scale. */
const SILENCE_DB = -55;
/** Speech is so much louder than the quiet around it, and so little quieter than its own loudest, dB. A guess. */
const ABOVE_FLOOR_DB = 10;
const BELOW_PEAK_DB = 30;
/** By so much the mouth stays open longer than it would open: no flicker at the edge, dB. */
const HYSTERESIS_DB = 5;
/** A vowel that is so much quieter than the loudest is dying away, dB. A guess. */
const FADING_DB = 16;
/** A shape is held for so long, and another must be heard twice, unless the mouth opens or shuts. */
const HOLD_MS = 60;
/** To open or to shut it needs to have been heard once only, but not sooner than this after the last change. */
const LEAST_MS = 40;
const HOP_S = 0.01;

/** A resonance's gain at *hz*: one formant of *f* Hz. @param {number} hz @param {number} f */
function resonance(hz, f) {
	const width = 50 + f / 20;
	return f ** 2 / Math.sqrt((f ** 2 - hz ** 2) ** 2 + (hz * width) ** 2);
}

/** Middle of each band, Hz. */
const MIDDLES = EDGES.slice(1).map((edge, i) => Math.sqrt(edge * EDGES[i]));

/** A spectrum of one length, without its depths, its level and its tilt: what noise, loudness and microphone leave alone. @param {number[]} bands dB */
function shape(bands) {
	const least = Math.max(...bands) - DEPTH_DB;
	const seen = bands.map((db) => Math.max(db, least));
	const mean = seen.reduce((a, b) => a + b, 0) / seen.length;
	const middle = (seen.length - 1) / 2;
	let slope = 0;
	let spread = 0;
	seen.forEach((db, i) => {
		slope += (i - middle) * (db - mean);
		spread += (i - middle) ** 2;
	});
	const flat = seen.map((db, i) => db - mean - (slope / spread) * (i - middle));
	const length = Math.hypot(...flat) || 1;
	return flat.map((db) => db / length);
}

/** @type {{viseme: string, bands: number[]}[]} */
const TEMPLATES = VOWELS.flatMap(([viseme, ...voices]) =>
	voices.map((formants, v) => ({
		viseme,
		bands: shape(
			MIDDLES.map((hz, i) => {
				const width = EDGES[i + 1] - EDGES[i];
				// Voice falls by 12 dB an octave, what leaves the lips rises by 6.
				const source = 1 / hz;
				const gain = [...formants, F4[v]].reduce((product, f) => product * resonance(hz, f), source);
				return 10 * Math.log10(gain ** 2 * width);
			}),
		),
	})),
);

/** In place; *re* and *im* are as long as a power of two. @param {Float64Array} re @param {Float64Array} im */
function fourier(re, im) {
	const n = re.length;
	for (let i = 1, j = 0; i < n; i++) {
		let bit = n >> 1;
		for (; j & bit; bit >>= 1) j ^= bit;
		j ^= bit;
		if (i < j) [re[i], re[j]] = [re[j], re[i]];
	}
	for (let size = 2; size <= n; size <<= 1) {
		const angle = (-2 * Math.PI) / size;
		for (let k = 0; k < size / 2; k++) {
			const c = Math.cos(angle * k);
			const s = Math.sin(angle * k);
			for (let i = k; i < n; i += size) {
				const j = i + size / 2;
				const r = re[j] * c - im[j] * s;
				const m = re[j] * s + im[j] * c;
				re[j] = re[i] - r;
				im[j] = im[i] - m;
				re[i] += r;
				im[i] += m;
			}
		}
	}
}

export class Hearing {
	/** What is shown now. */
	viseme = "REST";
	floorDb = -50;
	peakDb = -30;
	/** The shape that was heard last, and how long the shown one has been there. */
	heard = "REST";
	heldMs = HOLD_MS;
	/** Samples since the last look, and where the oldest of the window lies. */
	fill = 0;
	at = 0;

	/** @param {number} sampleRate */
	constructor(sampleRate) {
		this.sampleRate = sampleRate;
		this.hop = Math.round(sampleRate * HOP_S);
		// About 21 ms: two periods of a low voice, and no more lag than that.
		this.size = 2 ** Math.round(Math.log2(sampleRate * 0.0213));
		this.window = Float64Array.from(
			{ length: this.size },
			(_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / this.size),
		);
		this.samples = new Float64Array(this.size);
		this.re = new Float64Array(this.size);
		this.im = new Float64Array(this.size);
	}

	/**
	 * Hear on.
	 *
	 * @param {Float32Array} samples
	 * @param {(viseme: string, at: number) => void} change Told of each new shape, and the sample after which it was known.
	 */
	hear(samples, change) {
		for (let i = 0; i < samples.length; i++) {
			this.samples[this.at] = samples[i];
			this.at = (this.at + 1) % this.size;
			if (++this.fill < this.hop) continue;
			this.fill = 0;
			const before = this.viseme;
			this.#decide();
			if (this.viseme !== before) change(this.viseme, i);
		}
	}

	/** The last window's loudness over the last hop, its bands, and how much of it is hiss. */
	#look() {
		const { size, samples, window, re, im, at, hop, sampleRate } = this;
		let energy = 0;
		for (let i = 0; i < size; i++) {
			const sample = samples[(at + i) % size];
			if (i >= size - hop) energy += sample * sample;
			re[i] = sample * window[i];
			im[i] = 0;
		}
		fourier(re, im);
		const bands = new Array(EDGES.length - 1).fill(1e-12);
		let low = 1e-12;
		let high = 1e-12;
		for (let k = 1; k < size / 2; k++) {
			const hz = (k * sampleRate) / size;
			const power = re[k] ** 2 + im[k] ** 2;
			if (hz > HISS_HZ) high += power;
			else if (hz > EDGES[0]) low += power;
			// A bin is wider than the lowest bands: it is shared out between those that it touches.
			const half = sampleRate / size / 2;
			for (let b = 0; b < bands.length && EDGES[b] < hz + half; b++) {
				const share = Math.min(hz + half, EDGES[b + 1]) - Math.max(hz - half, EDGES[b]);
				if (share > 0) bands[b] += (power * share) / (2 * half);
			}
		}
		return {
			db: 10 * Math.log10(energy / hop + 1e-12),
			bands: bands.map((power) => 10 * Math.log10(power)),
			isHiss: high > low,
		};
	}

	#decide() {
		const { db, bands, isHiss } = this.#look();
		// The quiet around speech rises slowly and falls at once; its loudest the other way round.
		this.floorDb = Math.min(db, this.floorDb + 0.03);
		this.floorDb = Math.max(this.floorDb, SILENCE_DB - ABOVE_FLOOR_DB - 10);
		this.peakDb = Math.max(db, this.peakDb - 0.02);
		const least = Math.max(
			SILENCE_DB,
			Math.min(this.floorDb + ABOVE_FLOOR_DB, this.peakDb - 12),
			this.peakDb - BELOW_PEAK_DB,
		);
		this.heldMs += 1000 * HOP_S;
		const isOpen = db > least - (this.viseme === "REST" ? 0 : HYSTERESIS_DB);
		const now = isOpen ? this.#name(bands, isHiss, db) : "REST";
		const opensOrShuts = (now === "REST") !== (this.viseme === "REST");
		const isSure = now === this.heard && this.heldMs >= HOLD_MS;
		this.heard = now;
		if (now === this.viseme || !(isSure || (opensOrShuts && this.heldMs >= LEAST_MS))) return;
		this.viseme = now;
		this.heldMs = 0;
	}

	/** @param {number[]} bands @param {boolean} isHiss @param {number} db */
	#name(bands, isHiss, db) {
		// s and sh are loud, f and th are not.
		if (isHiss) return db > this.peakDb - 22 ? "EE" : "FF";
		// What dies away keeps its mouth: its spectrum is only what is left of it.
		if (db < this.peakDb - FADING_DB && this.viseme !== "REST") return this.viseme;
		const heard = shape(bands);
		let best = "EE";
		let most = -2;
		for (const template of TEMPLATES) {
			let alike = 0;
			for (let b = 0; b < heard.length; b++) alike += heard[b] * template.bands[b];
			if (alike <= most) continue;
			most = alike;
			best = template.viseme;
		}
		return best;
	}
}

/** All shapes of a recording. @param {Float32Array} samples @param {number} sampleRate @returns {{t_ms: number, viseme: string}[]} */
export function cuesFromSound(samples, sampleRate) {
	const cues = [{ t_ms: 0, viseme: "REST" }];
	const hearing = new Hearing(sampleRate);
	// What a window says is true of its middle.
	const middleMs = (500 * hearing.size) / sampleRate;
	hearing.hear(samples, (viseme, at) => {
		cues.push({ t_ms: Math.max(0, Math.round((1000 * at) / sampleRate - middleMs)), viseme });
	});
	const endMs = Math.round((1000 * samples.length) / sampleRate);
	return [...cues, { t_ms: Math.max(endMs, cues[cues.length - 1].t_ms), viseme: "REST" }];
}

/** In an AudioWorklet, and only there. @type {any} */
const scope = globalThis;
if (scope.registerProcessor) {
	scope.registerProcessor(
		"anchord-hearing",
		class extends scope.AudioWorkletProcessor {
			hearing = new Hearing(scope.sampleRate);
			mono = new Float32Array(128);

			/** @param {Float32Array[][]} inputs */
			process([channels]) {
				const { hearing, mono } = this;
				const length = channels[0]?.length ?? mono.length;
				for (let i = 0; i < length; i++) {
					let sum = 0;
					for (const channel of channels) sum += channel[i];
					mono[i] = channels.length ? sum / channels.length : 0;
				}
				hearing.hear(mono, (viseme) => /** @type {any} */ (this).port.postMessage(viseme));
				return true;
			}
		},
	);
}
