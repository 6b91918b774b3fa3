import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startBrowser, startSite, until } from "./harness.js";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const PYTHON = process.env.PYTHON ?? "python3";

let site;
let browser;
let daemon;
before(async () => {
	site = await startSite();
	browser = await startBrowser();
	const made = spawnSync(PYTHON, ["-m", "anchord.demo", site.avatars], { cwd: REPOSITORY, encoding: "utf8" });
	assert.equal(made.status, 0, made.stderr);
	daemon = spawn(PYTHON, ["-m", "anchord", "run", "--root", site.avatars], { cwd: REPOSITORY, stdio: "ignore" });
});
after(async () => {
	await browser?.close();
	if (daemon?.exitCode === null) {
		daemon.kill();
		await once(daemon, "exit");
	}
	await site?.stop();
});

test("a video dropped into a folder is tracked by the daemon and followed by the page, with nobody's help", async (t) => {
	const page = await browser.newPage();
	const errors = [];
	page.on("pageerror", (error) => errors.push(error));
	await page.goto(site.url);
	const tracked = () =>
		page.evaluate(() => document.querySelector("anchor-avatar").avatar?.compositor.isTracked === true);
	await until(tracked, 60_000);
	const [still, moving] = await page.evaluate(async () => {
		const { compositor } = document.querySelector("anchor-avatar").avatar;
		const { mouth } = compositor.anchors;
		const xs = [];
		while (xs.length < 90) {
			await new Promise(requestAnimationFrame);
			xs.push(mouth.cx);
		}
		return [compositor.calibration.offsets.mouth.x, Math.max(...xs) - Math.min(...xs)];
	});
	t.diagnostic(`the sample's mouth moved ${moving.toFixed(1)} px in about 1.5 s`);
	assert.equal(still, 0);
	assert.ok(moving > 1);

	const folder = join(site.avatars, "newcomer");
	mkdirSync(folder);
	copyFileSync(join(site.avatars, "sample/idle.webm"), join(folder, "idle.webm"));
	const row = page.getByRole("button", { name: /^newcomer/ });
	await until(async () => (await row.count()) === 1 && /Waiting/.test(await row.textContent()), 30_000);
	await until(async () => /Tracked throughout/.test(await row.textContent()), 60_000);
	await row.click();
	await until(tracked, 30_000);
	assert.deepEqual(errors, []);
});
