/**
 * What Chromium makes of a video file: its size as shown, and its pixels at given times.
 */

import { readFileSync } from "node:fs";

/**
 * @param {import("playwright-core").Page} page blank
 * @param {string} file
 * @param {{timeMs: number, width: number, height: number}[]} wanted times, and the sizes to draw at
 * @returns {Promise<{error?: string, pictures: {videoWidth: number, videoHeight: number, rgba: Buffer}[]}>}
 *   a picture for each that is wanted; an error, where it does not play
 */
export async function shown(page, file, wanted) {
	const content = readFileSync(file).toString("base64");
	const { error, pictures } = await page.evaluate(look, { content, wanted });
	return { error, pictures: pictures.map((picture) => ({ ...picture, rgba: Buffer.from(picture.rgba, "base64") })) };
}

/** Runs in the page. */
async function look({ content, wanted }) {
	const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
	const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto" });
	document.body.append(video); // else it may draw nothing
	const url = URL.createObjectURL(new Blob([bytes]));
	const failed = new Promise((_, reject) => {
		video.addEventListener("error", () => reject(new Error(video.error.message)));
	});
	const pictures = [];
	let error;
	try {
		const loaded = new Promise((resolve) => video.addEventListener("loadeddata", resolve));
		video.src = url;
		await Promise.race([loaded, failed]);
		for (const { timeMs, width, height } of wanted) {
			const painted = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
			video.currentTime = timeMs / 1000;
			await Promise.race([painted, failed]);
			const canvas = new OffscreenCanvas(width, height);
			const context = canvas.getContext("2d");
			// What is transparent is seen on mid-grey, as anchord sees it.
			context.fillStyle = "rgb(128 128 128)";
			context.fillRect(0, 0, width, height);
			context.drawImage(video, 0, 0, width, height);
			const { data } = context.getImageData(0, 0, width, height);
			let text = "";
			for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
			const { videoWidth, videoHeight } = video;
			pictures.push({ videoWidth, videoHeight, rgba: btoa(text) });
		}
	} catch (caught) {
		error = caught.message;
	}
	video.removeAttribute("src");
	video.load();
	video.remove();
	URL.revokeObjectURL(url);
	return { error, pictures };
}
