/**
 * What Chromium makes of a video file: its size as shown, its length, and its pixels at given times.
 */

import { readFileSync } from "node:fs";

/**
 * @param {import("playwright-core").Page} page blank
 * @param {string} file
 * @param {number[]} timesMs at which its pixels are wanted
 * @returns {Promise<{error?: string, width: number, height: number, durationMs: number, pictures: Buffer[]}>}
 *   pictures as RGBA, one a time; an error where it does not play, with pixels of 0
 */
export async function shown(page, file, timesMs) {
	const content = readFileSync(file).toString("base64");
	const seen = await page.evaluate(look, { content, timesMs });
	return { ...seen, pictures: seen.pictures.map((picture) => Buffer.from(picture, "base64")) };
}

/** Runs in the page. */
async function look({ content, timesMs }) {
	const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
	const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto" });
	const happens = (name) =>
		new Promise((resolve, reject) => {
			video.addEventListener(name, resolve, { once: true });
			video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
		});
	const url = URL.createObjectURL(new Blob([bytes]));
	const pictures = [];
	let error;
	try {
		const loaded = happens("loadeddata");
		video.src = url;
		await loaded;
		for (const timeMs of timesMs) {
			const seeked = happens("seeked");
			video.currentTime = timeMs / 1000;
			await seeked;
			const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
			const context = canvas.getContext("2d");
			context.drawImage(video, 0, 0);
			const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
			let text = "";
			for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
			pictures.push(btoa(text));
		}
	} catch (caught) {
		error = caught.message;
	}
	const { videoWidth: width, videoHeight: height, duration } = video;
	video.removeAttribute("src");
	video.load();
	URL.revokeObjectURL(url);
	return { error, width, height, durationMs: duration * 1000, pictures };
}
