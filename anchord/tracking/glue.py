"""
Landmarks say where, pixels say exactly: both into one motion for each part. Pure.

Each sample's unknown is the small similarity by which the landmarks' motion is off. Links between
samples say how it changes, landmarks say weakly that it is small and slow; one least-squares problem
over the whole clip weighs them all. So errors don't add up along a clip, and where no pixels can be
followed the part goes with the landmarks, without a jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.mesh import EYE_CORNERS, LEFT_EYE, RIGHT_EYE, RIGID
from anchord.tracking.similarity import Complex, Floats, Similarities, fitted

# Standard deviations over the distance of the eyes' corners (1 % is about a pixel of a 512x640 target).
# A link's own, at its best, and how it grows with the residuals of its features:
_LINK_BEST, _LINK_PER_SIGMA = 0.0003, 0.2
# How far landmarks are off, and how much that changes from one sample to the next:
_LANDMARKS_OFF, _LANDMARKS_CHANGE = 0.03, 0.005
# Links that fewer features agree on are nothing, and weak below the second.
_AGREE_LEAST, _AGREE_FULLY = 0.15, 0.5
# Lever by which turn and scale count in the distance between links: half a face.
_LEVER = 0.35
_ROBUST_PASSES = 4
_CAUCHY = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """
    How the skin moved between two samples.

    Args:
        later: index of the sample.
        earlier: index of the one it was measured against.
        motion: from pixels of the video there to pixels here.
        agree: share of features that follow it, 0–1.
        sigma: robust standard deviation of their residuals over the distance of the eyes' corners.
    """

    later: int
    earlier: int
    motion: Similarities
    agree: float
    sigma: float


def plate_motion(clip: Complex) -> tuple[Complex, Similarities]:
    """
    The mean face in its own upright frame, and the similarities that put it into each sample.

    Generalised Procrustes analysis over the rigid landmarks (Gower 1975).

    Args:
        clip: (n, 478) landmarks, px.

    Returns:
        (478,) the mean face with level eyes, about the size and place of the median face;
        (n,) plate to sample.
    """
    rigid = list(RIGID)
    plate = clip[len(clip) // 2]
    for _ in range(3):
        back = fitted(plate[rigid], clip[:, rigid]).inverse()
        faces = back.a[:, None] * clip + back.b[:, None]
        plate = np.median(faces.real, axis=0) + 1j * np.median(faces.imag, axis=0)
    across = plate[list(LEFT_EYE)].mean() - plate[list(RIGHT_EYE)].mean()
    middle = plate.mean()
    plate = (plate - middle) * (abs(across) / across) + middle
    return plate, fitted(plate[rigid], clip[:, rigid])


def glued(
    plate: Complex, motion: Similarities, samples: NDArray[np.intp], middle: complex, links: Sequence[Link]
) -> Similarities:
    """
    The motion of one part: the landmarks' motion, corrected by what the pixels say.

    Args:
        plate: (478,) the mean face.
        motion: (n,) plate to sample, from the landmarks.
        samples: (n,) the indices by which links name these samples.
        middle: the part's middle on the plate.
        links: from the part's follower.
    """
    if not links:
        return motion
    right, left = EYE_CORNERS
    eyes_px = float(abs(plate[left] - plate[right]))
    position = np.full(int(samples.max()) + 1, -1)
    position[samples] = np.arange(len(samples))
    kept = [link for link in links if link.agree >= _AGREE_LEAST]
    later = position[[link.later for link in kept]]
    earlier = position[[link.earlier for link in kept]]
    between = Similarities(
        a=np.array([complex(link.motion.a) for link in kept]),
        b=np.array([complex(link.motion.b) for link in kept]),
    )
    on_plate = motion[later].inverse().after(between).after(motion[earlier])
    change = _parameters(on_plate, middle) / (eyes_px, eyes_px, 1, 1)
    sigma = np.array([link.sigma for link in kept])
    agree = np.minimum(1, np.array([link.agree for link in kept]) / _AGREE_FULLY)
    weight = agree**2 / (_LINK_BEST**2 + (_LINK_PER_SIGMA * sigma) ** 2)
    off = _agreed(len(samples), later, earlier, change, weight) * (eyes_px, eyes_px, 1, 1)
    correction = np.exp(off[:, 2] + 1j * off[:, 3])
    shift = off[:, 0] + 1j * off[:, 1] + middle - correction * middle
    return motion.after(Similarities(a=correction, b=shift))


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


def _agreed(
    count: int, later: NDArray[np.intp], earlier: NDArray[np.intp], change: Floats, weight: Floats
) -> Floats:
    """
    (count, 4) what fits the links best: off[later] - off[earlier] = change.

    Cauchy's weights make it robust; landmarks join as links that say "no change" and as a weak pull
    to zero.
    """
    neighbours = np.arange(count - 1)
    later = np.concatenate([later, neighbours + 1])
    earlier = np.concatenate([earlier, neighbours])
    change = np.concatenate([change, np.zeros((count - 1, 4))])
    trusted = np.concatenate([weight, np.full(count - 1, _LANDMARKS_CHANGE**-2)])
    off = np.zeros((count, 4))
    doubt = np.ones(len(weight))
    for _ in range(_ROBUST_PASSES):
        current = trusted.copy()
        current[: len(weight)] *= doubt
        off = _least_squares(off, later, earlier, change, current)
        residual = (off[later] - off[earlier] - change)[: len(weight)] * (1, 1, _LEVER, _LEVER)
        doubt = 1 / (1 + (residual**2).sum(axis=1) * weight / _CAUCHY)
    return off


def _least_squares(
    start: Floats, later: NDArray[np.intp], earlier: NDArray[np.intp], change: Floats, weight: Floats
) -> Floats:
    """Conjugate gradients, preconditioned by the diagonal: the matrix is sparse and never built."""
    count = len(start)
    pull = _LANDMARKS_OFF**-2

    def gathered(values: Floats) -> Floats:
        columns = [
            np.bincount(later, column, count) - np.bincount(earlier, column, count) for column in values.T
        ]
        return np.stack(columns, axis=1)

    def times_matrix(x: Floats) -> Floats:
        return gathered(weight[:, None] * (x[later] - x[earlier])) + pull * x

    diagonal = (np.bincount(later, weight, count) + np.bincount(earlier, weight, count) + pull)[:, None]
    x = start
    residual = gathered(weight[:, None] * change) - times_matrix(x)
    ready = residual / diagonal
    direction = ready
    power = (residual * ready).sum(axis=0)
    # What is left of the energy of a first, blind step.
    enough = 1e-12 * max(float((gathered(weight[:, None] * change) ** 2 / diagonal).sum()), 1e-12)
    for _ in range(500):
        if power.sum() < enough:
            break
        ahead = times_matrix(direction)
        step = power / np.maximum((direction * ahead).sum(axis=0), 1e-30)
        x = x + step * direction
        residual = residual - step * ahead
        ready = residual / diagonal
        before, power = power, (residual * ready).sum(axis=0)
        direction = ready + power / np.maximum(before, 1e-30) * direction
    return x
