"""Which frames must be written so that a page which reads between them is right on all. Pure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.curves.interpolate import between

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def needed(
    times_ms: Floats,
    values: Floats,
    must: Mask,
    off_px: Callable[[Floats], Floats],
    drawn: Callable[[Mask], Floats],
    *,
    tolerance_px: float,
    period_ms: float | None = None,
) -> Mask:
    """
    The frames that are written: those that *must* be, and where a reader's curve through them is off,
    the worst frames of each stretch, until it is off nowhere.

    Args:
        times_ms: (n,) of all frames, rising.
        values: (n, c) what is right in them.
        must: (n,) which are written anyway.
        off_px: (n, c) differences of values to (n,) distances.
        drawn: which frames are written, to the (k, c) values that are written there.
        tolerance_px: what a reader may be off.
        period_ms: where the curve repeats, after which time.
    """
    kept = must.copy()
    if period_ms is None:
        kept[[0, -1]] = True
    elif not kept.any():
        kept[0] = True
    while True:
        read = between(times_ms[kept], drawn(kept), times_ms, period_ms)
        off = np.where(kept, 0.0, off_px(values - read))
        stretch = np.cumsum(kept)
        worst = off > tolerance_px
        if not worst.any():
            return kept
        # The last of equals that is worst in its stretch between two frames that are kept.
        order = np.argsort(off, kind="stable")
        of_stretch = np.zeros(int(stretch.max()) + 1, int)
        of_stretch[stretch[order]] = order
        chosen = of_stretch[np.unique(stretch[worst])]
        kept[chosen] = True
