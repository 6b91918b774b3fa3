"""
The reference's own lips, moved into the shapes of speech.

Thin-plate splines move them, one for what hangs on the skull and one for what hangs on the jaw, and nothing
beyond the mask: there the skin stays where it is, so that no edge can show. Shapes are measured in widths of
the mouth, from lips that are shut: so it does not matter whether the reference smiles, speaks or is at rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from anchord.sprites.inside import Inside, painted
from anchord.sprites.visemes import Shape
from anchord.sprites.warp import Floats, Points, everywhere, filled, grid_of, sampled, smooth, spline

# From the corner on the picture's left to the other, in MediaPipe's face mesh.
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# Where the lips of an open mouth meet: so much of the way is the upper one's.
_UPPER_SHARE = 0.35
# A relaxed mouth over the distance of the eyes' corners, at most; what is wider smiles.
_RELAXED = 0.60
# Lips this far apart, in widths, show what is behind them.
_PARTED = 0.035
# Lips are taken from so far inside their rims then, in widths: landmarks lie on the teeth's edge.
_BITTEN = 0.02
# The nose does not speak: its wings and its base.
_NOSE = (2, 97, 326, 98, 327, 64, 294)
# Between the lower lip and the chin's end, about where the mask has its foot.
_CHIN, _CHIN_END = (18, 83, 313, 200), 152
# Skin there is pressed together to no less than the rest of this share of its height, or it would fold.
_PRESSED = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Mouth:
    """
    The reference's mouth, ready to be moved.

    Args:
        pixels: (height, width, 3) the cut.
        points: (478, 2) landmarks in it.
        still: (n, 2) points that stay where they are: the edge of the mask.
        inside: what is behind the lips.
    """

    pixels: Floats
    points: Points
    still: Points
    inside: Inside

    @property
    def width(self) -> float:
        """Of the mouth as it is, px."""
        return float(np.linalg.norm(self.points[291] - self.points[61]))

    @property
    def relaxed(self) -> float:
        """Of the mouth were it at rest, px."""
        return relaxed(self.points)

    @property
    def is_parted(self) -> bool:
        """Whether teeth or the dark behind them can be seen."""
        return float(self.points[14, 1] - self.points[13, 1]) > _PARTED * self.width


def relaxed(points: Points) -> float:
    """How wide a mouth would be at rest, px: what is wider smiles."""
    width = float(np.linalg.norm(points[291] - points[61]))
    return min(width, _RELAXED * float(np.linalg.norm(points[263] - points[33])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rims:
    """Both lips, each rim 11 points from left to right."""

    outer_upper: Points
    outer_lower: Points
    inner_upper: Points
    inner_lower: Points
    #: Where the lips would meet.
    line: Points

    @classmethod
    def of(cls, points: Points) -> Rims:
        """As they are."""
        upper, lower = points[list(INNER_UPPER)], points[list(INNER_LOWER)]
        line = upper + _UPPER_SHARE * np.maximum(lower - upper, 0) * (0, 1)
        line[:, 0] = (upper[:, 0] + lower[:, 0]) / 2
        return cls(
            outer_upper=points[list(OUTER_UPPER)],
            outer_lower=points[list(OUTER_LOWER)],
            inner_upper=upper,
            inner_lower=np.stack([lower[:, 0], np.maximum(lower[:, 1], upper[:, 1])], axis=1),
            line=line,
        )

    def bitten(self, by: float) -> Rims:
        """The same with inner rims that lie *by* px inside the lips, so that no tooth is taken for lip."""
        return replace(
            self,
            inner_upper=self.inner_upper - np.array([0, by]),
            inner_lower=self.inner_lower + np.array([0, by]),
        )

    def all(self) -> tuple[Points, Points]:
        """Upper and lower lip, both rims of each."""
        return (
            np.vstack([self.outer_upper, self.inner_upper]),
            np.vstack([self.outer_lower, self.inner_lower]),
        )


def shaped(mouth: Mouth, shape: Shape) -> Rims:
    """Where the rims go for a shape."""
    now = Rims.of(mouth.points)
    corners = now.outer_upper[[0, -1]]
    middle = corners.mean(axis=0)
    half = float(np.ptp(corners[:, 0])) / 2
    unit = mouth.relaxed
    # At rest, a mouth that smiles goes on smiling.
    wide = mouth.width if shape.opening == 0 else unit
    narrow = shape.width * wide / max(2 * half, 1.0)
    smile = (1 - shape.smile) * float(now.line[5, 1] - now.line[[0, -1], 1].mean())

    def across(rim: Points) -> Floats:
        return np.asarray(np.clip((rim[:, 0] - middle[0]) / half, -1, 1))

    def slid(rim: Points) -> Floats:
        return np.asarray(middle[0] + (rim[:, 0] - middle[0]) * narrow)

    u = across(now.line)
    # The corners come down out of a smile with the square of the way to them: it is about a parabola.
    line_y = now.line[:, 1] + np.maximum(smile, 0) * u**2
    # About an ellipse, as a jaw draws it; the corners themselves hold.
    gap = shape.opening * unit * np.clip(1 - (u / shape.reach) ** 2, 0, 1) ** 0.66
    gap[[0, -1]] = 0
    upper_y, lower_y = line_y - shape.lift * gap, line_y + (1 - shape.lift) * gap
    thickness = (
        (now.outer_upper[:, 1] - now.inner_upper[:, 1]) * _eased(shape.thick[0], u),
        (now.outer_lower[:, 1] - now.inner_lower[:, 1]) * _eased(shape.thick[1], u),
    )
    return Rims(
        outer_upper=np.stack([slid(now.outer_upper), upper_y + thickness[0]], axis=1),
        outer_lower=np.stack([slid(now.outer_lower), lower_y + thickness[1]], axis=1),
        inner_upper=np.stack([slid(now.inner_upper), upper_y], axis=1),
        inner_lower=np.stack([slid(now.inner_lower), lower_y], axis=1),
        line=np.stack([slid(now.line), line_y], axis=1),
    )


def _eased(thick: float, u: Floats) -> Floats:
    """A lip's height grows in its middle; its corners stay as thin as they are."""
    return np.asarray(1 + (thick - 1) * (1 - u**2))


