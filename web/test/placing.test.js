import assert from "node:assert/strict";
import { test } from "node:test";
import { place, referenceOf } from "../src/placing.js";
import { Timeline, TimelineError } from "../src/timeline.js";

const box = (cx, cy, w, h, roll = 0) => ({ x: cx - w / 2, y: cy - h / 2, w, h, cx, cy, roll });
const STATICS = {
	mouth: { cx: 256, cy: 460, w: 160, h: 120, roll: 0 },
	eyes: { cx: 256, cy: 280, w: 232, h: 80, roll: 0 },
};
/** Samples of [mouth, eyes], 100 ms apart. */
const timeline = (samples, rest = {}) =>
	new Timeline({
		version: 1,
		frames: samples.map(([mouth, eyes, status = "tracked"], i) => ({
			frame: i,
			time_ms: 100 * i,
			mouth,
			eyes,
			status,
		})),
		...rest,
	});
/** Where the sprite of *part* lies at *timeMs*. */
function placed(line, part, timeMs, statics = STATICS) {
	const at = { cx: 0, cy: 0, w: 0, h: 0, roll: 0 };
	line.anchorAt(part, timeMs, at);
	place(at, referenceOf(line, statics)[part], statics[part]);
	return at;
}
const near = (actual, expected, by = 1e-9) => {
	for (const key of ["cx", "cy", "w", "h", "roll"])
		assert.ok(Math.abs(actual[key] - expected[key]) <= by, `${key}: ${actual[key]}, not ${expected[key]}`);
};
const away = [box(300, 500, 130, 57, 8), box(310, 320, 190, 21, 8)];
const here = [box(258, 452, 125, 55, 2), box(254, 283, 186, 20, 2)];

test("at the reference a tracked sprite lies just where a static one would", () => {
	for (const line of [timeline([away, here]), timeline([away, here], { reference: { time_ms: 100 } })]) {
		near(placed(line, "mouth", 100), STATICS.mouth);
		near(placed(line, "eyes", 100), STATICS.eyes);
	}
});

test("elsewhere it has moved, turned and grown as the face has, and keeps its own proportions", () => {
	const line = timeline([[box(258, 452, 250, 110, 92), box(254, 283, 372, 40, 92)], here], {
		reference: { time_ms: 100 },
	});
	// The static middle lies (-2, 8) from the tracked one: twice as far, and a quarter turn on.
	near(placed(line, "mouth", 0), { cx: 258 - 16, cy: 452 - 4, w: 320, h: 240, roll: 90 });
});

test("a reference that says where the parts of the base face are needs no frame that looks like it", () => {
	const reference = { time_ms: 0, mouth: box(256, 455, 125, 55, 0), eyes: box(256, 280, 186, 20, 0) };
	const line = timeline([away, [box(256, 455, 250, 110), box(256, 280, 372, 40)]], { reference });
	near(placed(line, "mouth", 100), { cx: 256, cy: 465, w: 320, h: 240, roll: 0 });
	near(placed(line, "eyes", 100), { cx: 256, cy: 280, w: 464, h: 160, roll: 0 });
});

test("without a reference the sample nearest to the static anchors is it, by place and by turn", () => {
	const turned = [box(258, 452, 125, 55, 30), box(254, 283, 186, 20, 30)];
	near(placed(timeline([turned, away, here]), "mouth", 200), STATICS.mouth);
	// One that was only bridged or held says less than one that was seen.
	near(placed(timeline([[...here.map((b) => ({ ...b, cx: 256 })), "held"], here]), "mouth", 100), STATICS.mouth);
});

test("static anchors that belong to another picture do not pull the sprite off the face", () => {
	const far = [box(100, 150, 60, 27), box(100, 90, 90, 10)];
	const at = placed(timeline([far, far]), "mouth", 0);
	near(at, { cx: 100, cy: 150, w: 160, h: 120, roll: 0 });
});

test("integer timelines of the first version are placed the same way", () => {
	const plain = ({ roll, ...rest }) => rest;
	const line = timeline([away.map(plain), here.map(plain)].map(([mouth, eyes]) => [mouth, eyes, undefined]));
	near(placed(line, "eyes", 100), STATICS.eyes);
});

test("a reference in a gap, or with a part left out, falls back on what there is", () => {
	const line = timeline([here, away, here], {
		reference: { time_ms: 100, mouth: here[0] },
		quality: { gaps: [[90, 110]] },
	});
	near(placed(line, "mouth", 200), STATICS.mouth);
	near(placed(line, "eyes", 200), STATICS.eyes);
	assert.ok(referenceOf(timeline([]), STATICS).mouth.w > 0);
});

for (const [reference, says] of [
	[{}, /reference\.time_ms is undefined/],
	[{ time_ms: 0, mouth: { x: 1 } }, /reference\.mouth\.w is undefined/],
])
	test(`refused by name: a reference of ${JSON.stringify(reference)}`, () => {
		assert.throws(
			() => timeline([here], { reference }),
			(error) => error instanceof TimelineError && says.test(error.message),
		);
	});
