"""
Boxes, words and sprites on pictures. The only room of this wing that knows OpenCV.

Coordinates count from a picture's edge, as in ``sprites/warp.py``.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from anchord.reading import Values
from anchord.sprites.warp import Floats, Matrix, cut_out

Pixels: TypeAlias = NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]

#: What each thing is drawn in, red first. Told apart in grey too: mouth is darker than eyes.
COLOURS: dict[str, Colour] = {
    "mouth": (60, 220, 90),
    "eyes": (70, 220, 240),
    "hidden": (255, 90, 80),
    "bridged": (255, 190, 60),
    "paper": (24, 27, 32),
    "ink": (236, 238, 241),
    "faint": (150, 156, 166),
    "none": (62, 68, 78),
}

# Positions are handed to OpenCV in sixteenths of a pixel.
_FINE = 4
# A cross is an eighth of its box, and never so small or large, px.
_CROSS_PX = (5.0, 16.0)


def shown(pixels: Pixels, matrix: Matrix, size: tuple[int, int]) -> Pixels:
    """
    (height, width, 3) a frame as it lies in a picture of *size* (width, height).

    Args:
        pixels: the frame.
        matrix: from pixels of the picture to pixels of the frame.
        size: of the picture.
    """
    if size == pixels.shape[1::-1] and np.allclose(matrix, np.eye(2, 3)):
        return pixels.copy()
    found = cut_out(pixels, matrix, size, outside=COLOURS["paper"][0])
    return np.asarray(np.clip(np.round(found), 0, 255), np.uint8)


def boxed(canvas: Pixels, place: Values, colour: Colour, *, is_dashed: bool = False, width: int = 2) -> None:
    """Draw an anchor in place: its turned box, and a cross at the point the overlay is pinned to."""
    cx, cy, w, h, roll = place
    turn = _turn(roll)
    corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2 @ turn.T + (cx, cy)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        _line(canvas, start, end, colour, width, is_dashed)
    arm = min(max(max(w, h) / 8, _CROSS_PX[0]), _CROSS_PX[1])
    for way in ((arm, 0.0), (0.0, arm)):
        middle, along = np.array([cx, cy]), turn @ np.array(way)
        _line(canvas, middle - along, middle + along, colour, width, False)


def written(canvas: Pixels, text: str, at: tuple[int, int], colour: Colour, size: float = 0.45) -> int:
    """
    Write a line in place, its lower left corner *at*; letters that the font lacks show as ``?``.

    Returns:
        where it ends, px from the left.
    """
    line = text.encode("ascii", "replace").decode()
    weight = 2 if size >= 0.7 else 1
    cv2.putText(canvas, line, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, weight, cv2.LINE_AA)
    return at[0] + int(cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, size, weight)[0][0])


def laid_over(canvas: Pixels, sprite: Floats, opacity: Floats, place: Values) -> None:
    """
    Lay a sprite over a picture, in place.

    Args:
        canvas: (height, width, 3).
        sprite: (h, w, 3) 0–255.
        opacity: (h, w) 0–1.
        place: where its middle comes, how wide and high it is then, px, and its turn, degrees clockwise.
    """
    cx, cy, w, h, roll = place
    height, width = sprite.shape[:2]
    to_canvas = np.zeros((2, 3))
    to_canvas[:, :2] = _turn(roll) @ np.diag([w / width, h / height])
    reach = math.hypot(w, h) / 2 + 1
    left, top = max(0, math.floor(cx - reach)), max(0, math.floor(cy - reach))
    right = min(canvas.shape[1], math.ceil(cx + reach))
    bottom = min(canvas.shape[0], math.ceil(cy + reach))
    if left >= right or top >= bottom:
        return
    # OpenCV counts from pixels' middles.
    middle = np.array([width / 2, height / 2]) - 0.5
    to_canvas[:, 2] = np.array([cx - left, cy - top]) - 0.5 - to_canvas[:, :2] @ middle
    stack = np.dstack([sprite * opacity[..., None], opacity * 255]).astype(np.float32)
    moved = cv2.warpAffine(stack, to_canvas, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    under = canvas[top:bottom, left:right]
    mixed = under * (1 - moved[..., 3:] / 255) + moved[..., :3]
    under[:] = np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def feathered(opacity: Floats, px: float) -> Floats:
    """(h, w) 0–1 softened over about *px* pixels and run out towards the rim, as the page does it."""
    radius = math.floor(px / 2 + 0.5)
    soft = opacity.astype(np.float32)
    for _ in range(3 if radius > 0 else 0):
        side = (2 * radius + 1, 2 * radius + 1)
        soft = np.asarray(cv2.blur(soft, side, borderType=cv2.BORDER_REPLICATE))
    if px <= 0:
        return soft
    height, width = soft.shape
    y, x = np.mgrid[:height, :width]
    rim = np.minimum.reduce([x, y, width - 1 - x, height - 1 - y]) + 0.5
    return np.asarray(soft * np.minimum(1, rim / px))


def decoded(content: bytes) -> Pixels | None:
    """(h, w, 4) a picture with its opacity, red first; None for what is no picture, or too large a one."""
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError):
        return None
    if found is None or found.dtype != np.uint8:
        return None
    codes = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
    channels = 1 if found.ndim == 2 else found.shape[2]
    return np.asarray(cv2.cvtColor(found, codes[channels]), np.uint8) if channels in codes else None


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """A picture as JPEG."""
    done, content = cv2.imencode(
        ".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise MemoryError
    return bytes(content)


def _turn(roll: float) -> Floats:
    angle = math.radians(roll)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _line(canvas: Pixels, start: Floats, end: Floats, colour: Colour, width: int, is_dashed: bool) -> None:
    pieces = [(0.0, 1.0)]
    if is_dashed:
        count = max(2, round(float(np.hypot(*(end - start))) / 10))
        pieces = [(i / count, (i + 0.55) / count) for i in range(count)]
    for a, b in pieces:
        ends = (start + a * (end - start), start + b * (end - start))
        # A hostile timeline's numbers are finite, but may be far beyond what OpenCV draws.
        first, last = (
            tuple(np.clip(np.round((point - 0.5) * (1 << _FINE)), -(1 << 20), 1 << 20).astype(int).tolist())
            for point in ends
        )
        cv2.line(canvas, first, last, colour, width, cv2.LINE_AA, _FINE)
