"""
Drawn avatars: flat colours, thin lines, eyes that blink, hair over them; nobody's but ours.

Characters are drawn on a canvas twice as large as a still, where lines come out smooth, with the middle of
their eyes and the distance of their outer corners as every still has them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from anchord.demo.film import Pixels
from testing.stills import EYES_AT, EYES_PX, STILL_SIZE, Floats

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]] | Floats

_LARGER = 2
_LINE = (52, 36, 44)


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """
    What a drawn face has.

    Args:
        draw: puts it on a canvas, for lids that are down by a share and hair that swings by some px.
        mouth, eyes: left, top, right, bottom of the parts on the still, px.
    """

    draw: Callable[[Canvas, float, float, float], None]
    mouth: tuple[float, float, float, float]
    eyes: tuple[float, float, float, float]


class Canvas:
    """Shapes in distances of the eyes' corners from the middle of the eyes, right and down."""

    def __init__(self, background: Colour) -> None:
        width, height = STILL_SIZE
        self.pixels = np.full((height * _LARGER, width * _LARGER, 3), background, np.uint8)

    def _at(self, points: Points) -> Floats:
        spots = (np.array(EYES_AT) + np.asarray(points, float) * EYES_PX) * _LARGER - 0.5
        return np.round(spots * 16).astype(np.int32)

    def shape(self, points: Points, fill: Colour | None, line: float = 0.02, colour: Colour = _LINE) -> None:
        """A closed shape through *points*, rounded, with an outline *line* wide."""
        path = self._at(rounded(np.asarray(points, float), closed=True))
        if fill is not None:
            cv2.fillPoly(self.pixels, [path], fill, cv2.LINE_AA, 4)
        if line:
            cv2.polylines(self.pixels, [path], True, colour, self._thick(line), cv2.LINE_AA, 4)

    def stroke(self, points: Points, line: float = 0.02, colour: Colour = _LINE) -> None:
        """An open line through *points*."""
        path = self._at(rounded(np.asarray(points, float), closed=False))
        cv2.polylines(self.pixels, [path], False, colour, self._thick(line), cv2.LINE_AA, 4)

    def oval(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        fill: Colour | None,
        line: float = 0.0,
        colour: Colour = _LINE,
    ) -> None:
        """An ellipse of half axes *w* and *h*."""
        turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        path = self._at(np.stack([x + w * np.cos(turn), y + h * np.sin(turn)], axis=1))
        if fill is not None:
            cv2.fillPoly(self.pixels, [path], fill, cv2.LINE_AA, 4)
        if line:
            cv2.polylines(self.pixels, [path], True, colour, self._thick(line), cv2.LINE_AA, 4)

    def _thick(self, line: float) -> int:
        return max(1, round(line * EYES_PX * _LARGER))


def rounded(points: Floats, *, closed: bool) -> Floats:
    """A smooth line through points: Catmull and Rom's (1974)."""
    n = len(points)
    if n < 3:
        return points
    around = (
        points[np.arange(-1, n + 2) % n]
        if closed
        else np.vstack([points[:1], points, points[-1:], points[-1:]])
    )
    u = np.linspace(0, 1, 12, endpoint=False)[:, None]
    pieces = []
    for i in range(n if closed else n - 1):
        a, b, c, d = around[i : i + 4]
        pieces.append(
            0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)
        )
    return np.vstack(pieces if closed else [*pieces, points[-1:]])


def _mirrored(points: list[tuple[float, float]]) -> Floats:
    """A line down the right side, and back up the left one."""
    right = np.array(points)
    return np.vstack([right, (right * (-1, 1))[::-1]])


