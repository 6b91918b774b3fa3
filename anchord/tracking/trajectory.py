"""
All samples of a clip into the course of its anchors: glued, cleaned, closed, bridged. Pure.

The order of the steps between what was seen and what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from anchord.tracking import anchors
from anchord.tracking.anchors import AnchorTrack, Placement, TightBox
from anchord.tracking.curves import gaps, loop, smooth, thinning
from anchord.tracking.curves.interpolate import between, for_straight_lines
from anchord.tracking.faces.mesh import CARRIED, PARTS, eyes_across
from anchord.tracking.motion import occlusion, registration
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.similarity import Complex, Floats, Similarities
from anchord.tracking.tuning import TUNING

Mask = NDArray[np.bool_]

# From this share of features on, a sample is trusted fully.
_TRUSTED_FULLY = 0.5
_TRUSTED_LEAST = 0.1
# Nearer than this to where its neighbours expect it, in distances of the eyes' corners, nothing is
# an outlier: on a good face one pixel of a 512x640 target.
_OUTLIER_LEAST = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    What was seen of the face in the clip.

    Args:
        times_ms: (n,) of the samples, and of the frames between them that were only followed.
        has_face: (n,).
        is_sample: (n,) where landmarks were looked for.
        clip: (k, 478) landmarks of the samples with a face, px of the video.
        links: per part, see ``motion.tracker``; none to go by the landmarks alone.
        agree: per part (n,) share of the skin's features that agree, 0–1.
        textures: (k, points, 2) of the samples with a face, see ``motion.occlusion``.
        frame_times_ms: (m,) of all frames.
        end_ms: when the last frame ends.
        is_last_extra: whether the last sample is the last frame out of turn, looked at to see
            where the clip leads; where it leads back to the first, it is not written.
    """

    times_ms: Floats
    has_face: Mask
    is_sample: Mask
    clip: Complex
    links: Mapping[str, Sequence[Link]]
    agree: Mapping[str, Floats]
    textures: NDArray[np.float32]
    frame_times_ms: Floats
    end_ms: float
    is_last_extra: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """
    The anchors of a clip.

    Args:
        tracks: per part and carried box, n frames, in target px.
        hidden: per part (n,) whether something is in front of it.
        coverage: which frames have anchors and why.
        seam: where the loop closes.
        seam_px: its jump in target px, None where it can't be told.
        jitter_px: noise that is left in the anchors, target px; None where it can't be told.
        width_ms: of the smoothing of the mouth's and the eyes' place.
        is_written: (n,) which frames are written.
    """

    tracks: Mapping[str, AnchorTrack]
    hidden: Mapping[str, Mask]
    coverage: gaps.Coverage
    seam: loop.Seam
    seam_px: float | None
    jitter_px: float | None
    width_ms: Mapping[str, float]
    is_written: Mask


