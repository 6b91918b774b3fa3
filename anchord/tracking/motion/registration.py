"""
Landmarks say where, pixels say exactly: both into one motion for each part. Pure.

Each sample's unknown is the small similarity by which the landmarks' motion is off. Links between
samples say how it changes, landmarks say weakly that it is small and slow (see ``links``). So where no
pixels can be followed the part goes with the landmarks, without a jump.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.curves.interpolate import between
from anchord.tracking.faces.mesh import LEFT_EYE, RIGHT_EYE, RIGID
from anchord.tracking.motion.pose_graph import Joined, Link, agreed
from anchord.tracking.motion.similarity import Complex, Floats, Shapes, Similarities, fitted
from anchord.tracking.tuning import TUNING

# Samples, and landmarks of all samples, that are worked on at once: they bound the memory on a long clip.
_ROWS, _COLUMNS = 512, 16


def plate_motion(clip: Shapes) -> tuple[Complex, Similarities]:
    """
    The mean face in its own upright frame, and the similarities that put it into each sample.

    Generalised Procrustes analysis over the rigid landmarks (Gower 1975).

    Args:
        clip: (n, 478) landmarks, px.

    Returns:
        (478,) the mean face with level eyes, about the size and place of the median face;
        (n,) plate to sample.
    """
    plate = clip[len(clip) // 2].astype(np.complex128)
    for _ in range(3):
        back = _onto(plate, clip).inverse()
        plate = np.concatenate(
            [
                _median(back.of_each(clip[:, begin : begin + _COLUMNS]))
                for begin in range(0, clip.shape[1], _COLUMNS)
            ]
        )
    across = plate[list(LEFT_EYE)].mean() - plate[list(RIGHT_EYE)].mean()
    middle = plate.mean()
    plate = (plate - middle) * (abs(across) / across) + middle
    return plate, _onto(plate, clip)


def _onto(plate: Complex, clip: Shapes) -> Similarities:
    """(n,) the plate to each sample."""
    rigid = list(RIGID)
    each = [
        fitted(plate[rigid], clip[begin : begin + _ROWS][:, rigid].astype(np.complex128))
        for begin in range(0, len(clip), _ROWS)
    ]
    return Similarities(a=np.concatenate([one.a for one in each]), b=np.concatenate([one.b for one in each]))


def _median(faces: Complex) -> Complex:
    return np.asarray(np.median(faces.real, axis=0) + 1j * np.median(faces.imag, axis=0))


def on_plate(plate: Complex, face: Complex) -> Similarities:
    """(1,) the plate to one more face of (478,) landmarks."""
    rigid = list(RIGID)
    return fitted(plate[rigid], face[None, rigid])


def beside(
    guess: Similarities,
    motion: Similarities,
    samples: NDArray[np.intp],
    middle: complex,
    picture: int,
    links: Sequence[Link],
) -> Similarities:
    """
    (1,) the plate to one more picture, from its links with samples whose motion is known.

    Args:
        guess: (1,) from its landmarks; it holds where no link is good for anything.
        motion: (n,) plate to sample, of the part.
        samples: (n,) the indices by which links name these samples.
        middle: the part's middle on the plate.
        picture: the index by which links name the picture.
        links: from the part's follower.
    """
    mine = [link for link in links if link.later == picture and link.earlier in samples]
    joined = Joined.of(np.append(samples, picture), mine)
    weight = joined.weight(joined.sigma)
    if not len(weight):
        return guess
    share = weight / weight.sum()
    found = joined.motion.after(motion[joined.earlier])
    a = np.atleast_1d(share @ found.a)
    at = np.atleast_1d(share @ (found.a * middle + found.b))
    return Similarities(a=a, b=at - a * middle)


def filled(motion: Similarities, times_ms: Floats, wanted_ms: Floats, middle: complex) -> Similarities:
    """
    A motion that is known at some times, at others too: smoothly, and only a first guess.

    Args:
        motion: (k,).
        times_ms: (k,) when it is known.
        wanted_ms: (n,).
        middle: of what it moves.
    """
    if len(times_ms) == len(wanted_ms):
        return motion
    at = motion.a * middle + motion.b
    known = np.stack([motion.a.real, motion.a.imag, at.real, at.imag], axis=1)
    values = between(times_ms, known, wanted_ms)
    a = values[:, 0] + 1j * values[:, 1]
    return Similarities(a=a, b=values[:, 2] + 1j * values[:, 3] - a * middle)


def glued(
    eyes_px: float, motion: Similarities, samples: NDArray[np.intp], middle: complex, links: Sequence[Link]
) -> Similarities:
    """
    The motion of one part: the landmarks' motion, corrected by what the pixels say.

    Args:
        eyes_px: distance of the eyes' outer corners on the plate.
        motion: (n,) plate to sample, from the landmarks, or another first guess.
        samples: (n,) the indices by which links name these samples.
        middle: the part's middle on the plate.
        links: from the part's follower.
    """
    if not links:
        return motion
    joined = Joined.of(samples, links)
    on_plate = motion[joined.later].inverse().after(joined.motion).after(motion[joined.earlier])
    change = _parameters(on_plate, middle) / (eyes_px, eyes_px, 1, 1)
    off = agreed(len(samples), joined, change, joined.weight(joined.sigma)) * (eyes_px, eyes_px, 1, 1)
    correction = np.exp(off[:, 2] + 1j * off[:, 3])
    shift = off[:, 0] + 1j * off[:, 1] + middle - correction * middle
    return motion.after(Similarities(a=correction, b=shift))


def placed(
    eyes_px: float, motion: Similarities, samples: NDArray[np.intp], links: Sequence[Link]
) -> Similarities:
    """
    The motion of one part whose turn and scale are known: what is left is its place.

    All the skin around a part says where it is, because that is what a viewer compares an overlay with:
    a jaw that drops moves half of it, and neither half may win.

    Args:
        eyes_px: distance of the eyes' outer corners on the plate.
        motion: (n,) plate to sample; where it leads the part is a first guess.
        samples: (n,) the indices by which links name these samples.
        links: from the part's follower.
    """
    if not links:
        return motion
    joined = Joined.of(samples, links)
    back = motion.inverse()
    now, before = back[joined.later], back[joined.earlier]
    moved = (now.a * joined.end + now.b - before.a * joined.start - before.b) / eyes_px
    change = np.stack([moved.real, moved.imag], axis=1)
    off = agreed(len(samples), joined, change, joined.weight(joined.spread)) * eyes_px
    return Similarities(a=motion.a, b=motion.b + motion.a * (off[:, 0] + 1j * off[:, 1]))


def one_face(eyes: Similarities, mouth: Similarities) -> Complex:
    """
    (n,) the scale and turn of the whole face: a face has one of each.

    The eyes tell them best, but alone they would shrink a little with every blink.
    """
    scale = np.abs(eyes.a) ** TUNING.eyes_say * np.abs(mouth.a) ** (1 - TUNING.eyes_say)
    return np.asarray(scale * eyes.a / np.abs(eyes.a))


def carried(
    times_ms: Floats, hidden: NDArray[np.bool_], part: Similarities, by: Similarities
) -> Similarities:
    """
    The motion of a *part* that is *hidden* in some samples: there it goes with another part.

    What lies between the two is taken from the samples around, straight in time.
    """
    if not hidden.any() or hidden.all():
        return part
    between = by.inverse().after(part)
    known = times_ms[~hidden]

    def filled(values: Complex) -> Complex:
        shown = values[~hidden]
        bridge = np.interp(times_ms, known, shown.real) + 1j * np.interp(times_ms, known, shown.imag)
        return np.where(hidden, bridge, values)

    return by.after(Similarities(a=filled(between.a), b=filled(between.b)))


def _parameters(near_identity: Similarities, middle: complex) -> Floats:
    """(n, 4) shift of *middle* in x and y, logarithm of the scale, turn in radians."""
    shift = near_identity.a * middle + near_identity.b - middle
    log = np.log(near_identity.a)
    return np.stack([shift.real, shift.imag, log.real, log.imag], axis=1)
