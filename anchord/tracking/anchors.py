"""
The motion of a part into its anchor: where an overlay is pinned, in target pixels. Pure.

A part's tight box is measured once, on the face's own plate over the whole clip, and carried along;
so a blink or an open mouth neither moves an anchor nor changes its size. The eyes' is that of open eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from anchord.tracking.motion.similarity import Floats, Shapes, Similarities
from anchord.tracking.tuning import TUNING

Fit = Literal["contain", "cover", "fill"]

# Samples whose boxes are worked out at once: bounds the memory on a long clip.
_ROWS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How a video lies in the target: target = video * scale + offset, per axis."""

    scale: tuple[float, float]
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TightBox:
    """An upright box on the plate, px: its middle, width and height."""

    middle: complex
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorTrack:
    """
    One anchor over n samples, in target pixels.

    Args:
        centre: (n, 2) where the overlay is pinned.
        size: (n, 2) width and height, padding included.
        roll: (n,) degrees clockwise, without jumps of a full turn.
    """

    centre: Floats
    size: Floats
    roll: Floats


def placement(video: tuple[int, int], target: tuple[int, int], fit: Fit) -> Placement:
    """How a video of (width, height) is drawn into a target of (width, height)."""
    ratios = (target[0] / video[0], target[1] / video[1])
    if fit == "fill":
        return Placement(scale=ratios, offset=(0.0, 0.0))
    scale = min(ratios) if fit == "contain" else max(ratios)
    offset = ((target[0] - scale * video[0]) / 2, (target[1] - scale * video[1]) / 2)
    return Placement(scale=(scale, scale), offset=offset)


def tight_box(
    clip: Shapes, motion: Similarities, tight: Sequence[int], *, least: float | None = None
) -> TightBox:
    """
    The box of a part on the plate: the median over the clip of the box in each sample.

    Args:
        clip: (n, 478) landmarks, px.
        motion: (n,) plate to sample, of this part.
        tight: the landmarks that it must hold.
        least: for a part that must be covered while it is open: its height over its width at least. Its
            height is then that of its wider openings, and its middle where it is as open as that, so that
            blinks and narrowed eyes make no slit of it.
    """
    back = motion.inverse()
    low, high = np.empty(len(clip), np.complex128), np.empty(len(clip), np.complex128)
    for begin in range(0, len(clip), _ROWS):
        rows = slice(begin, begin + _ROWS)
        on_plate = back[rows].of_each(clip[rows][:, list(tight)])
        low[rows] = on_plate.real.min(axis=1) + 1j * on_plate.imag.min(axis=1)
        high[rows] = on_plate.real.max(axis=1) + 1j * on_plate.imag.max(axis=1)
    middle, size = (low + high) / 2, high - low
    width = float(np.median(size.real))
    if least is None:
        y, height = float(np.median(middle.imag)), float(np.median(size.imag))
    else:
        height = float(np.quantile(size.imag, TUNING.opened))
        y = float(np.median(middle.imag[size.imag >= TUNING.opened_nearly * height]))
        height = max(height, least * width)
    return TightBox(middle=complex(np.median(middle.real), y), width=width, height=height)


def curve(motion: Similarities, middle: complex) -> Floats:
    """
    What is smoothed: (n, 4) x and y of the part's middle in video px, logarithm of the scale, roll in
    radians without jumps.
    """
    centre = motion.a * middle + motion.b
    return np.stack(
        [centre.real, centre.imag, np.log(np.abs(motion.a)), np.unwrap(np.angle(motion.a))], axis=1
    )


def anchor_track(
    smooth: Floats, box: TightBox, padding: float, where: Placement, *, of: complex | None = None
) -> AnchorTrack:
    """
    An anchor along a curve.

    Args:
        smooth: (n, 4) as ``curve`` gives it.
        box: the part's tight box on the plate.
        padding: the overlay's size over the tight box.
        where: video to target pixels.
        of: the middle that the curve belongs to, where it is another part's.
    """
    scale, offset = np.array(where.scale), np.array(where.offset)
    turn = np.exp(smooth[:, 2] + 1j * smooth[:, 3])
    middle = smooth[:, 0] + 1j * smooth[:, 1]
    if of is not None:
        middle = middle + turn * (box.middle - of)
    centre = np.stack([middle.real, middle.imag], axis=1)
    return AnchorTrack(
        centre=centre * scale + offset,
        size=np.abs(turn)[:, None] * np.array([box.width, box.height]) * padding * scale,
        roll=np.degrees(np.unwrap(np.arctan2(turn.imag * scale[1], turn.real * scale[0]))),
    )
