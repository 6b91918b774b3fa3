"""
Noise out of a curve, without a lag. Pure.

Each sample gets the value at its time of the parabola that fits the samples around it best, weighted
by a bell over presentation time: zero phase, exact on any motion that is a parabola, at home on uneven
times. How wide the bell is follows from the clip: the width is taken that best predicts each sample
from all others. A still face may be averaged hard, a nodding one hardly at all.

Source: Cleveland 1979 (local regression), Allen 1974 (leave one out).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.curves.gaps import stretches
from anchord.tracking.tuning import TUNING

Floats = NDArray[np.float64]

# Widths that are tried: standard deviations of the bell, ms.
_WIDTHS_MS = (15.0, 22.0, 33.0, 47.0, 68.0, 100.0, 147.0, 215.0, 316.0, 464.0, 681.0, 1000.0)
# The bell is cut off here, in standard deviations.
_REACH = 3.0
_ORDER = 2
# So few samples are left as they are.
_FEWEST = 7
# Rows of weights that are made at once: bounds the memory on a clip of half an hour.
_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """
    Samples that may be averaged with each other: no gap among them.

    Args:
        index: (k,) which samples, in the order of time.
        times_ms: (k,) rising; beyond the clip's end where a loop carries on with its first samples.
        period_ms: where the whole loop is one piece, its duration; else None.
    """

    index: NDArray[np.intp]
    times_ms: Floats
    period_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothed:
    """
    A curve without its noise.

    Args:
        values: (n, c) smoothed.
        width_ms: standard deviation of the bell, 0 where nothing was smoothed.
        noise: (c,) standard deviation of the noise that is left, by the prediction error of the clip
            and the averaging; nan where it can't be told.
    """

    values: Floats
    width_ms: tuple[float, ...]
    noise: Floats


def pieces(times_ms: Floats, known: NDArray[np.bool_], period_ms: float | None) -> list[Piece]:
    """
    The clip cut at its gaps; a closed loop's last piece goes on with its first.

    Args:
        times_ms: (n,) rising.
        known: (n,) which samples have a value.
        period_ms: the loop's duration, None where it does not close.
    """
    found = [
        Piece(index=np.arange(first, last + 1), times_ms=times_ms[first : last + 1])
        for first, last in stretches(known)
    ]
    if period_ms is None or not found or not (known[0] and known[-1]):
        return found
    if len(found) == 1:
        return [Piece(index=found[0].index, times_ms=found[0].times_ms, period_ms=period_ms)]
    first, last = found[0], found[-1]
    joined = Piece(
        index=np.concatenate([last.index, first.index]),
        times_ms=np.concatenate([last.times_ms, first.times_ms + period_ms]),
    )
    return [*found[1:-1], joined]


def smoothed(
    values: Floats, weights: Floats, cut: Sequence[Piece], columns: Sequence[slice], width_ms: float | None
) -> Smoothed:
    """
    The *values* without their noise; each group of *columns* with a width of its own.

    Args:
        values: (n, c); what is in no piece is left alone.
        weights: (n,) how far each sample is trusted, 0–1.
        cut: see ``pieces``.
        columns: groups that are smoothed alike, such as x and y.
        width_ms: standard deviation of the bell; 0 for none, None for what fits the clip.
    """
    result, widths = values.copy(), []
    noise = np.full(values.shape[1], np.nan)
    cut = [piece for piece in cut if len(piece.index) >= _FEWEST]
    tries = _tried(cut) if width_ms is None else [width_ms] if width_ms > 0 else []
    if not cut or not tries:
        return Smoothed(values=result, width_ms=(0.0,) * len(columns), noise=noise)
    attempts = {width: _attempt(values, weights, cut, width) for width in tries}
    for group in columns:
        errors = {width: float(attempt.error[group].mean()) for width, attempt in attempts.items()}
        least = min(errors.values())
        width = max((width for width in tries if errors[width] <= TUNING.nearly * least), default=tries[0])
        result[:, group] = attempts[width].values[:, group]
        noise[group] = np.sqrt(attempts[width].error[group] * attempts[width].left)
        widths.append(width)
    noise[~np.isfinite(noise)] = np.nan
    return Smoothed(values=result, width_ms=tuple(widths), noise=noise)


def outliers(values: Floats, cut: Sequence[Piece], *, least: float) -> NDArray[np.bool_]:
    """
    Samples that do not fit their neighbours.

    Args:
        values: (n, c), all columns in the same measure.
        cut: see ``pieces``.
        least: what is nearer than this to where its neighbours expect it is never an outlier.

    Source: Hampel 1974, here about a local parabola instead of a median, which motion would fool.
    """
    out = np.zeros(len(values), bool)
    for piece in cut:
        if len(piece.index) < _FEWEST:
            continue
        width = 2 * float(np.median(np.diff(piece.times_ms)))
        trusted = np.ones(len(piece.index))
        # One by one, since an outlier makes its neighbours look odd too.
        for _ in range(max(1, len(trusted) // 10)):
            fit, own = _fit(values[piece.index], trusted, piece, width)
            off = np.linalg.norm(values[piece.index] - fit, axis=1)
            off /= np.maximum(1 - own, TUNING.least_from_others)
            off[trusted == 0] = 0
            worst = int(off.argmax())
            if off[worst] < max(least, TUNING.outlier * 1.4826 * float(np.median(off[trusted > 0]))):
                break
            trusted[worst] = 0
        out[piece.index[trusted == 0]] = True
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    values: Floats
    #: (c,) mean square of what was wrong when each sample was predicted from the others; inf: unknown.
    error: Floats
    #: What of that error is noise that is left in the values: a share of its square.
    left: float


def _tried(cut: Sequence[Piece]) -> list[float]:
    """Widths that take in a neighbour at least, and not the whole clip."""
    if not cut:
        return []
    step = float(np.median(np.concatenate([np.diff(piece.times_ms) for piece in cut])))
    longest = max(float(np.ptp(piece.times_ms)) for piece in cut)
    return [width for width in _WIDTHS_MS if 0.45 * step <= width <= longest / 2]


def _attempt(values: Floats, weights: Floats, cut: Sequence[Piece], width_ms: float) -> _Attempt:
    result = values.copy()
    squares, total = np.zeros(values.shape[1]), 0.0
    own_shares, known = [], 0
    for piece in cut:
        here, trusted = values[piece.index], weights[piece.index]
        fit, own = _fit(here, trusted, piece, width_ms)
        result[piece.index] = fit
        own_shares.append(own)
        tells = 1 - own >= TUNING.least_from_others
        known += int(tells.sum())
        error = ((here - fit)[tells] / (1 - own[tells])[:, None]) ** 2
        if len(error):
            # A few large errors must not decide.
            error = np.minimum(error, 25 * np.median(error, axis=0))
            squares += (trusted[tells, None] * error).sum(axis=0)
            total += float(trusted[tells].sum())
    own = np.concatenate(own_shares)
    is_known = known > 0.8 * len(own) and total > 0
    error = squares / total if is_known else np.full(values.shape[1], np.inf)
    # With a sample's own share h the noise's variance is (1 - h) of the squared error, and h of it is
    # left. A share near 1 means that samples are predicted badly because the face moves, not by noise.
    share = np.clip(own, 0, 1)
    return _Attempt(values=result, error=error, left=float((share * (1 - share)).mean()))


def _fit(values: Floats, trusted: Floats, piece: Piece, width_ms: float) -> tuple[Floats, Floats]:
    """The parabolas' values (k, c), and the share (k,) that each sample has in its own."""
    fit, own = np.empty_like(values), np.empty(len(values))
    for rows, columns, shares in _shares(piece, trusted, width_ms):
        fit[rows] = np.einsum("nk,nkc->nc", shares, values[columns])
        own[rows] = np.where(columns == np.arange(len(values))[rows, None], shares, 0).sum(axis=1)
    return fit, own


