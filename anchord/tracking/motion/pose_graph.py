"""
Links between samples, and what agrees with most of them. Pure.

Each says how something changed from one sample to another; one least-squares problem over the whole
clip weighs them all, so that small errors never add up along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.motion.similarity import Complex, Floats, Similarities
from anchord.tracking.tuning import TUNING

_ROBUST_PASSES = 4


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
        start: the middle of all features there, px of the video.
        end: where they moved it on the whole, px of the video here (see ``similarity.moved``).
        spread: robust standard deviation of their movements about that one, measured like *sigma*.
        turned: how differently the face is turned, rms over the same distance.
    """

    later: int
    earlier: int
    motion: Similarities
    agree: float
    sigma: float
    start: complex
    end: complex
    spread: float
    turned: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The links that are good for something, as arrays; *later* and *earlier* are positions."""

    later: NDArray[np.intp]
    earlier: NDArray[np.intp]
    motion: Similarities
    start: Complex
    end: Complex
    sigma: Floats
    spread: Floats
    #: What weighs a link less whatever it tells: few features that agree, and a turned face.
    agree: Floats
    doubt: Floats

    @classmethod
    def of(cls, samples: NDArray[np.intp], links: Sequence[Link]) -> Joined:
        """*links* that name their samples by *samples* (n,)."""
        position = np.full(int(samples.max()) + 1, -1)
        position[samples] = np.arange(len(samples))
        kept = [link for link in links if link.agree >= TUNING.agree_least]
        turned = np.array([link.turned for link in kept])
        return cls(
            later=position[[link.later for link in kept]],
            earlier=position[[link.earlier for link in kept]],
            motion=Similarities(
                a=np.array([complex(link.motion.a) for link in kept]),
                b=np.array([complex(link.motion.b) for link in kept]),
            ),
            start=np.array([link.start for link in kept]),
            end=np.array([link.end for link in kept]),
            sigma=np.array([link.sigma for link in kept]),
            spread=np.array([link.spread for link in kept]),
            agree=np.minimum(1, np.array([link.agree for link in kept]) / TUNING.agree_fully),
            doubt=TUNING.link_per_turn * np.maximum(0, turned - TUNING.turned_freely),
        )

    def weight(self, noise: Floats) -> Floats:
        """(k,) of links whose features' residuals are *noise*, in distances of the eyes' corners."""
        variance = TUNING.link_best**2 + (TUNING.link_per_sigma * noise) ** 2 + self.doubt**2
        return np.asarray(self.agree**2 / variance)


def agreed(count: int, joined: Joined, change: Floats, weight: Floats) -> Floats:
    """
    (count, c) what fits the links best: off[later] - off[earlier] = change.

    The first two columns are a shift, the others scale and turn. Cauchy's weights make it robust;
    landmarks join as links that say "no change" and as a weak pull to zero.
    """
    columns = change.shape[1]
    neighbours = np.arange(count - 1)
    later = np.concatenate([joined.later, neighbours + 1])
    earlier = np.concatenate([joined.earlier, neighbours])
    change = np.concatenate([change, np.zeros((count - 1, columns))])
    trusted = np.concatenate([weight, np.full(count - 1, TUNING.landmarks_change**-2)])
    lever = np.array([1, 1, TUNING.lever, TUNING.lever])[:columns]
    off = np.zeros((count, columns))
    doubt = np.ones(len(weight))
    for _ in range(_ROBUST_PASSES):
        current = trusted.copy()
        current[: len(weight)] *= doubt
        off = _least_squares(off, later, earlier, change, current)
        residual = (off[later] - off[earlier] - change)[: len(weight)] * lever
        doubt = 1 / (1 + (residual**2).sum(axis=1) * weight / TUNING.cauchy)
    return off


def _least_squares(
    start: Floats, later: NDArray[np.intp], earlier: NDArray[np.intp], change: Floats, weight: Floats
) -> Floats:
    """Conjugate gradients, preconditioned by the diagonal: the matrix is sparse and never built."""
    count = len(start)
    pull = TUNING.landmarks_off**-2

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