def _girl(canvas: Canvas, shut: float, swing: float, mouth: float) -> None:
    """An anime heroine with long hair whose fringe falls into her eyes."""
    hair, shade, skin = (236, 150, 168), (206, 112, 138), (255, 228, 212)
    s = swing / EYES_PX
    canvas.shape(
        _mirrored(
            [(0, -1.35), (0.7, -1.2), (1.08, -0.5), (1.15 + s, 0.6), (1.3 + s, 1.6), (1.1 + 2 * s, 2.6)]
        ),
        shade,
    )
    canvas.shape(_mirrored([(0.18, 1.05), (0.2, 1.5), (0.9, 1.75), (1.3, 2.4), (1.4, 3.6)]), (250, 250, 252))
    canvas.shape(_mirrored([(0.2, 1.0), (0.21, 1.5), (0.0, 1.72)]), (240, 204, 190))
    canvas.shape(
        _mirrored([(0, -1.0), (0.55, -0.85), (0.74, -0.2), (0.7, 0.45), (0.42, 0.95), (0.08, 1.22)]), skin
    )
    for side in (-1, 1):
        canvas.oval(0.45 * side, 0.52, 0.13, 0.055, (255, 198, 188))
        _anime_eye(canvas, side, shut, (92, 148, 214), (38, 62, 120))
        canvas.stroke([(side * 0.2, -0.36), (side * 0.38, -0.42), (side * 0.56, -0.36)], 0.022, shade)
    canvas.stroke([(0.015, 0.42), (0.035, 0.47), (0.0, 0.48)], 0.014, (206, 150, 136))
    _small_mouth(canvas, mouth, 0.78)
    canvas.shape(
        [
            (-0.8, 0.25), (-0.92, -0.5), (-0.6, -1.2), (0, -1.42), (0.6, -1.2), (0.92, -0.5), (0.8, 0.25),
            (0.66 + 0.6 * s, -0.12), (0.56 + s, -0.42), (0.42 + s, 0.14), (0.3 + s, -0.42), (0.1 + s, 0.0),
            (-0.02 + s, -0.46), (-0.24 + s, 0.12), (-0.34 + s, -0.44), (-0.52 + s, 0.12),
            (-0.62 + 0.6 * s, -0.3),
        ],
        hair,
    )  # fmt: skip
    canvas.shape([(-0.5, -0.95), (-0.1, -1.1), (0.3, -1.0), (0.1, -0.92), (-0.3, -0.88)], (250, 190, 202), 0)


def _anime_eye(canvas: Canvas, side: int, shut: float, iris: Colour, dark: Colour) -> None:
    x, y, w = 0.345 * side, 0.1, 0.155
    top = y - 0.2 + 0.33 * shut
    if shut < 0.85:
        upper = [
            (x - w, y + 0.03),
            (x - 0.7 * w, top + 0.05),
            (x, top),
            (x + 0.7 * w, top + 0.05),
            (x + w, y + 0.03),
        ]
        lower = [(x + 0.7 * w, y + 0.15), (x, y + 0.18), (x - 0.7 * w, y + 0.15)]
        white = np.array(upper + lower)
        canvas.shape(white, (252, 252, 255), 0)
        before = canvas.pixels.copy()
        canvas.oval(x, y + 0.0, 0.105, 0.16, iris, 0.012, dark)
        canvas.oval(x, y + 0.02, 0.05, 0.085, dark)
        canvas.oval(x - 0.03, y - 0.07, 0.035, 0.045, (255, 255, 255))
        canvas.oval(x + 0.045, y + 0.09, 0.018, 0.02, (235, 245, 255))
        # What the lids hide of the iris.
        mask = np.zeros(canvas.pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [canvas._at(rounded(white, closed=True))], 255, cv2.LINE_AA, 4)
        share = mask[..., None].astype(np.float32) / 255
        low, high = canvas._at(np.array([(x - 0.3, y - 0.3), (x + 0.3, y + 0.3)])) // 16
        window = (slice(low[1], high[1]), slice(low[0], high[0]))
        part = canvas.pixels[window] * share[window] + before[window] * (1 - share[window])
        canvas.pixels[window] = part.astype(np.uint8)
        canvas.stroke(lower, 0.01)
    lid = min(top, y + 0.12)
    bow = 0.05 if shut < 0.5 else 0.05 - 0.09 * (shut - 0.5) * 2
    canvas.stroke(
        [(x - w - 0.01, lid + 0.05 + bow), (x - 0.6 * w, lid + 0.5 * bow), (x, lid),
         (x + 0.6 * w, lid + 0.5 * bow), (x + w + 0.01, lid + 0.05 + bow)],
        0.036,
    )  # fmt: skip
    canvas.stroke([(x + side * w, lid + 0.05 + bow), (x + side * (w + 0.05), lid + 0.0 + bow)], 0.025)


