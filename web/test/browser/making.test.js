import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FILMS, freePort, startBrowser, startSite, until, WEB } from "./harness.js";

// As `make demo` runs them: the page's server, and the daemon on the same folder.
let folder;
let avatars;
let url;
let browser;
const running = [];
const python = process.env.PYTHON ?? "python3";
before(async () => {
	folder = mkdtempSync(join(tmpdir(), "anchord-demo-"));
	avatars = join(folder, "demo-avatars");
	mkdirSync(avatars);
	const port = await freePort();
	url = `http://localhost:${port}/`;
	const settings = join(folder, "anchord.toml");
	writeFileSync(settings, "[watch]\nsettle_s = 0.2\n");
	running.push(spawn(python, ["-m", "anchord.demo.serve", WEB, avatars, String(port)], { stdio: "ignore" }));
	running.push(
		spawn(python, ["-m", "anchord", "run", "--root", avatars, "--config", settings], {
			stdio: "ignore",
			env: { ...process.env, RUNTIME_DIRECTORY: folder },
		}),
	);
	browser = await startBrowser([
		"--use-fake-ui-for-media-stream",
		"--use-fake-device-for-media-stream",
		`--use-file-for-fake-video-capture=${join(FILMS, "camera.mjpeg")}`,
	]);
	await until(() =>
		fetch(url).then(
			({ ok }) => ok,
			() => false,
		),
	);
});
after(async () => {
	await browser?.close();
	for (const process of running) process.kill();
	rmSync(folder, { recursive: true, force: true });
});

test("from the camera to a face that speaks, in the page alone", { timeout: 120_000 }, async () => {
	const page = await browser.newPage();
	const errors = [];
	page.on("pageerror", (error) => errors.push(error));
	await page.goto(url);
	await page.getByText("Record yourself").click();
	await until(() => page.evaluate(() => document.getElementById("mirror").videoWidth > 0));
	await page.locator("#camera-name").fill("ada");
	await page.getByRole("button", { name: "Record 4 seconds" }).click();
	await until(() => existsSync(join(avatars, "ada/idle.webm")), 20_000);
	const row = page.getByRole("button", { name: /^ada/ });
	await until(async () => (await row.count()) === 1 && /Tracked throughout/.test(await row.textContent()), 40_000);
	assert.equal(await page.locator("#command").textContent(), ".venv/bin/anchord sprites demo-avatars/ada");
	await page.getByRole("button", { name: "Make it speak" }).click();
	const speaks = () => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.pack?.mouth);
	await until(async () => Boolean(await speaks()), 60_000);
	await until(() => page.locator("#make").isHidden());
	assert.equal(await page.getByRole("button", { name: "Speak", exact: true }).isEnabled(), true);
	assert.deepEqual(errors, []);
});

test("on a site the page names the command and asks for nothing to be done", async () => {
	const site = await startSite();
	const page = await browser.newPage();
	const asked = [];
	page.on("request", (request) => asked.push(request.method()));
	const pack = site.addPack("gap", "it's");
	rmSync(join(pack, "mouth_sprites.png"), { force: true });
	writeFileSync(join(pack, "manifest.json"), JSON.stringify({ base: { idleVideo: "idle.webm" } }));
	await page.goto(`${site.url}?avatar=it's`);
	await until(async () => (await page.locator("#command").textContent()) === "anchord sprites --avatar-id 'it'\\''s'");
	assert.equal(await page.locator("#make-it").isVisible(), false);
	assert.ok(!asked.includes("POST"));
	await site.stop();
});