def speaking(mouth: Mouth, shape: Shape) -> Floats:
    """The cut with its lips in *shape*."""
    if shape.opening == 0 and not mouth.is_parted:
        return mouth.pixels  # nothing could look more like this face at rest
    now, to = Rims.of(mouth.points), shaped(mouth, shape)
    if mouth.is_parted:
        now = now.bitten(_BITTEN * mouth.relaxed)
    size = (mouth.pixels.shape[1], mouth.pixels.shape[0])
    still = np.vstack([mouth.still, mouth.points[list(_NOSE)]])
    (upper_now, lower_now), (upper_to, lower_to) = now.all(), to.all()
    chin = mouth.points[list(_CHIN)]
    lip_y = float(now.outer_lower[5, 1])
    room = max(float(mouth.points[_CHIN_END, 1]) - lip_y, 1.0)
    fall = float(to.outer_lower[5, 1]) - lip_y
    if fall > _PRESSED * room:
        to = shaped(mouth, replace(shape, opening=shape.opening * _PRESSED * room / fall))
        (upper_to, lower_to), fall = to.all(), float(to.outer_lower[5, 1]) - lip_y
    # All of it is pressed together alike.
    chin_to = chin.copy()
    chin_to[:, 1] += fall * np.clip(1 - (chin[:, 1] - lip_y) / room, 0, 1)
    skull = spline(np.vstack([upper_to, still]), np.vstack([upper_now, still]))
    jaw = spline(np.vstack([lower_to, chin_to, still]), np.vstack([lower_now, chin, still]))

    grid = grid_of(size)
    left, right = to.outer_upper[0], to.outer_upper[-1]
    parts_at = np.interp(
        grid[0, :, 0],
        np.concatenate([[left[0]], to.inner_upper[1:-1, 0], [right[0]]]),
        np.concatenate([[left[1]], ((to.inner_upper + to.inner_lower)[1:-1, 1]) / 2, [right[1]]]),
    )
    # Between the corners the lips part at a line; beside them skin passes into skin.
    beside = np.maximum(0, np.maximum(left[0] - grid[..., 0], grid[..., 0] - right[0]))
    below = smooth((grid[..., 1] - parts_at) / (1.2 + 0.9 * beside) / 2 + 0.5)[..., None]
    where = (1 - below) * everywhere(skull, grid) + below * everywhere(jaw, grid)
    face = sampled(mouth.pixels, where)
    if shape.opening == 0:
        # Where lips touch there is a line, and none of the teeth that were there.
        touch = filled(
            np.vstack([to.line - np.array([0, 0.6]), to.line[::-1] + np.array([0, 0.6])]), size, 0.9
        )[..., None]
        return np.asarray(face * (1 - 0.7 * touch) + 0.55 * mouth.inside.flesh * 0.7 * touch)
    hole = filled(np.vstack([to.inner_upper, to.inner_lower[::-1]]), size, 0.8)[..., None]
    return face * (1 - hole) + painted(mouth.inside, shape, to.inner_upper, to.inner_lower, grid) * hole
