"""
All samples of a clip into the course of its anchors: glued, cleaned, closed, bridged. Pure.

The order of the steps between what was seen and what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from anchord.tracking import anchors
from anchord.tracking.anchors import AnchorTrack, Placement, TightBox
from anchord.tracking.curves import gaps, loop, smooth, thinning
from anchord.tracking.curves.interpolate import between, for_straight_lines
from anchord.tracking.faces.mesh import CARRIED, OPENED, PARTS, eyes_across
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
class Outlined:
    """
    A head that is known by its static anchors alone; the picture in which they lie is the plate.

    Args:
        boxes: per part, on the plate, as large as the overlay.
        motion: (k,) plate to the samples with the head, a first guess.
        eyes_px: what the distance of the eyes' outer corners on the plate is about.
    """

    boxes: Mapping[str, TightBox]
    motion: Similarities
    eyes_px: float
    #: Per part a sample and the exact way to it; the other samples' follows from links.
    pins: Mapping[str, tuple[int, Similarities]]
    #: Whether that picture is the base face, which is no frame of the video.
    is_base: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    What was seen of the face in the clip.

    Args:
        times_ms: (n,) of the samples, and of the frames between them that were only followed.
        has_face: (n,).
        is_sample: (n,) where landmarks were looked for, or as many frames without them.
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
    #: In place of landmarks and textures, which are then empty.
    outlined: Outlined | None = None
    #: (478,) landmarks of the base face, as if it were one more frame, which links name by *n*.
    base: Complex | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What is carried along, and what is known of it before links are."""

    eyes_px: float
    guess: Similarities
    middles: Mapping[str, complex]
    hidden: Mapping[str, Mask]
    pins: Mapping[str, tuple[int, Similarities]]
    #: Boxes of parts, and of what parts carry: name -> (part, box), from the parts' motions.
    boxes: Callable[[Mapping[str, Similarities]], tuple[dict[str, TightBox], dict[str, tuple[str, TightBox]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """
    Where the head is in the base face.

    Args:
        index: of the sample that lies most like it.
        tracks: per part, of one sample.
    """

    index: int
    tracks: Mapping[str, AnchorTrack]


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
    body = _by_landmarks(seen) if seen.outlined is None else _by_anchors(seen, seen.outlined)
    eyes_px, hidden = body.eyes_px, body.hidden
    motions = _motions(seen, body)
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
            trust = np.clip(seen.agree[name] / _TRUSTED_FULLY, _TRUSTED_LEAST, 1)
        cleaned = _cleaned(curve, seen, trust, eyes_px, period_ms, smoothing_ms)
        curves[name] = _bridged(cleaned.values, seen, period_ms)
        widths[name] = cleaned.width_ms[0]
        noise.append(float(np.hypot(*cleaned.noise[:2])) * scale)
    is_written = _written(curves, seen, coverage, period_ms, scale)
    curves = {name: _drawn(curve, seen, coverage, is_written, period_ms) for name, curve in curves.items()}
    tracks = _tracks(curves, boxes, carried, paddings, where)
    base = _base_motions(seen, body, motions)
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


def _by_landmarks(seen: Seen) -> _Body:
    known = seen.has_face
    plate, motion = registration.plate_motion(seen.clip)
    # Of the faces, those with landmarks of their own.
    own = seen.is_sample[known]

    def boxes(
        motions: Mapping[str, Similarities],
    ) -> tuple[dict[str, TightBox], dict[str, tuple[str, TightBox]]]:
        def tight(name: str, part: str, landmarks: Sequence[int]) -> TightBox:
            return anchors.tight_box(seen.clip, motions[part][own], landmarks, least=OPENED.get(name))

        return (
            {name: tight(name, name, part.tight) for name, part in PARTS.items()},
            {name: (part, tight(name, part, landmarks)) for name, (part, landmarks) in CARRIED.items()},
        )

    return _Body(
        eyes_px=abs(eyes_across(plate)),
        guess=registration.filled(
            motion, seen.times_ms[known & seen.is_sample], seen.times_ms[known], complex(plate.mean())
        ),
        middles={name: _middle(plate[list(part.tight)]) for name, part in PARTS.items()},
        hidden={name: _hidden(name, seen) for name in PARTS},
        pins={},
        boxes=boxes,
    )


def _by_anchors(seen: Seen, outlined: Outlined) -> _Body:
    return _Body(
        eyes_px=outlined.eyes_px,
        guess=outlined.motion,
        middles={name: box.middle for name, box in outlined.boxes.items()},
        # What is in front of a drawn face can't be told from the face.
        hidden={name: np.zeros(len(seen.times_ms), bool) for name in PARTS},
        pins=outlined.pins,
        boxes=lambda _motions: (dict(outlined.boxes), {}),
    )


def _motions(seen: Seen, body: _Body) -> dict[str, Similarities]:
    """Per part (k,) plate to the samples with a face: what the links say, from the first guess on."""
    samples = np.flatnonzero(seen.has_face)
    # Those to the base face are another matter.
    within = {
        name: [link for link in seen.links.get(name, ()) if link.later < len(seen.times_ms)] for name in PARTS
    }
    links = {name: _trusted(name, within[name], body.hidden) for name in PARTS}
    motions = {
        name: registration.glued(body.eyes_px, body.guess, samples, middle, links[name])
        for name, middle in body.middles.items()
    }
    _carry(motions, body.hidden, seen)
    turn = registration.one_face(motions["eyes"], motions["mouth"])
    motions = {name: motions[name].with_turn(turn, about=middle) for name, middle in body.middles.items()}
    # The eyes' skin moves as one and is best fitted; the mouth's does not.
    motions["mouth"] = registration.placed(body.eyes_px, motions["mouth"], samples, links["mouth"])
    _carry(motions, body.hidden, seen)
    if body.pins:
        pins = {name: motion for name, (_, motion) in body.pins.items()}
        turn = registration.one_face(pins["eyes"], pins["mouth"])
        for name, (sample, motion) in body.pins.items():
            right = motion.with_turn(turn, about=body.middles[name])
            there = motions[name][int(np.searchsorted(samples, sample))]
            motions[name] = motions[name].after(there.inverse().after(right))
    return motions


def _base_motions(
    seen: Seen, body: _Body, motions: Mapping[str, Similarities]
) -> dict[str, Similarities] | None:
    """Per part (1,) the plate to the base face; None where that is unknown."""
    one = Similarities(a=np.ones(1, np.complex128), b=np.zeros(1, np.complex128))
    if seen.outlined is not None:
        return dict.fromkeys(PARTS, one) if seen.outlined.is_base else None
    if seen.base is None:
        return None
    plate, _ = registration.plate_motion(seen.clip)
    guess = registration.on_plate(plate, seen.base)
    samples = np.flatnonzero(seen.has_face)
    found = {
        name: registration.beside(
            guess, motions[name], samples, middle, len(seen.times_ms), seen.links.get(name, ())
        )
        for name, middle in body.middles.items()
    }
    turn = registration.one_face(found["eyes"], found["mouth"])
    return {name: found[name].with_turn(turn, about=middle) for name, middle in body.middles.items()}


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
        turn = np.radians(tracks[name].roll - at.roll) * at.size[0, 0] / 2
        away += ((tracks[name].centre - at.centre) ** 2).sum(axis=1) + turn**2
    away[~(seen.has_face & seen.is_sample)] = np.inf
    return Reference(index=int(away.argmin()), tracks=there)


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
