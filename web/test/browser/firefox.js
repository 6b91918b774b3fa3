/**
 * The distribution's own Firefox over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), as far as the tests
 * need it: a page that can be opened, asked and closed, by the names that Playwright has for it.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";

const PREFERENCES = {
	"media.autoplay.default": 0,
	"datareporting.policy.dataSubmissionEnabled": false,
	"app.update.disabledForTesting": true,
	"toolkit.telemetry.reportingpolicy.firstRun": false,
	"browser.shell.checkDefaultBrowser": false,
	"network.captive-portal-service.enabled": false,
	"network.connectivity-service.enabled": false,
	"remote.prefs.recommended": true,
};

export async function startFirefox() {
	const profile = mkdtempSync(join(tmpdir(), "anchord-firefox-"));
	writeFileSync(
		join(profile, "user.js"),
		Object.entries(PREFERENCES)
			.map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
			.join(""),
	);
	const path = process.env.FIREFOX ?? ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find(existsSync);
	if (!path) throw new Error("there is no Firefox; test/setup installs it");
	const firefox = spawn(path, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"], {
		stdio: ["ignore", "ignore", "pipe"],
	});
	const url = await new Promise((resolve, reject) => {
		let said = "";
		firefox.stderr.on("data", (data) => {
			said += data;
			const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
			if (found) resolve(found[1]);
		});
		firefox.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
	});
	const socket = new WebSocket(`${url}/session`);
	await once(socket, "open");

	/** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */
	const asked = new Map();
	socket.on("message", (text) => {
		const { id, type, result, error, message } = JSON.parse(String(text));
		const waiting = asked.get(id);
		asked.delete(id);
		if (type === "success") waiting?.resolve(result);
		else waiting?.reject(new Error(`${error}: ${message}`));
	});
	let last = 0;
	/** @param {string} method @param {object} params @returns {Promise<any>} */
	const ask = (method, params) =>
		new Promise((resolve, reject) => {
			asked.set(++last, { resolve, reject });
			socket.send(JSON.stringify({ id: last, method, params }));
		});
	await ask("session.new", { capabilities: {} });

	return {
		newContext: async () => ({ newPage: () => newPage(ask) }),
		newPage: () => newPage(ask),
		async close() {
			const ended = once(firefox, "exit");
			await ask("browser.close", {}).catch(() => firefox.kill());
			await ended;
			rmSync(profile, { recursive: true, force: true });
		},
	};
}

/** @param {(method: string, params: object) => Promise<any>} ask */
async function newPage(ask) {
	const { context } = await ask("browsingContext.create", { type: "window" });
	/** @param {Function} act @param {unknown} value */
	const call = (act, value) => `(${act})(${JSON.stringify(value) ?? ""})`;
	const close = () => ask("browsingContext.close", { context });
	return {
		goto: (url) => ask("browsingContext.navigate", { context, url, wait: "complete" }),
		addInitScript: (act, value) =>
			ask("script.addPreloadScript", { functionDeclaration: `() => ${call(act, value)}`, contexts: [context] }),
		/** Call *act* in the page; what it returns comes back as JSON would carry it. */
		async evaluate(act, value) {
			const { type, result, exceptionDetails } = await ask("script.evaluate", {
				expression: `(async () => JSON.stringify(await ${call(act, value)}) ?? "null")()`,
				target: { context },
				awaitPromise: true,
				userActivation: true,
			});
			if (type === "exception") throw new Error(exceptionDetails.text);
			return JSON.parse(result.value);
		},
		/** Errors of the page are not told over BiDi's script domain; the tests ask the page itself. */
		on() {},
		context: () => ({ close }),
		close,
	};
}
