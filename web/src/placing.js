import { PARTS } from "./timeline.js";

/**
 * A sprite's place and size on a tracked face: pose from the timeline, size from the sprite.
 *
 * The tracked box is as high as the lips or lids are, the sprite as high as its maker drew it. So the box only says
 * how the face has moved since the reference, the moment at which it lies as in the base face; that motion moves the
 * static anchor, which says where the sprite lies on the base face.
 *
 * @import { Timeline } from "./timeline.js"
 * @import { Anchor, Part } from "./types.js"
 * @typedef {{cx: number, cy: number, w: number, roll: number, dx: number, dy: number}} Reference The tracked part at
 *   the reference, and the way from there to the static anchor's middle.
 */

/** @param {Anchor} at @param {Anchor} still @param {boolean} isSure @returns {Reference} */
function reference({ cx, cy, w, roll }, still, isSure) {
	const dx = still.cx - cx;
	const dy = still.cy - cy;
	// A guess that is far off says that the static anchors are not this clip's: then the tracked middle is the better one.
	const isNear = isSure || (Math.abs(dx) <= still.w / 4 && Math.abs(dy) <= still.h / 4);
	return { cx, cy, w: w || 1, roll, dx: isNear ? dx : 0, dy: isNear ? dy : 0 };
}

/** The sample at which the parts lie nearest to *statics*. @param {Timeline} timeline @param {Record<Part, Anchor>} statics */
function nearestSample(timeline, statics) {
	const { frames } = timeline.json;
	const at = { cx: 0, cy: 0, w: 0, h: 0, roll: 0 };
	let best = 0;
	let least = Number.POSITIVE_INFINITY;
	for (let i = 0; i < frames.length; i++) {
		if (!timeline.anchorAt("mouth", timeline.times[i], at)) continue;
		let away = frames[i].status && frames[i].status !== "tracked" ? 1e9 : 0; // only where there is no other
		for (const part of PARTS) {
			timeline.anchorAt(part, timeline.times[i], at);
			const still = statics[part];
			// A turn counts by how far it moves the sprite's end.
			const turn = ((at.roll - still.roll) * Math.PI * still.w) / 360;
			away += (at.cx - still.cx) ** 2 + (at.cy - still.cy) ** 2 + turn ** 2;
		}
		if (away < least) {
			least = away;
			best = i;
		}
	}
	return timeline.times[best];
}

/**
 * Where the parts are while the face lies as in the base face: as the timeline says, else where they are nearest to
 * the static anchors.
 *
 * @param {Timeline} timeline
 * @param {Record<Part, Anchor>} statics
 * @returns {Record<Part, Reference>}
 */
export function referenceOf(timeline, statics) {
	const told = timeline.reference;
	const nearestMs = nearestSample(timeline, statics);
	/** @param {Part} part */
	const of = (part) => {
		const at = { cx: 0, cy: 0, w: 1, h: 1, roll: 0 };
		const anchor = told?.[part] ?? (told && timeline.anchorAt(part, told.timeMs, at) ? at : null);
		if (anchor) return reference(anchor, statics[part], true);
		timeline.anchorAt(part, nearestMs, at);
		return reference(at, statics[part], false);
	};
	return { mouth: of("mouth"), eyes: of("eyes") };
}

/** Turn *anchor*, a tracked box, into the sprite's own. @param {Anchor} anchor @param {Reference} from @param {Anchor} still */
export function place(anchor, { w, roll, dx, dy }, still) {
	const scale = anchor.w / w;
	const turn = anchor.roll - roll;
	const c = scale * Math.cos((turn * Math.PI) / 180);
	const s = scale * Math.sin((turn * Math.PI) / 180);
	anchor.cx += c * dx - s * dy;
	anchor.cy += s * dx + c * dy;
	anchor.w = still.w * scale;
	anchor.h = still.h * scale;
	anchor.roll = still.roll + turn;
}
