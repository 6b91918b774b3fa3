/**
 * The plate: the video's picture and the time that picture belongs to, copied together and kept until the
 * next one. What is drawn over it can't disagree with it, and at a loop's end the last one stays.
 */
export class Plate {
	canvas = document.createElement("canvas");
	context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
	/** Presentation time of the picture, as the container has it. */
	timeMs = 0;
	hasPicture = false;
	/** @type {import("./timeline.js").Fit} */
	fit = "contain";
	/** Where a time comes from, best first; VideoFrame alone is right at 60 fps and at a loop's end. */
	clock = typeof VideoFrame === "function" ? "VideoFrame" : "requestVideoFrameCallback";
	isWaiting = true;
	mediaTime = -1;
	callback = 0;

	/** @param {HTMLVideoElement} video */
	constructor(video) {
		this.video = video;
		this.onFrame = this.onFrame.bind(this);
		if (video.requestVideoFrameCallback) this.callback = video.requestVideoFrameCallback(this.onFrame);
		else this.clock = "currentTime";
	}

	/** @param {number} _now @param {VideoFrameCallbackMetadata} metadata */
	onFrame(_now, metadata) {
		this.isWaiting = true;
		this.mediaTime = metadata.mediaTime;
		this.callback = this.video.requestVideoFrameCallback(this.onFrame);
	}

	/** @param {number} width @param {number} height Of the picture on the screen, in its own pixels. */
	resize(width, height) {
		if (this.canvas.width === width && this.canvas.height === height) return;
		this.canvas.width = width;
		this.canvas.height = height;
		this.isWaiting = true;
	}

	/** Take the frame on the screen, if it is a new one. */
	update() {
		const { video } = this;
		if (video.readyState < 2) return false;
		if (this.clock === "currentTime") {
			const timeMs = video.currentTime * 1000;
			if (timeMs === this.timeMs && this.hasPicture && !this.isWaiting) return false;
			this.#take(video, timeMs);
			return true;
		}
		if (!this.isWaiting) return false;
		if (this.clock === "VideoFrame") {
			let frame;
			try {
				frame = new VideoFrame(video);
			} catch (error) {
				// Before the first frame this is only early; a video of another origin never gives its pixels.
				if (/** @type {Error} */ (error).name === "SecurityError") this.clock = "requestVideoFrameCallback";
				return false;
			}
			this.#take(frame, frame.timestamp / 1000);
			frame.close();
			// Now and then the callback comes before its frame can be taken: on a held video, the only time.
			this.isWaiting = this.mediaTime >= 0 && Math.abs(this.timeMs - this.mediaTime * 1000) > 2;
			return true;
		}
		if (this.mediaTime < 0) return false;
		this.#take(video, this.mediaTime * 1000);
		return true;
	}

	/** @param {CanvasImageSource} picture @param {number} timeMs */
	#take(picture, timeMs) {
		const { width, height } = this.canvas;
		const { videoWidth, videoHeight } = this.video;
		let w = width;
		let h = height;
		if (this.fit !== "fill") {
			const choose = this.fit === "cover" ? Math.max : Math.min;
			const scale = choose(width / videoWidth, height / videoHeight);
			w = videoWidth * scale;
			h = videoHeight * scale;
		}
		// "copy" empties what is beside the picture, and mixes nothing: a film may have alpha.
		this.context.globalCompositeOperation = "copy";
		this.context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
		this.timeMs = timeMs;
		this.hasPicture = true;
		this.isWaiting = false;
	}

	/** Forget the picture: another video comes. */
	clear() {
		this.hasPicture = false;
		this.isWaiting = true;
		this.mediaTime = -1;
	}

	destroy() {
		this.video.cancelVideoFrameCallback?.(this.callback);
		this.canvas.width = this.canvas.height = 0;
	}
}
