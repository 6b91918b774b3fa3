"""
All samples of a clip into the course of its anchors: glued, cleaned, closed, bridged. Pure.

The order of the steps between what was seen and what is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from anchord.tracking import anchors
from anchord.tracking.anchors import AnchorTrack, Placement, TightBox
from anchord.tracking.body import Seen, base_motions, body_of, motions_of
from anchord.tracking.curves import gaps, loop, smooth, thinning
from anchord.tracking.curves.interpolate import between, for_straight_lines
from anchord.tracking.faces.mesh import PARTS
from anchord.tracking.motion.similarity import Floats, Similarities
from anchord.tracking.tuning import TUNING

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """
    Where the head is in the base face.

    Args:
        index: of the sample that lies most like it.
        tracks: per part, of one sample.
        is_there: whether that sample lies as the base face, as far as a page could tell.
    """

    index: int
    tracks: Mapping[str, AnchorTrack]
    is_there: bool


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
        reference: where the head is in the base face, where that is known.
    """

    tracks: Mapping[str, AnchorTrack]
    hidden: Mapping[str, Mask]
    coverage: gaps.Coverage
    seam: loop.Seam
    seam_px: float | None
    jitter_px: float | None
    width_ms: Mapping[str, float]
    is_written: Mask
    reference: Reference | None


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
    body = body_of(seen)
    eyes_px, hidden = body.eyes_px, body.hidden
    motions = motions_of(seen, body)
    boxes, carried = body.boxes(motions)
    curves = {}
    for name in PARTS:
        curves[name] = np.full((len(known), 4), np.nan)
        curves[name][known] = anchors.curve(motions[name], boxes[name].middle)
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
            trust = np.clip(seen.agree[name] / TUNING.agree_fully, TUNING.trusted_least, 1)
        cleaned = _cleaned(curve, seen, trust, eyes_px, period_ms, smoothing_ms)
        curves[name] = _bridged(cleaned.values, seen, period_ms)
        widths[name] = cleaned.width_ms[0]
        noise.append(float(np.hypot(*cleaned.noise[:2])) * scale)
    is_written = _written(curves, seen, coverage, period_ms, scale)
    curves = {name: _drawn(curve, seen, coverage, is_written, period_ms) for name, curve in curves.items()}
    tracks = _tracks(curves, boxes, carried, paddings, where)
    base = base_motions(seen, body, motions)
    return Trajectory(
        tracks=tracks,
        hidden=hidden,
        coverage=coverage,
        seam=seam,
        seam_px=None if seam.jump is None else seam.jump * eyes_px * scale,
        jitter_px=None if np.isnan(noise).any() else max(noise),
        width_ms=widths,
        is_written=is_written,
        reference=None if base is None else _reference(seen, base, tracks, boxes, paddings, where),
    )


def _reference(
    seen: Seen,
    base: Mapping[str, Similarities],
    tracks: Mapping[str, AnchorTrack],
    boxes: Mapping[str, TightBox],
    paddings: Mapping[str, float],
    where: Placement,
) -> Reference:
    there = {
        name: anchors.anchor_track(
            anchors.curve(base[name], boxes[name].middle), boxes[name], paddings[name], where
        )
        for name in PARTS
    }
    away = np.zeros(len(seen.times_ms))
    for name, at in there.items():
        # Turn and size count by how far they move an overlay's end.
        half = at.size[0, 0] / 2
        turn = np.radians(tracks[name].roll - at.roll) * half
        growth = tracks[name].size[:, 0] / 2 - half
        away += ((tracks[name].centre - at.centre) ** 2).sum(axis=1) + turn**2 + growth**2
    away[~(seen.has_face & seen.is_sample)] = np.inf
    index = int(away.argmin())
    return Reference(index=index, tracks=there, is_there=float(away[index]) <= TUNING.read_px**2)


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
    out = smooth.outliers(_in_faces(curve, eyes_px), cut, least=TUNING.outlier_least)
    if out.any():
        good = seen.has_face & ~out
        curve = curve.copy()
        curve[out] = between(seen.times_ms[good], curve[good], seen.times_ms[out], period_ms)
        trust = np.where(out, TUNING.trusted_least, trust)
    return smooth.smoothed(curve, trust, cut, groups, smoothing_ms)


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
