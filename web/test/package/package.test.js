/**
 * The package as somebody gets it: packed, installed into a project of strict TypeScript, built and opened.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startBrowser, startSite, until } from "../browser/harness.js";

const WEB = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "anchord-package-"));
const app = join(folder, "app");
const run = (command, args, cwd = app) =>
	execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

let site;
let browser;
let tarball;
before(async () => {
	// From a copy without node_modules, as in a fresh clone: packing brings what it needs by itself.
	const clone = join(folder, "web");
	for (const name of readdirSync(WEB)) {
		if (!["node_modules", "types", "dist", "test"].includes(name))
			cpSync(join(WEB, name), join(clone, name), { recursive: true });
	}
	run("npm", ["pack", "--loglevel=error", "--pack-destination", folder], clone);
	tarball = join(
		folder,
		readdirSync(folder).find((name) => name.endsWith(".tgz")),
	);
	cpSync(join(WEB, "test/package/app"), app, { recursive: true });
	run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", tarball]);
	site = await startSite();
	site.addPack("face");
	browser = await startBrowser();
});
after(async () => {
	await browser?.close();
	await site?.stop();
	rmSync(folder, { recursive: true, force: true });
});

test("it holds the sources, their types, the minified file and the manifest, and nothing else", () => {
	const names = run("tar", ["-tzf", tarball])
		.trim()
		.split("\n")
		.map((name) => name.replace("package/", ""));
	for (const name of [
		"src/element.js",
		"types/anchor-avatar.d.ts",
		"types/element.d.ts",
		"dist/anchor-avatar.min.js",
		"dist/hearing.js",
		"custom-elements.json",
		"README.md",
		"package.json",
	])
		assert.ok(names.includes(name), name);
	assert.deepEqual(
		names.filter((name) => !/^(src|types|dist)\/|^(custom-elements|package)\.json$|^README\.md$/.test(name)),
		[],
	);
	const { exports } = JSON.parse(readFileSync(join(app, "node_modules/anchord-web/package.json"), "utf8"));
	for (const target of Object.values(exports).flatMap((entry) =>
		typeof entry === "string" ? entry : Object.values(entry),
	))
		assert.ok(names.includes(target.slice(2)), target);
});

test("strict TypeScript knows the element, its events and its attributes, in React and in Vue too", () => {
	run("npx", ["tsc", "-p", "."]);
});

test("built with Vite, it runs: plain, in React and in Vue", async () => {
	run("npx", ["vite", "build", "--logLevel", "error"]);
	cpSync(join(app, "dist"), join(site.avatars, "../app"), { recursive: true });
	for (const name of ["index", "react", "vue"]) {
		const page = await browser.newPage();
		const errors = [];
		page.on("pageerror", (error) => errors.push(error));
		await page.goto(`${site.url}app/${name}.html`);
		await until(async () => (await page.title()) === "ready face");
		await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.isTracked));
		if (name !== "index") {
			await page.getByRole("button", { name: "Ah" }).click();
			assert.equal(await page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.viseme), "AA");
		}
		assert.deepEqual(errors, []);
		await page.close();
	}
});

test("the minified file works from one script tag, speaks with a sound, and shows the panel", async () => {
	const dist = join(app, "node_modules/anchord-web/dist");
	cpSync(dist, join(site.avatars, "../dist"), { recursive: true });
	writeFileSync(
		join(site.avatars, "../plain.html"),
		`<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
		<script type="module" src="dist/anchor-avatar.min.js"></script>
		<anchor-avatar src="avatars/face/" label="Sam, our guide" debug></anchor-avatar>`,
	);
	const page = await browser.newPage();
	const errors = [];
	page.on("pageerror", (error) => errors.push(error));
	await page.goto(`${site.url}plain.html`);
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar?.compositor.isTracked));
	await until(() =>
		page.evaluate(() => document.querySelector("anchor-avatar").shadowRoot.querySelector("pre")?.textContent),
	);
	await page.mouse.click(5, 5);
	await page.evaluate(async () => {
		const context = new AudioContext();
		await context.resume();
		const to = context.createMediaStreamDestination();
		const buzz = new OscillatorNode(context, { type: "sawtooth", frequency: 120 });
		buzz.connect(to);
		buzz.start();
		document.querySelector("anchor-avatar").speakWith(to.stream);
	});
	// An AudioWorklet's file is not among the resources: that it was found is heard.
	await until(() => page.evaluate(() => document.querySelector("anchor-avatar").avatar.compositor.viseme !== "REST"));
	const asked = await page.evaluate(() =>
		performance
			.getEntriesByType("resource")
			.map(({ name }) => name)
			.filter((name) => /\.js$/.test(name)),
	);
	assert.deepEqual(asked.map((name) => name.split("/").at(-1)).sort(), ["anchor-avatar.min.js"]);
	assert.deepEqual(errors, []);
});

test("the custom elements manifest says what the element has", async () => {
	const manifest = JSON.parse(readFileSync(join(WEB, "custom-elements.json"), "utf8"));
	const [told] = manifest.modules[0].declarations;
	const page = await browser.newPage();
	await page.goto(`${site.url}bare.html`);
	const real = await page.evaluate(async () => {
		const { AnchorAvatar } = await import("/src/element.js");
		const own = Object.getOwnPropertyDescriptors(AnchorAvatar.prototype);
		const element = new AnchorAvatar();
		document.body.append(element);
		await import("/src/tools.js").then(({ attach }) => attach(element));
		return {
			attributes: AnchorAvatar.observedAttributes,
			methods: Object.keys(own).filter(
				(name) => typeof own[name].value === "function" && !/^constructor$|Callback$/.test(name),
			),
			parts: [...element.shadowRoot.querySelectorAll("[part]")].map((part) => part.part.value),
			style: [...element.shadowRoot.adoptedStyleSheets[0].cssRules].map((rule) => rule.cssText).join("\n"),
		};
	});
	const names = (list) => list.map(({ name }) => name).sort();
	assert.deepEqual(names(told.attributes), real.attributes.toSorted());
	assert.deepEqual(names(told.members.filter(({ kind }) => kind === "method")), real.methods.toSorted());
	assert.deepEqual(names(told.cssParts), real.parts.toSorted());
	assert.deepEqual(names(told.cssProperties), [...new Set(real.style.match(/--anchor-avatar[\w-]+/g))].sort());
	const events = readFileSync(join(WEB, "src/anchor-avatar.d.ts"), "utf8").matchAll(/^\t(\w+): CustomEvent/gm);
	assert.deepEqual(names(told.events), [...events].map(([, name]) => name).sort());
});