def _small_mouth(canvas: Canvas, opened: float, y: float) -> None:
    if opened < 0.08:
        canvas.stroke([(-0.13, y - 0.015), (-0.05, y + 0.02), (0.05, y + 0.02), (0.13, y - 0.015)], 0.02)
        return
    down = y + 0.26 * opened
    canvas.shape(
        [
            (-0.13, y - 0.02),
            (0, y),
            (0.13, y - 0.02),
            (0.09, down - 0.02),
            (0, down + 0.02),
            (-0.09, down - 0.02),
        ],
        (166, 62, 70),
        0.016,
    )


def _boy(canvas: Canvas, shut: float, swing: float, mouth: float) -> None:
    """A cartoon with thick lines, dots for eyes and a quiff: hardly a feature in his face."""
    skin, hair, thick = (244, 204, 158), (86, 56, 36), 0.04
    s = swing / EYES_PX
    canvas.shape(_mirrored([(0.25, 1.1), (0.3, 1.5), (1.0, 1.7), (1.3, 3.4)]), (58, 132, 104), thick)
    for side in (-1, 1):
        canvas.oval(0.96 * side, 0.15, 0.17, 0.22, skin, thick)
    canvas.shape(
        _mirrored([(0, -1.05), (0.7, -0.85), (0.95, 0.0), (0.88, 0.7), (0.45, 1.2), (0, 1.32)]), skin, thick
    )
    for side in (-1, 1):
        x = 0.36 * side
        if shut < 0.8:
            canvas.oval(x, 0, 0.14, 0.2 * (1 - 0.8 * shut), (255, 255, 255), 0.03)
            canvas.oval(x + 0.02, 0.02, 0.055, 0.08 * (1 - 0.7 * shut), (30, 26, 30))
        else:
            canvas.stroke([(x - 0.14, 0.0), (x, 0.05), (x + 0.14, 0.0)], 0.04)
        canvas.stroke([(x - 0.16, -0.32), (x, -0.37), (x + 0.16, -0.32)], 0.05, hair)
    canvas.stroke([(-0.02, 0.18), (0.1, 0.36), (-0.02, 0.4)], 0.035, (196, 140, 100))
    _small_mouth(canvas, mouth, 0.78)
    canvas.shape(
        [(-0.98, -0.1), (-1.0, -0.8), (-0.4, -1.35), (0.3 + s, -1.6), (0.75 + s, -1.3), (1.0, -0.7),
         (0.96, -0.1), (0.8, -0.6), (0.3, -0.72), (-0.4, -0.6), (-0.85, -0.62)],
        hair, thick,
    )  # fmt: skip


