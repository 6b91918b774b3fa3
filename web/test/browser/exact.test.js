import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openAvatar, startBrowser, startSite, until, watchCodes } from "./harness.js";

const FILMS = ["code_24", "code_30", "code_60", "code_vfr", "code_offset"];
const LOOPS = Number(process.env.LOOPS ?? 20);
const THROTTLE = Number(process.env.THROTTLE ?? 4);
const AT_ONCE = Number(process.env.AT_ONCE ?? FILMS.length);

let site;
let browser;
before(async () => {
	site = await startSite();
	browser = await startBrowser();
});
after(async () => {
	await browser?.close();
	site?.stop();
});

// All at once: on two cores that is one more way to be slow.
describe("the overlay belongs to the frame it is drawn on", { concurrency: AT_ONCE }, () => {
	for (const film of FILMS) test(`${film}, over ${LOOPS} loops at 1/${THROTTLE} of the speed`, (t) => isExact(film, t));
});

async function isExact(film, t) {
	site.addPack(film);
	const { page, errors } = await openAvatar(browser, site, film, { throttle: THROTTLE });
	await page.evaluate(watchCodes);
	await until(() => page.evaluate((loops) => window.loops >= loops, LOOPS), 6000 * LOOPS);
	const { seen, clock } = await page.evaluate(() => ({ seen: window.seen, clock: window.element.avatar.plate.clock }));
	const right = seen.filter(({ shown, drawn }) => shown === drawn).length;
	const flashes = seen.filter(({ isStill }) => isStill).length;
	const pictures = new Set(seen.map(({ shown }) => shown)).size;
	t.diagnostic(
		`${film}: ${right} of ${seen.length} displayed frames exact, ${pictures} different pictures, ${flashes} flashes, clock ${clock}`,
	);
	assert.ok(
		right / seen.length >= 0.999,
		JSON.stringify(seen.filter(({ shown, drawn }) => shown !== drawn).slice(0, 5)),
	);
	assert.equal(flashes, 0, "the still face never flashes up between two loops");
	assert.deepEqual(errors, []);
	await page.context().close();
}
