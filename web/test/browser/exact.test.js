import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startFirefox } from "./firefox.js";
import { openAvatar, startBrowser, startSite, until, watchCodes } from "./harness.js";

const FILMS = [
	"code_24",
	"code_30",
	"code_60",
	"code_vfr",
	"code_offset",
	"code_mp4",
	"code_mp4_offset",
	"code_mp4_fragments",
];
const LOOPS = Number(process.env.LOOPS ?? 12);
const THROTTLE = Number(process.env.THROTTLE ?? 6);
const AT_ONCE = Number(process.env.AT_ONCE ?? FILMS.length);

let site;
let chromium;
let firefox;
before(async () => {
	site = await startSite();
	for (const film of FILMS) site.addPack(film);
	[chromium, firefox] = await Promise.all([startBrowser(), startFirefox()]);
});
after(async () => {
	await chromium?.close();
	await firefox?.close();
	await site?.stop();
});

/** Play *film* for some rounds and tell which frames the overlay was right on. */
async function watched(browser, film, loops, options, act = () => {}) {
	const { page, errors } = await openAvatar(browser, site, film, options);
	await page.evaluate(watchCodes);
	await page.evaluate(act);
	await until(() => page.evaluate((loops) => window.loops >= loops, loops), 6000 * loops);
	const { seen, clock } = await page.evaluate(() => ({ seen: window.seen, clock: window.element.avatar.plate.clock }));
	await page.context().close();
	return { seen, clock, errors, wrong: seen.filter(({ shown, drawn }) => shown !== drawn) };
}

// All at once: on two cores that is one more way to be slow.
describe("in Chromium the overlay belongs to the frame it is drawn on", { concurrency: AT_ONCE }, () => {
	for (const film of FILMS) {
		test(`${film}, over ${LOOPS} loops at 1/${THROTTLE} of the speed`, async (t) => {
			const { seen, clock, errors, wrong } = await watched(chromium, film, LOOPS, { throttle: THROTTLE });
			const pictures = new Set(seen.map(({ shown }) => shown)).size;
			t.diagnostic(
				`${film}: ${wrong.length} of ${seen.length} displayed frames wrong, ${pictures} different pictures, clock ${clock}`,
			);
			assert.ok(pictures > 10);
			assert.deepEqual(wrong.slice(0, 5), []);
			assert.ok(!seen.some(({ isStill }) => isStill), "the still face never flashes up between two loops");
			assert.deepEqual(errors, []);
		});
	}
});

for (const rate of [0.5, 2]) {
	test(`in Chromium also at ${rate} times the speed`, async () => {
		const { wrong, seen } = await watched(
			chromium,
			"code_30",
			4,
			{},
			`() => { element.video.playbackRate = ${rate}; }`,
		);
		assert.ok(seen.length > 20);
		assert.deepEqual(wrong.slice(0, 5), []);
	});
}

// Firefox tells no frame's time, so it is counted: at a frame's edge the neighbour may be taken, and where the decoder
// does not keep up, as on a busy machine, the picture on the screen is older than the count.
for (const film of FILMS) {
	test(`in Firefox ${film} is nearly always right, and hardly ever off by more than its neighbour`, async (t) => {
		const { seen, clock, wrong } = await watched(firefox, film, 8);
		const count = new Set(seen.map(({ shown }) => shown)).size;
		const last = Math.max(...seen.map(({ shown }) => shown));
		const far = wrong.filter(({ shown, drawn }) => {
			const away = Math.abs(shown - drawn);
			return drawn < 0 || Math.min(away, last + 1 - away) > 1;
		});
		t.diagnostic(
			`${film}: ${wrong.length} of ${seen.length} frames wrong, ${far.length} by more than one, ${count} different pictures, clock ${clock}`,
		);
		assert.equal(clock, "expectedDisplayTime");
		assert.ok(count > 10);
		assert.ok(far.length <= seen.length / 20, JSON.stringify(far.slice(0, 9)));
		assert.ok(wrong.length <= seen.length / 8, JSON.stringify(wrong.slice(0, 9)));
		assert.ok(!seen.some(({ isStill }) => isStill));
	});
}

for (const rate of [0.5, 2]) {
	test(`in Firefox also at ${rate} times the speed`, async () => {
		const { wrong, seen } = await watched(firefox, "code_30", 4, {}, `() => { element.video.playbackRate = ${rate}; }`);
		assert.ok(wrong.length <= seen.length / 10, JSON.stringify(wrong.slice(0, 9)));
	});
}

for (const name of ["Chromium", "Firefox"]) {
	for (const film of ["code_30", "code_offset", "code_mp4_offset"]) {
		test(`in ${name} a held clip that is moved by hand shows the frame and its overlay: ${film}`, async () => {
			const { page } = await openAvatar(name === "Firefox" ? firefox : chromium, site, film);
			await page.evaluate(watchCodes);
			await until(() => page.evaluate(() => window.loops >= 1));
			const seen = await page.evaluate(async () => {
				const { element } = window;
				const { video } = element;
				element.pause();
				const seen = [];
				for (const s of [0.05, 0.7, 0.31, 0.31, 0.62, 0.015]) {
					const sought = new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
					element.avatar.seek(element.avatar.supply.timeline.startMs + 1000 * s);
					await sought;
					// The first pictures after it may still be the old frame in both: what stands afterwards counts.
					for (let n = 0; n < 4; n++)
						await new Promise((resolve) => element.addEventListener("frame", resolve, { once: true }));
					seen.push({ s, at: video.currentTime, ...window.seen.at(-1) });
				}
				return seen;
			});
			for (const { shown, drawn, ...rest } of seen)
				assert.equal(drawn, shown, JSON.stringify({ shown, drawn, ...rest, all: seen }));
			assert.ok(new Set(seen.map(({ shown }) => shown)).size >= 4, JSON.stringify(seen));
			await page.context().close();
		});
	}
}