def trajectory(
    seen: Seen,
    where: Placement,
    paddings: Mapping[str, float],
    *,
    max_gap_ms: float,
    smoothing_ms: float | None,
) -> Trajectory:
    """
    The course of the anchors over a clip with at least one face.

    Args:
        seen: the samples.
        where: video to target pixels.
        paddings: per part, overlay over tight box.
        max_gap_ms: longest stretch without a face that is bridged.
        smoothing_ms: width of the smoothing; 0 for none, None for what fits the clip.
    """
    known = seen.has_face
    plate, by_landmarks = registration.plate_motion(seen.clip)
    # Of the faces, those with landmarks of their own.
    own = seen.is_sample[known]
    by_landmarks = registration.filled(
        by_landmarks, seen.times_ms[known & seen.is_sample], seen.times_ms[known], complex(plate.mean())
    )
    samples = np.flatnonzero(known)
    hidden = {name: _hidden(name, seen) for name in PARTS}
    middles = {name: _middle(plate[list(part.tight)]) for name, part in PARTS.items()}
    links = {name: _trusted(name, seen.links.get(name, ()), hidden) for name in PARTS}
    motions = {
        name: registration.glued(plate, by_landmarks, samples, middle, links[name])
        for name, middle in middles.items()
    }
    _carry(motions, hidden, seen)
    turn = registration.one_face(motions["eyes"], motions["mouth"])
    motions = {name: motions[name].with_turn(turn, about=middle) for name, middle in middles.items()}
    # The eyes' skin moves as one and is best fitted; the mouth's does not.
    motions["mouth"] = registration.placed(plate, motions["mouth"], samples, links["mouth"])
    _carry(motions, hidden, seen)

    boxes = {
        name: anchors.tight_box(seen.clip, motions[name][own], part.tight) for name, part in PARTS.items()
    }
    curves = {}
    for name in PARTS:
        curves[name] = np.full((len(known), 4), np.nan)
        curves[name][known] = anchors.curve(motions[name], boxes[name].middle)
    eyes_px = abs(eyes_across(plate))
    seam = loop.seam(
        seen.times_ms,
        known,
        [_in_faces(curve, eyes_px) for curve in curves.values()],
        seen.end_ms - float(seen.times_ms[0]),
    )
    period_ms = seen.end_ms - float(seen.times_ms[0]) if seam.is_closed else None
    coverage = gaps.coverage(seen.times_ms, known, max_gap_ms=max_gap_ms)

    scale = float(np.mean(where.scale))
    widths, noise = {}, []
    for name, curve in curves.items():
        trust = known.astype(float)
        if seen.links:
            trust = np.clip(seen.agree[name] / _TRUSTED_FULLY, _TRUSTED_LEAST, 1)
        cleaned = _cleaned(curve, seen, trust, eyes_px, period_ms, smoothing_ms)
        curves[name] = _bridged(cleaned.values, seen, period_ms)
        widths[name] = cleaned.width_ms[0]
        noise.append(float(np.hypot(*cleaned.noise[:2])) * scale)
    is_written = _written(curves, seen, coverage, period_ms, scale)
    curves = {name: _drawn(curve, seen, coverage, is_written, period_ms) for name, curve in curves.items()}
    carried = {
        name: (part, anchors.tight_box(seen.clip, motions[part][own], tight))
        for name, (part, tight) in CARRIED.items()
    }
    return Trajectory(
        tracks=_tracks(curves, boxes, carried, paddings, where),
        hidden=hidden,
        coverage=coverage,
        seam=seam,
        seam_px=None if seam.jump is None else seam.jump * eyes_px * scale,
        jitter_px=None if np.isnan(noise).any() else max(noise),
        width_ms=widths,
        is_written=is_written,
    )


def _trusted(name: str, links: Sequence[Link], hidden: Mapping[str, Mask]) -> list[Link]:
    """
    The links that show the skin of a part: none with a sample in which something is in front of it.

    A hand in front of a face pulls its landmarks: what looks turned then is not.
    """
    is_pulled = np.any(list(hidden.values()), axis=0)
    return [
        replace(link, turned=0.0) if is_pulled[link.later] or is_pulled[link.earlier] else link
        for link in links
        if not hidden[name][link.later] and not hidden[name][link.earlier]
    ]


def _carry(motions: dict[str, Similarities], hidden: Mapping[str, Mask], seen: Seen) -> None:
    """A hidden part goes with the other, where that is in sight."""
    known = seen.has_face
    own = dict(motions)
    for name, other in (("mouth", "eyes"), ("eyes", "mouth")):
        alone = (hidden[name] & ~hidden[other])[known]
        motions[name] = registration.carried(seen.times_ms[known], alone, own[name], own[other])


def _cleaned(
    curve: Floats,
    seen: Seen,
    trust: Floats,
    eyes_px: float,
    period_ms: float | None,
    smoothing_ms: float | None,
) -> smooth.Smoothed:
    """A part's curve without outliers and noise."""
    cut = smooth.pieces(seen.times_ms, seen.has_face, period_ms)
    groups = (slice(0, 2), slice(2, 3), slice(3, 4))
    if smoothing_ms == 0:
        return smooth.smoothed(curve, trust, cut, groups, 0)
    out = smooth.outliers(_in_faces(curve, eyes_px), cut, least=_OUTLIER_LEAST)
    if out.any():
        good = seen.has_face & ~out
        curve = curve.copy()
        curve[out] = between(seen.times_ms[good], curve[good], seen.times_ms[out], period_ms)
        trust = np.where(out, _TRUSTED_LEAST, trust)
    return smooth.smoothed(curve, trust, cut, groups, smoothing_ms)


def _hidden(name: str, seen: Seen) -> Mask:
    """(n,) decided on samples alone: whatever else is followed changes no verdict."""
    sampled = np.flatnonzero(seen.is_sample)
    share = occlusion.covered(seen.textures, seen.clip, name)
    verdict = occlusion.hidden(seen.times_ms[sampled], seen.has_face[sampled], share)
    before = np.searchsorted(sampled, np.arange(len(seen.times_ms)), side="right") - 1
    after = np.searchsorted(sampled, np.arange(len(seen.times_ms)), side="left")
    hidden: Mask = verdict[before] & verdict[np.minimum(after, len(sampled) - 1)]
    return hidden


