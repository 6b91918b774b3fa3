import { Counting, roundMs } from "./counting.js";
import { Timeline } from "./timeline.js";

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
	counting = new Counting();

	/** @param {HTMLVideoElement} video */
	constructor(video) {
		this.video = video;
		if ("requestVideoFrameCallback" in video) {
			this.clock = "VideoFrame" in window ? "VideoFrame" : "requestVideoFrameCallback";
		}
	}

	/** Listen to the video until *signal* aborts. @param {AbortSignal} signal */
	listen(signal) {
		const { video } = this;
		if (!("requestVideoFrameCallback" in video)) return;
		this.callback = video.requestVideoFrameCallback(this.onFrame);
		signal.addEventListener("abort", () => video.cancelVideoFrameCallback(/** @type {number} */ (this.callback)));
		// What was counted before says nothing about what comes after.
		for (const name of ["seeking", "pause", "waiting", "emptied"]) {
			video.addEventListener(name, () => this.counting.clear(), { signal });
		}
	}

	/** @type {VideoFrameRequestCallback} */
	onFrame = (_nowMs, { mediaTime, expectedDisplayTime }) => {
		this.isNew = true;
		this.calledMs = mediaTime * 1000;
		this.counting.note(this.calledMs, expectedDisplayTime);
		this.callback = this.video.requestVideoFrameCallback(this.onFrame);
		if (this.isSettled || !mediaTime) return;
		this.clock = "requestVideoFrameCallback";
		try {
			const frame = new VideoFrame(this.video);
			// Firefox leaves it at 0, and calls back 25 times a second for a frame that may not be there yet.
			this.clock = frame.timestamp ? "VideoFrame" : "expectedDisplayTime";
			this.isSettled = true;
			frame.close();
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
				this.timeMs = frame.timestamp / 1000;
				this.#paint(context, target, frame);
				frame.close();
			} catch {
				return false; // not yet
			}
			// Now and then the callback comes before its frame can be taken: on a held video, the only time.
			this.isNew = calledMs >= 0 && Math.abs(this.timeMs - calledMs) > 2;
			return true;
		}
		const timeMs = clock === "requestVideoFrameCallback" ? calledMs : this.#countedMs(target);
		if (timeMs < 0) return false;
		this.timeMs = timeMs;
		this.#paint(context, target, video);
		this.isNew = clock !== "requestVideoFrameCallback";
		return true;
	}

	/** When the frame on the screen began, where no one says so. @param {Target} target */
	#countedMs(target) {
		const { video, clock } = this;
		const timeline = target instanceof Timeline ? target : null;
		let ms = video.currentTime * 1000;
		if (clock === "expectedDisplayTime") {
			// Firefox counts from 0 whatever the file says, and on from round to round.
			const startMs = timeline?.startMs ?? 0;
			const round = roundMs(1000 * video.duration, startMs, timeline?.durationMs ?? 0);
			if (!video.paused) {
				ms = this.counting.timeAt(performance.now());
				if (ms < 0) return ms;
			}
			ms = startMs + (round > 0 && Number.isFinite(round) ? ms % round : ms);
		}
		return timeline?.times.length ? timeline.frameAt(ms) : ms;
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
		this.counting.clear();
		this.hasPicture = false;
		this.isNew = true;
	}
}
