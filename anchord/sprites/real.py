"""Real frames of a mouth or of eyes, put in place of drawn ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anchord.sprites.clip import Shot, through, undone
from anchord.sprites.colour import matched
from anchord.sprites.reference import Cut
from anchord.sprites.warp import (
    Floats,
    Matrix,
    Points,
    blurred,
    cut_out,
    depth_inside,
    filled,
    grey,
    hull,
    smooth,
)
from anchord.tracking.faces.mesh import LEFT_EYE, LIPS_RIM, RIGHT_EYE
from anchord.tracking.video.player import Pixels

# Skin is compared so far around what moves, and not nearer than that, in distances of the eyes' corners.
_SKIN, _CLEAR = 0.30, 0.05
# Light changes across a face over this much of it, likewise.
_LIGHT = 0.22
# A difference must be that wide to be seen as an edge, likewise, and so large, grey levels. Of 16 mouths on
# six clips the one whose moustache was seen to end had 45, the next 30.
_SEEN, _MOST_GAP = 0.02, 36.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """
    A frame brought onto the reference's cut.

    Args:
        pixels: (height, width, 3).
        points: (478, 2) its own landmarks in it.
    """

    pixels: Floats
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Graft:
    """
    Real frames set into the reference.

    Args:
        pixels: (height, width, 3).
        gap: how much the two differ where one passes into the other, at its worst, grey levels.
    """

    pixels: Floats
    gap: float

    @property
    def fits(self) -> bool:
        """Whether what fades there would not be seen to end: half a moustache, a fold of a cheek."""
        return self.gap < _MOST_GAP


def takes(
    shots: Sequence[Shot], ways: Mapping[int, Matrix], shown: Mapping[int, Pixels], here: Cut
) -> list[Take]:
    """
    Frames brought onto a cut.

    Args:
        shots: which.
        ways: index of a frame -> from px of the cut to px of its video.
        shown: index -> its pixels.
        here: the reference's cut.
    """
    return [
        Take(
            pixels=cut_out(shown[shot.index], ways[shot.index], here.size),
            points=through(undone(ways[shot.index]), shot.face.landmarks),
        )
        for shot in shots
    ]


def grafted(frames: Sequence[Take], here: Cut, calm: Floats, mask: Floats) -> Graft:
    """
    The mean of some frames in the light of the reference, running out into it inside the mask.

    Args:
        frames: that show the same shape.
        here: the reference's cut.
        calm: the same with less noise.
        mask: (height, width) 0–1, what a page shows of it.
    """
    wide = here.eyes_px
    total = np.zeros_like(calm)
    for frame in frames:
        skin = _skin_of(frame, here, mask)
        total += matched(frame.pixels, calm, skin, _LIGHT * wide)
    # The reference's own skin at the mask's edge: nothing that could show gets that far.
    share = smooth((mask - 0.08) / 0.6)[..., None]
    mean = total / len(frames)
    off = np.abs(blurred(grey(mean - calm), _SEEN * wide))
    fades = off[(share[..., 0] > 0.1) & (share[..., 0] < 0.9)]
    return Graft(
        pixels=np.asarray(calm * (1 - share) + mean * share),
        gap=float(np.quantile(fades, 0.99)) if fades.size else 0.0,
    )


def _skin_of(frame: Take, here: Cut, mask: Floats) -> Floats:
    """(height, width) 0–1: skin around what moves, in both pictures."""
    rims = (LIPS_RIM,) if here.part == "mouth" else (RIGHT_EYE, LEFT_EYE)
    moving = np.zeros(mask.shape, bool)
    for rim in rims:
        moving |= (
            filled(hull(np.vstack([frame.points[list(rim)], here.points[list(rim)]])), here.size, 0) > 0.5
        )
    clear = depth_inside(~moving) > _CLEAR * here.eyes_px
    near = depth_inside(mask < 0.5) < _SKIN * here.eyes_px
    return np.asarray(clear & near, np.float32)
