/**
 * Frames of weights to one mouth at a time: a sprite can't be half of one and half of another.
 */

/** Weaker than this nothing is said. A guess: half of what a whisper gives in Oculus' own examples. */
const LEAST = 0.12;
/** By so much another shape must be stronger than the one that is shown, or it would flicker. A guess. */
const MORE = 0.08;

/**
 * @param {readonly {t_ms: number, shares: Record<string, number>}[]} frames
 * @returns {{t_ms: number, viseme: string}[]} The strongest of each frame; the one before it as long as it is nearly as strong.
 */
export function steady(frames) {
	let shown = "REST";
	return frames.map(({ t_ms, shares }) => {
		let best = "REST";
		for (const [viseme, share] of Object.entries(shares)) {
			if (share > (shares[best] ?? LEAST)) best = viseme;
		}
		if ((shares[shown] ?? (shown === "REST" ? LEAST : 0)) + MORE < (shares[best] ?? LEAST) || best === "REST")
			shown = best;
		return { t_ms, viseme: shown };
	});
}
