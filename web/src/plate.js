/**
 * The plate: what the overlays are laid on. Draws the video's frame and says which time it belongs to, so that
 * neither can disagree with the other. At a loop's end it draws nothing, and the canvas keeps the last one.
 *
 * @import { Target } from "./types.js"
 */
export class Plate {
	/** Presentation time of the picture drawn last, as the container has it. */
	timeMs = 0;
	hasPicture = false;
	/** Whether the screen has a frame that was not drawn yet. */
	isNew = true;
	/** Where a time comes from. VideoFrame alone is right at 60 fps and at a loop's end. */
	clock = "currentTime";
	isSettled = false;
	/** What the browser last called back with. */
	calledMs = -1;
	/** Only where no one names the frames: most browsers never load it. @type {import("./counting.js").Counting | null} */
	counting = null;

	/** @param {HTMLVideoElement} video */
	constructor(video) {
		this.video = video;
		if ("requestVideoFrameCallback" in video) {
			this.clock = "VideoFrame" in window ? "VideoFrame" : "requestVideoFrameCallback";
		} else this.#count();
	}

	async #count() {
		const { Counting } = await import("./counting.js");
		this.counting = new Counting(this.video);
	}

	/** Listen to the video until *signal* aborts. @param {AbortSignal} signal */
	listen(signal) {
		const { video } = this;
		if (!("requestVideoFrameCallback" in video)) return;
		this.callback = video.requestVideoFrameCallback(this.onFrame);
		signal.addEventListener("abort", () => video.cancelVideoFrameCallback(/** @type {number} */ (this.callback)));
		// What was counted before says nothing about what comes after.
		for (const name of ["seeking", "pause", "waiting", "emptied"]) {
			video.addEventListener(name, () => this.counting?.clear(), { signal });
		}
	}

	/** @type {VideoFrameRequestCallback} */
	onFrame = (_nowMs, { mediaTime, expectedDisplayTime }) => {
		this.isNew = true;
		this.calledMs = mediaTime * 1000;
		const { playbackRate, currentTime } = this.video;
		this.counting?.note(this.calledMs, expectedDisplayTime, playbackRate, currentTime * 1000);
		this.callback = this.video.requestVideoFrameCallback(this.onFrame);
		if (this.isSettled || !mediaTime) return;
		this.clock = "requestVideoFrameCallback";
		try {
			const frame = new VideoFrame(this.video);
			// Firefox leaves it at 0, and calls back 25 times a second for a frame that may not be there yet.
			this.clock = frame.timestamp ? "VideoFrame" : "expectedDisplayTime";
			this.isSettled = true;
			frame.close();
			if (!frame.timestamp) this.#count();
		} catch {
			// There is no such thing, or not for a video of another origin.
		}
	};

	/**
	 * Fill the canvas with the frame on the screen; false, and nothing drawn, without one.
	 *
	 * @param {CanvasRenderingContext2D} context
	 * @param {Target} target
	 */
	draw(context, target) {
		const { video, clock, calledMs } = this;
		if (video.readyState < 2) return false;
		if (clock === "VideoFrame") {
			try {
				const frame = new VideoFrame(video);
				// Before it is known that Firefox always says 0, that would be before the beginning.
				this.timeMs = Math.max(frame.timestamp / 1000, target.startMs ?? 0);
				this.#paint(context, target, frame);
				frame.close();
			} catch {
				return false; // not yet
			}
			// Now and then the callback comes before its frame can be taken: on a held video, the only time.
			this.isNew = calledMs >= 0 && Math.abs(this.timeMs - calledMs) > 2;
			return true;
		}
		const timeMs = clock === "requestVideoFrameCallback" ? calledMs : (this.counting?.shownMs(this, target) ?? -1);
		if (timeMs < 0) return false;
		this.timeMs = timeMs;
		this.#paint(context, target, video);
		this.isNew = clock !== "requestVideoFrameCallback";
		return true;
	}

	/** @param {CanvasRenderingContext2D} context @param {Target} target @param {CanvasImageSource} picture */
	#paint(context, { fit }, picture) {
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
		this.counting?.clear();
		this.hasPicture = false;
		this.isNew = true;
	}
}
