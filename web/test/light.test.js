import assert from "node:assert/strict";
import { test } from "node:test";
import { lightAt, lightsIn, tint } from "../src/light.js";

const frame = (time_ms, r, g = r, b = r) => ({ time_ms, light: { r, g, b } });

test("a timeline without light has none, and what is no light is passed over", () => {
	assert.equal(lightsIn([{ time_ms: 0 }, { time_ms: 40, light: null }]), null);
	assert.deepEqual([...lightsIn([frame(0, Number.NaN), frame(40, 2)]).times], [40]);
});

test("the light changes evenly from sample to sample, and stays as it is before and after them", () => {
	const lights = lightsIn([frame(100, 1, 1, 1), { time_ms: 150 }, frame(200, 0.5, 1, 2)]);
	const at = (timeMs) => {
		const out = [0, 0, 0];
		lightAt(lights, timeMs, out);
		return out;
	};
	assert.deepEqual(at(150), [0.75, 1, 1.5]);
	assert.deepEqual(at(0), [1, 1, 1]);
	assert.deepEqual(at(900), [0.5, 1, 2]);
});

test("what is laid over a sprite gives each channel its gain", () => {
	const { darker, brighter } = tint([0.5, 1, 1.6], [1, 1, 0.8]);
	assert.equal(darker, "rgb(128 255 255)");
	assert.equal(brighter, "rgb(0 0 128)");
});

test("what nobody would see is left alone", () => {
	assert.equal(tint([1, 1, 1], [1, 1, 1]), null);
	assert.equal(tint([0.8, 0.8, 0.8], [0.8, 0.8, 0.8]), null);
});
