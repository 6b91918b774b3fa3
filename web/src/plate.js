/**
 * The plate: what the overlays are laid on. Draws the video's frame and says which time it belongs to, so that
 * neither can disagree with the other. At a loop's end it draws nothing, and the canvas keeps the last one.
 *
 * @import { Fit } from "./types.js"
 */
export class Plate {
	/** Presentation time of the picture drawn last, as the container has it. */
	timeMs = 0;
	hasPicture = false;
	/** Whether the screen has a frame that was not drawn yet. */
	isNew = true;
	/** Where a time comes from, best first; VideoFrame alone is right at 60 fps and at a loop's end. */
	clock = typeof VideoFrame === "function" ? "VideoFrame" : "requestVideoFrameCallback";
	/** What the browser last called back with. */
	calledMs = -1;

	/** @param {HTMLVideoElement} video */
	constructor(video) {
		this.video = video;
		if (video.requestVideoFrameCallback) this.callback = video.requestVideoFrameCallback(this.onFrame);
		else this.clock = "currentTime";
	}

	/** @type {VideoFrameRequestCallback} */
	onFrame = (_nowMs, { mediaTime }) => {
		this.isNew = true;
		this.calledMs = mediaTime * 1000;
		this.callback = this.video.requestVideoFrameCallback(this.onFrame);
	};

	/**
	 * Fill the canvas with the frame on the screen; false, and nothing drawn, without one.
	 *
	 * @param {CanvasRenderingContext2D} context
	 * @param {Fit} [fit]
	 */
	draw(context, fit) {
		const { video, clock, calledMs } = this;
		if (video.readyState < 2) return false;
		if (clock === "VideoFrame") {
			try {
				const frame = new VideoFrame(video);
				this.timeMs = frame.timestamp / 1000;
				this.#paint(context, fit, frame);
				frame.close();
			} catch (error) {
				// Before the first frame this is only early; a video of another origin never gives its pixels.
				if (/** @type {Error} */ (error).name === "SecurityError") this.clock = "requestVideoFrameCallback";
				return false;
			}
			// Now and then the callback comes before its frame can be taken: on a held video, the only time.
			this.isNew = calledMs >= 0 && Math.abs(this.timeMs - calledMs) > 2;
			return true;
		}
		const timeMs = clock === "currentTime" ? video.currentTime * 1000 : calledMs;
		if (timeMs < 0) return false;
		this.timeMs = timeMs;
		this.#paint(context, fit, video);
		this.isNew = clock === "currentTime";
		return true;
	}

	/** @param {CanvasRenderingContext2D} context @param {Fit | undefined} fit @param {CanvasImageSource} picture */
	#paint(context, fit, picture) {
		const { width, height } = context.canvas;
		const { videoWidth, videoHeight } = this.video;
		const across = width / videoWidth;
		const down = height / videoHeight;
		const scale = fit === "cover" ? Math.max(across, down) : Math.min(across, down);
		const w = fit === "fill" ? width : videoWidth * scale;
		const h = fit === "fill" ? height : videoHeight * scale;
		// "copy" empties what is beside the picture, and mixes nothing: a film may have alpha.
		context.globalCompositeOperation = "copy";
		context.resetTransform();
		context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
		this.hasPicture = true;
	}

	/** Another video comes. */
	clear() {
		this.calledMs = -1;
		this.hasPicture = false;
		this.isNew = true;
	}

	destroy() {
		if (this.callback) this.video.cancelVideoFrameCallback(this.callback);
	}
}