def _shares(
    piece: Piece, trusted: Floats, width_ms: float
) -> Iterator[tuple[slice, NDArray[np.intp], Floats]]:
    """For rows of samples: which samples (r, k) have which shares (r, k) in their values."""
    times, count, period = piece.times_ms, len(piece.times_ms), piece.period_ms
    step = float(np.median(np.diff(times)))
    reach = max(3, int(np.ceil(_REACH * width_ms / step)))
    reach = min(reach, (count - 1) // 2 if period else count - 1)
    offsets = np.arange(-reach, reach + 1)
    for begin in range(0, count, _ROWS):
        rows = slice(begin, min(begin + _ROWS, count))
        wanted = np.arange(count)[rows, None] + offsets
        columns = wanted % count if period else np.clip(wanted, 0, count - 1)
        when = times[columns] + (np.floor_divide(wanted, count) * period if period else 0.0)
        away = (when - times[rows, None]) / width_ms
        is_there = np.abs(away) <= _REACH
        if not period:
            is_there &= wanted == columns
        bell = np.exp(-0.5 * away**2) * trusted[columns] * is_there
        powers = away[..., None] ** np.arange(_ORDER + 1)
        normal = np.einsum("nk,nki,nkj->nij", bell, powers, powers)
        # A little ridge, for the ends of short pieces and for samples that stand alone.
        normal += np.eye(_ORDER + 1) * 1e-9 * (1 + normal[:, :1, :1])
        wish = np.zeros((len(normal), _ORDER + 1, 1))
        wish[:, 0] = 1
        solved = np.linalg.solve(normal, wish)[..., 0]
        yield rows, columns, np.einsum("nki,ni->nk", powers, solved) * bell