def _bridged(curve: Floats, seen: Seen, period_ms: float | None) -> Floats:
    known = seen.has_face
    curve = curve.copy()
    curve[~known] = between(seen.times_ms[known], curve[known], seen.times_ms[~known], period_ms)
    return curve


def _written(
    curves: Mapping[str, Floats],
    seen: Seen,
    coverage: gaps.Coverage,
    period_ms: float | None,
    scale: float,
) -> Mask:
    """(n,) the samples, and more frames where a page would be off without them."""
    shown = np.array([status is not None for status in coverage.status])
    must = shown & seen.is_sample
    if seen.is_last_extra and period_ms is not None:
        # It says where the loop leads, which is where it began.
        must[-1] = False
    values = np.concatenate(list(curves.values()), axis=1)

    def off_px(off: Floats) -> Floats:
        """How far the middles of the boxes are off, at most; what turns and grows is read as well."""
        of_part = [np.hypot(part[:, 0], part[:, 1]) for part in np.split(off, len(curves), axis=1)]
        return np.asarray(np.max(of_part, axis=0) * scale)

    written = must.copy()
    for piece in smooth.pieces(seen.times_ms, shown, period_ms):
        written[piece.index] = thinning.needed(
            piece.times_ms,
            values[piece.index],
            must[piece.index],
            off_px,
            partial(_fit, values[piece.index], piece, seen, period_ms),
            tolerance_px=TUNING.read_px,
            period_ms=piece.period_ms,
        )
    return written


def _drawn(
    curve: Floats, seen: Seen, coverage: gaps.Coverage, is_written: Mask, period_ms: float | None
) -> Floats:
    """
    The values that are written.

    A gap that is left out is left out here too: no line is drawn across it.
    """
    drawn = curve.copy()
    shown = np.array([status is not None for status in coverage.status])
    for piece in smooth.pieces(seen.times_ms, shown, period_ms):
        kept = is_written[piece.index]
        drawn[piece.index[kept]] = _fit(curve[piece.index], piece, seen, period_ms, kept)
    return drawn


def _fit(curve: Floats, piece: smooth.Piece, seen: Seen, period_ms: float | None, kept: Mask) -> Floats:
    """Values for the *kept* frames of a piece, with a player in mind that draws straight lines."""
    times, values = piece.times_ms[kept], curve[kept]
    frames, right = piece.times_ms, curve
    if seen.is_sample.all():
        frames = _frames_within(times, seen, period_ms, piece.period_ms)
        right = between(times, values, frames, piece.period_ms)
    fit = for_straight_lines(times, values, frames, right, piece.period_ms)
    return values + TUNING.straight_share * (fit - values)


def _frames_within(times: Floats, seen: Seen, period_ms: float | None, whole_ms: float | None) -> Floats:
    """All frames between the first and the last of *times*, or of the whole loop."""
    frames = seen.frame_times_ms
    if period_ms is not None:
        frames = np.concatenate([frames, frames + period_ms])
    until_ms = times[-1] if whole_ms is None else times[0] + whole_ms - 1e-3
    return np.asarray(frames[(frames >= times[0]) & (frames <= until_ms)])


def _tracks(
    curves: Mapping[str, Floats],
    boxes: Mapping[str, TightBox],
    carried: Mapping[str, tuple[str, TightBox]],
    paddings: Mapping[str, float],
    where: Placement,
) -> dict[str, AnchorTrack]:
    tracks = {name: anchors.anchor_track(curves[name], boxes[name], paddings[name], where) for name in PARTS}
    for name, (part, box) in carried.items():
        tracks[name] = anchors.anchor_track(curves[part], box, paddings[part], where, of=boxes[part].middle)
    return tracks


def _in_faces(curve: Floats, eyes_px: float) -> Floats:
    """A curve with all columns in distances of the eyes' corners: turn and scale act on half a face."""
    return curve * (1 / eyes_px, 1 / eyes_px, 0.5, 0.5)


def _middle(points: Complex) -> complex:
    return complex((points.real.min() + points.real.max()) / 2, (points.imag.min() + points.imag.max()) / 2)
