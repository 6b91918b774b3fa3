"""
What is followed: a face by its landmarks, or a head by its static anchors; and how it moved. Pure.

Either is a first guess, which the links between samples make exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anchord.tracking import anchors
from anchord.tracking.anchors import TightBox
from anchord.tracking.faces.mesh import CARRIED, OPENED, PARTS, eyes_across
from anchord.tracking.motion import occlusion, registration
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.similarity import Complex, Floats, Shapes, Similarities

Mask = NDArray[np.bool_]


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
    clip: Shapes
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
class Body:
    """What is carried along, and what is known of it before links are."""

    eyes_px: float
    guess: Similarities
    middles: Mapping[str, complex]
    hidden: Mapping[str, Mask]
    pins: Mapping[str, tuple[int, Similarities]]
    #: Boxes of parts, and of what parts carry: name -> (part, box), from the parts' motions.
    boxes: Callable[[Mapping[str, Similarities]], tuple[dict[str, TightBox], dict[str, tuple[str, TightBox]]]]


def body_of(seen: Seen) -> Body:
    """What is carried along in a clip with at least one face."""
    return _by_landmarks(seen) if seen.outlined is None else _by_anchors(seen, seen.outlined)


def _by_landmarks(seen: Seen) -> Body:
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

    return Body(
        eyes_px=abs(eyes_across(plate)),
        guess=registration.filled(
            motion, seen.times_ms[known & seen.is_sample], seen.times_ms[known], complex(plate.mean())
        ),
        middles={name: _middle(plate[list(part.tight)]) for name, part in PARTS.items()},
        hidden={name: _hidden(name, seen) for name in PARTS},
        pins={},
        boxes=boxes,
    )


def _by_anchors(seen: Seen, outlined: Outlined) -> Body:
    return Body(
        eyes_px=outlined.eyes_px,
        guess=outlined.motion,
        middles={name: box.middle for name, box in outlined.boxes.items()},
        # What is in front of a drawn face can't be told from the face.
        hidden={name: np.zeros(len(seen.times_ms), bool) for name in PARTS},
        pins=outlined.pins,
        boxes=lambda _motions: (dict(outlined.boxes), {}),
    )


def motions_of(seen: Seen, body: Body) -> dict[str, Similarities]:
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


def base_motions(
    seen: Seen, body: Body, motions: Mapping[str, Similarities]
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


def _hidden(name: str, seen: Seen) -> Mask:
    """(n,) decided on samples alone: whatever else is followed changes no verdict."""
    sampled = np.flatnonzero(seen.is_sample)
    share = occlusion.covered(seen.textures, seen.clip, name)
    verdict = occlusion.hidden(seen.times_ms[sampled], seen.has_face[sampled], share)
    before = np.searchsorted(sampled, np.arange(len(seen.times_ms)), side="right") - 1
    after = np.searchsorted(sampled, np.arange(len(seen.times_ms)), side="left")
    hidden: Mask = verdict[before] & verdict[np.minimum(after, len(sampled) - 1)]
    return hidden


def _middle(points: Complex) -> complex:
    return complex((points.real.min() + points.real.max()) / 2, (points.imag.min() + points.imag.max()) / 2)
