"""
Similarities: shift, turn and scale, as complex numbers. Pure.

A point (x, y) is x + iy. A similarity is z -> a z + b: it scales by abs(a), turns by the angle of a
(clockwise on the screen, where y points down) and shifts by b.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anchord.tracking.tuning import TUNING

#: Complex numbers of any shape: points or the parts of similarities.
Complex = NDArray[np.complex128]
Floats = NDArray[np.float64]
#: Landmarks of many samples, as (n, 478) points; half as large as what is worked out with them.
Shapes = NDArray[np.complex64] | NDArray[np.complex128]

_PASSES = 6
# Scale and turn that change less than this, some hundredths of a pixel over a face, have settled.
_SETTLED = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarities:
    """
    One similarity, or one for each of n samples.

    Args:
        a: () or (n,) complex, scale and turn.
        b: () or (n,) complex, shift in pixels of where it leads.
    """

    a: Complex
    b: Complex

    def __getitem__(self, which: int | slice | NDArray[np.intp] | NDArray[np.bool_]) -> Similarities:
        return Similarities(a=np.asarray(self.a[which]), b=np.asarray(self.b[which]))

    def of(self, points: Complex) -> Complex:
        """Where *points* lead: (k,) to (k,), or (n, k) for n similarities."""
        return self.a[..., None] * points + self.b[..., None]

    def of_each(self, points: Shapes) -> Complex:
        """Where (n, k) points lead, a row by each of n similarities."""
        return np.asarray(self.a[:, None] * points + self.b[:, None], np.complex128)

    def after(self, first: Similarities) -> Similarities:
        """The similarities that do *first*, then this."""
        return Similarities(a=self.a * first.a, b=self.a * first.b + self.b)

    def inverse(self) -> Similarities:
        """What undoes them."""
        return Similarities(a=1 / self.a, b=-self.b / self.a)

    def with_turn(self, a: Complex, *, about: complex) -> Similarities:
        """The same with turn and scale *a*; the point *about* still leads where it led."""
        return Similarities(a=a, b=self.b + (self.a - a) * about)


def points(xy: NDArray[np.floating]) -> Complex:
    """(..., 2) x and y as (...) complex."""
    return np.asarray(xy[..., 0] + 1j * xy[..., 1], np.complex128)


def fitted(source: Complex, to: Complex, weights: ArrayLike = 1.0) -> Similarities:
    """
    Least-squares similarities from *source* to *to*.

    Args:
        source: (k,).
        to: (k,) for one similarity, (n, k) for n.
        weights: (k,), not negative.

    Source: Umeyama 1991; in the plane it is one complex quotient.
    """
    share = np.full(len(source), weights, float)
    share /= share.sum()
    middle = share @ source
    middles = to @ share
    spread = source - middle
    lever = share * spread.conj()
    a = np.asarray((to - middles[..., None]) @ lever / (lever @ spread).real)
    return Similarities(a=a, b=np.asarray(middles - a * middle))


def fitted_robustly(source: Complex, to: Complex, *, floor: float) -> tuple[Similarities, Floats, float]:
    """
    The similarity that most of the points agree on.

    Iteratively reweighted least squares with Tukey's weights (Holland & Welsch 1977). Unlike
    OpenCV's estimateAffinePartial2D it draws no lots, so the same film gives the same file, and its
    weights fade instead of switching from frame to frame, which would shiver.

    Args:
        source: (k,).
        to: (k,).
        floor: standard deviation that is never undercut, px; what agrees better agrees by chance.

    Returns:
        the similarity, (k,) weights 0–1, and the robust standard deviation of the residuals.
    """
    weights = np.ones(len(source))
    before = np.asarray(0j)
    for _ in range(_PASSES):
        similarity = fitted(source, to, weights)
        residual = np.abs(similarity.of(source) - to)
        sigma = max(_spread(residual), floor)
        # Never quite zero: a fit to nothing has no answer.
        weights = np.clip(1 - (residual / (TUNING.tukey_reach * sigma)) ** 2, 1e-4, None) ** 2
        if abs(similarity.a - before) < _SETTLED:
            break
        before = similarity.a
    return similarity, weights, sigma


def moved(source: Complex, to: Complex, *, noise: float) -> tuple[complex, complex, float]:
    """
    Where points moved on the whole: about their mean if they agree, and their median if they do not.

    Huber's estimator of a shift (Huber 1964), by reweighting. Unlike Tukey's in ``fitted_robustly`` it
    takes no sides: where half of the points move otherwise, it lies between the halves.

    Args:
        source: (k,).
        to: (k,).
        noise: differences below it are noise, and averaged.

    Returns:
        the middle of the points, where it moved, and the robust standard deviation of the residuals.
    """
    shifts = to - source
    shift = complex(_middle(shifts.real), _middle(shifts.imag))
    for _ in range(_PASSES):
        weights = 1 / np.maximum(np.abs(shifts - shift), noise)
        weights /= weights.sum()
        shift = complex(weights @ shifts)
    start = complex(weights @ source)
    return start, start + shift, _spread(np.abs(shifts - shift))


def _middle(values: Floats) -> float:
    """The median; several times faster than NumPy's."""
    below, half = (len(values) - 1) // 2, len(values) // 2
    sides = np.partition(values, (below, half))
    return float(sides[below] + sides[half]) / 2


def _spread(distances: Floats) -> float:
    """Robust standard deviation per axis: the median of a Rayleigh distribution is 1.1774 of it."""
    return _middle(distances) / 1.1774