def _cat(canvas: Canvas, shut: float, swing: float, mouth: float) -> None:
    """A mascot: a cat with stripes and whiskers, which no model of human faces finds."""
    fur, light, stripe = (238, 172, 96), (252, 232, 204), (196, 118, 52)
    s = swing / EYES_PX
    canvas.shape(_mirrored([(0.4, 1.0), (0.8, 1.6), (1.0, 3.4)]), fur, 0.03)
    for side in (-1, 1):
        canvas.shape([(side * 0.45, -0.85), (side * (0.95 + s), -1.65), (side * 1.05, -0.4)], fur, 0.03)
        canvas.shape(
            [(side * 0.58, -0.85), (side * (0.9 + s), -1.35), (side * 0.95, -0.6)], (244, 180, 176), 0
        )
    canvas.shape(
        _mirrored([(0, -1.0), (0.7, -0.85), (1.1, 0.1), (0.95, 0.75), (0.4, 1.15), (0, 1.2)]), fur, 0.03
    )
    canvas.shape(_mirrored([(0, 0.25), (0.38, 0.4), (0.5, 0.8), (0.25, 1.1), (0, 1.14)]), light, 0)
    for x, tilt in ((-0.25, -0.06), (0, 0), (0.25, 0.06)):
        canvas.shape([(x + tilt - 0.06, -0.95), (x + tilt + 0.06, -0.95), (x, -0.45)], stripe, 0)
    for side in (-1, 1):
        for y in (0.3, 0.5):
            canvas.shape([(side * 1.02, y), (side * 0.66, y + 0.05), (side * 1.0, y + 0.11)], stripe, 0)
        x = 0.36 * side
        if shut < 0.85:
            canvas.oval(x, 0, 0.14, 0.17 * (1 - 0.85 * shut), (166, 206, 92), 0.025)
            canvas.oval(x, 0, 0.045, 0.13 * (1 - 0.85 * shut), (22, 26, 20))
            canvas.oval(x - 0.03, -0.05, 0.025, 0.03 * (1 - shut), (255, 255, 255))
        else:
            canvas.stroke([(x - 0.14, -0.02), (x, 0.05), (x + 0.14, -0.02)], 0.03)
        for y in (0.62, 0.72, 0.82):
            canvas.stroke(
                [(side * 0.3, y), (side * 0.8, y - 0.1 + (y - 0.72)), (side * (1.3 + s), y - 0.12)], 0.01
            )
    canvas.shape([(-0.1, 0.42), (0.1, 0.42), (0, 0.54)], (214, 110, 108), 0.02)
    if mouth > 0.08:
        canvas.shape(
            [(-0.14, 0.7), (0, 0.68), (0.14, 0.7), (0.08, 0.74 + 0.25 * mouth), (-0.08, 0.74 + 0.25 * mouth)],
            (150, 56, 60),
            0.018,
        )
    canvas.stroke([(-0.22, 0.66), (-0.1, 0.73), (0, 0.66), (0.1, 0.73), (0.22, 0.66)], 0.02)
    canvas.stroke([(0, 0.54), (0, 0.66)], 0.02)


def _box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    x, y = EYES_AT
    return (x + left * EYES_PX, y + top * EYES_PX, x + right * EYES_PX, y + bottom * EYES_PX)


CHARACTERS = {
    "girl": Character(draw=_girl, mouth=_box(-0.15, 0.72, 0.15, 0.86), eyes=_box(-0.51, -0.12, 0.51, 0.28)),
    "boy": Character(draw=_boy, mouth=_box(-0.15, 0.72, 0.15, 0.86), eyes=_box(-0.5, -0.2, 0.5, 0.2)),
    "cat": Character(draw=_cat, mouth=_box(-0.23, 0.62, 0.23, 0.8), eyes=_box(-0.5, -0.17, 0.5, 0.17)),
}
_BACKGROUND = {"girl": (198, 222, 240), "boy": (250, 232, 180), "cat": (176, 204, 180)}


@functools.lru_cache(maxsize=64)
def character(name: str, shut: float, swing: float, mouth: float) -> Pixels:
    """A drawn character at rest, the size of a still."""
    canvas = Canvas(_BACKGROUND[name])
    # Something behind the head, so that the picture is not empty: a window, a shelf.
    canvas.shape(
        [(-2.2, -2.1), (-1.5, -2.1), (-1.5, 0.4), (-2.2, 0.4)], (226, 240, 250), 0.03, (150, 160, 170)
    )
    canvas.shape([(1.4, -0.6), (2.3, -0.6), (2.3, -0.5), (1.4, -0.5)], (160, 120, 90), 0.02)
    CHARACTERS[name].draw(canvas, shut, swing, mouth)
    return np.asarray(cv2.resize(canvas.pixels, STILL_SIZE, interpolation=cv2.INTER_AREA), np.uint8)
