"""
A portrait's own mouth and eyes as sprites: seven visemes, three states of the lids, masks, a manifest.

Lips are moved by thin-plate splines (Bookstein 1989), one for what hangs on the skull and one for what
hangs on the jaw; the teeth are the portrait's own and stay where they are. Lids are the skin above the eye,
drawn down over it. All of it happens in the face's own upright frame, at the place and size that anchord
itself would give the anchors, so the sprites lie on the face without a seam.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anchord.tracking.anchors import PARTS, Placement, anchor_track, plate_motion

#: (height, width, 3) uint8, red first.
Picture = NDArray[np.uint8]
#: (n, 2) float64, pixels.
Points = NDArray[np.float64]
#: float64, any shape.
Floats = NDArray[np.float64]

# Sprite pixels in a portrait pixel, so that a sharp screen gets no blur of ours.
_SHARPNESS = 1.5
# Sprites over anchors: a jaw drops below the lips' box, a lid begins above the opening's.
_COVER = {"mouth": (1.25, 2.1), "eyes": (1.1, 3.0)}

# From the corner on the picture's left to the other, in MediaPipe's face mesh.
_OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
_OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
_INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# Upper and lower rim of an opening, from the picture's left to its right.
_LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    Lips of one viseme. Lengths are in widths of the mouth; from nowhere, look right.

    Args:
        width: of the mouth over the portrait's.
        upper, lower: share of the portrait's opening that this lip closes.
        jaw: how far the lower lip goes down.
        lift: how far the upper lip goes up.
        corners: how far the corners come down, out of the smile.
        light: how bright teeth are inside.
        tongue: how high its tip stands in the opening, 0–1; None where it is not seen.
    """

    width: float = 1.0
    upper: float = 0.0
    lower: float = 0.0
    jaw: float = 0.0
    lift: float = 0.0
    corners: float = 0.0
    light: float = 1.0
    tongue: float | None = None


VISEMES = {
    "REST": Shape(width=0.93, upper=0.46, lower=0.56, corners=0.015, light=0.3),
    "AA": Shape(width=0.87, jaw=0.19, lift=0.02, corners=0.055, light=0.82, tongue=0.3),
    "EE": Shape(width=1.0, lower=0.1),
    "OH": Shape(width=0.68, jaw=0.13, corners=0.075, light=0.62, tongue=0.22),
    "OO": Shape(width=0.55, upper=0.4, lower=0.26, jaw=0.03, corners=0.07, light=0.28),
    "FF": Shape(width=0.9, upper=-0.05, lower=0.62, corners=0.025),
    "TH": Shape(width=0.9, upper=0.1, jaw=0.06, corners=0.03, light=0.92, tongue=0.62),
}
LIDS = {"open": 0.0, "half": 0.5, "closed": 0.96}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One part of the portrait, upright and sharp, and the landmarks in it."""

    pixels: Floats
    points: Points
    anchor: dict[str, float]


def write_sprites(
    folder: Path,
    portrait: Picture,
    landmarks: Points,
    *,
    avatar_id: str,
    display_name: str,
    video: str = "idle.webm",
    mouth_padding: float = 1.5,
    eyes_padding: float = 1.3,
) -> None:
    """
    Make *folder* a pack that wears the portrait's own face; the video and its timeline come from elsewhere.

    Args:
        folder: exists; files of the same names are replaced.
        portrait: the whole picture, in target pixels.
        landmarks: (478, 2) MediaPipe's, in pixels of the portrait.
        avatar_id: the pack's.
        display_name: for people.
        video: the idle video's file name.
        mouth_padding: as in the settings the video is tracked with.
        eyes_padding: likewise.
    """
    height, width = portrait.shape[:2]
    mouth = _cut(portrait, landmarks, "mouth", mouth_padding)
    eyes = _cut(portrait, landmarks, "eyes", eyes_padding)
    cells = [_speaking(mouth, shape) for shape in VISEMES.values()]
    _write(folder / "base_face.png", portrait)
    _write(folder / "mouth_sprites.png", np.concatenate(cells, axis=1))
    _write(folder / "mouth_mask.png", _mouth_mask(mouth))
    for state, closed in LIDS.items():
        _write(folder / f"eyes_{state}.png", _lidded(eyes, closed))
    _write(folder / "eyes_mask.png", _eyes_mask(eyes))
    manifest = {
        "id": avatar_id,
        "displayName": display_name,
        "version": "1.0.0",
        "base": {
            "type": "image",
            "src": "base_face.png",
            "width": width,
            "height": height,
            "idleVideo": video,
        },
        "mouth": {
            "spritesheet": "mouth_sprites.png",
            "mask": "mouth_mask.png",
            "frameWidth": mouth.pixels.shape[1],
            "frameHeight": mouth.pixels.shape[0],
            "visemes": list(VISEMES),
            "anchor": mouth.anchor,
            "cover": dict(zip("wh", _COVER["mouth"], strict=True)),
            "featherPx": 6,
            "blendMode": "normal",
        },
        "eyes": {
            "frames": {state: f"eyes_{state}.png" for state in LIDS},
            "mask": "eyes_mask.png",
            "anchor": eyes.anchor,
            "cover": dict(zip("wh", _COVER["eyes"], strict=True)),
            "pupil": {"enabled": True, "maxOffsetX": 4, "maxOffsetY": 2},
            "featherPx": 6,
            "blendMode": "normal",
        },
        "mapping": {viseme: viseme for viseme in VISEMES},
        "microMotion": {
            "enabled": True,
            "headBobAmplitude": 1.5,
            "headBobFrequency": 0.2,
            "breathingScale": 0.003,
            "breathingFrequency": 0.25,
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _cut(portrait: Picture, landmarks: Points, part: str, padding: float) -> Cut:
    plate, motion = plate_motion(landmarks[None])
    here = Placement(scale=(1.0, 1.0), offset=(0.0, 0.0))
    track = anchor_track(plate, motion, PARTS[part], padding, here)
    centre, (w, h), roll = track.centre[0], track.size[0].tolist(), float(track.roll[0])
    size = np.ceil(np.array([w, h]) * _COVER[part] * _SHARPNESS)
    # What ceil added must not stretch the sprite: the scale is the sprite's own, a little over _SHARPNESS.
    scale = size / (np.array([w, h]) * _COVER[part])
    turn = np.radians(roll)
    upright = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * scale[:, None]
    shift = size / 2 - upright @ centre
    # A pixel's middle is at a half in our coordinates and at a whole number in OpenCV's.
    matrix = np.hstack([upright, (shift - 0.5 + upright @ (0.5, 0.5))[:, None]])
    pixels = cv2.warpAffine(
        portrait,
        matrix,
        tuple(size.astype(int).tolist()),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Cut(
        pixels=pixels.astype(np.float64),
        points=landmarks @ upright.T + shift,
        anchor={
            "x": round(float(centre[0]) - w / 2, 2),
            "y": round(float(centre[1]) - h / 2, 2),
            "w": round(w, 2),
            "h": round(h, 2),
            "roll": round(roll, 3),
        },
    )


def _speaking(cut: Cut, shape: Shape) -> Floats:
    """The mouth of *cut* with its lips in *shape*."""
    height, width = cut.pixels.shape[:2]
    outer_upper, outer_lower, inner_upper, inner_lower = (
        cut.points[list(rim)] for rim in (_OUTER_UPPER, _OUTER_LOWER, _INNER_UPPER, _INNER_LOWER)
    )
    corners = outer_upper[[0, -1]]
    middle = corners.mean(axis=0)
    size = float(np.ptp(corners[:, 0]))
    opening = np.maximum(inner_lower[:, 1] - inner_upper[:, 1], 0.0)

    def moved(rim: Points, fall: Floats, closing: Floats) -> Points:
        across = np.clip((rim[:, 0] - middle[0]) / (size / 2), -1, 1)
        narrow = middle[0] + (rim[:, 0] - middle[0]) * shape.width
        # The corners come down with the square of the way to them: a smile is about a parabola.
        return np.stack([narrow, rim[:, 1] + shape.corners * size * across**2 + fall + closing], axis=1)

    bulge = 1 - np.clip((inner_upper[:, 0] - middle[0]) / (size / 2), -1, 1) ** 2
    up, down = -shape.lift * size * bulge, shape.jaw * size * bulge
    to_inner_upper = moved(inner_upper, up, shape.upper * opening)
    to_inner_lower = moved(inner_lower, down, -shape.lower * opening)
    # Lips are soft: their outer rims follow, but less far.
    to_outer_upper = moved(outer_upper, 0.8 * up, 0.4 * shape.upper * opening)
    to_outer_lower = moved(outer_lower, 0.9 * down, -0.45 * shape.lower * opening)
    # The skin at the cell's rim stays, or the sprite's edge would show.
    x, y = np.linspace(0, width, 9), np.linspace(0, height, 7)
    rim = np.array([(a, b) for a in x for b in y if a in (x[0], x[-1]) or b in (y[0], y[-1])])
    skull = _spline(
        np.vstack([to_outer_upper, to_inner_upper, rim]), np.vstack([outer_upper, inner_upper, rim])
    )
    jaw = _spline(
        np.vstack([to_outer_lower, to_inner_lower, rim]), np.vstack([outer_lower, inner_lower, rim])
    )

    grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    left, right = to_outer_upper[0], to_outer_upper[-1]
    line = np.interp(
        grid[0, :, 0],
        np.concatenate([[left[0]], to_inner_upper[:, 0], [right[0]]]),
        np.concatenate([[left[1]], (to_inner_upper[:, 1] + to_inner_lower[:, 1]) / 2, [right[1]]]),
    )
    # Between the corners the lips part at a line; beside them skin passes into skin.
    beside = np.maximum(0, np.maximum(left[0] - grid[..., 0], grid[..., 0] - right[0]))
    lower = _smooth((grid[..., 1] - line) / (1.2 + 0.9 * beside) / 2 + 0.5)[..., None]
    where = (1 - lower) * _everywhere(skull, grid) + lower * _everywhere(jaw, grid)
    face = _sample(cut.pixels, where)

    hole = _filled(np.vstack([to_inner_upper, to_inner_lower[::-1]]), (height, width))[..., None]
    inside = _inside(cut, shape, grid, to_inner_upper, to_inner_lower)
    return face * (1 - hole) + inside * hole


def _inside(cut: Cut, shape: Shape, grid: Floats, upper: Points, lower: Points) -> Floats:
    """What is seen between the lips: the portrait's own teeth, the dark behind them, perhaps a tongue."""
    height, width = cut.pixels.shape[:2]
    x, y = grid[..., 0], grid[..., 1]
    top = np.interp(x, upper[:, 0], upper[:, 1])
    bottom = np.maximum(np.interp(x, lower[:, 0], lower[:, 1]), top + 1e-3)
    depth = np.clip((y - top) / (bottom - top), 0, 1)
    middle, half = (upper[0, 0] + upper[-1, 0]) / 2, max((upper[-1, 0] - upper[0, 0]) / 2, 1.0)
    across = np.clip(np.abs(x - middle) / half, 0, 1)
    dark = np.array([52.0, 17, 19]) * (1 - 0.45 * depth[..., None]) + 4

    if shape.tongue is not None:
        tall = float((bottom - top).max())
        centre_y = float(bottom[:, int(middle)].max()) - shape.tongue * tall * 0.35
        reach = ((x - middle) / (0.62 * half)) ** 2 + ((y - centre_y) / (0.55 * shape.tongue * tall + 3)) ** 2
        tongue = _smooth(1.6 - reach)[..., None] * 0.9
        flesh = np.array([176.0, 92, 90]) * (1.05 - 0.35 * reach.clip(0, 1)[..., None])
        dark = dark * (1 - tongue) + flesh * tongue

    rim = np.vstack([cut.points[list(_INNER_UPPER)], cut.points[list(_INNER_LOWER)][::-1]])
    teeth = _filled(rim, (height, width), soften=1.5)[..., None]
    # The upper lip throws a shadow, and the corners lie in the dark.
    light = shape.light * (0.62 + 0.38 * _smooth((y - top) / (5 * _SHARPNESS))) * (1 - 0.45 * across**3)
    # In the dark teeth turn warm, never grey: what light there is has been through lips and cheeks.
    warm = light[..., None] ** np.array([0.85, 1.05, 1.25])
    inside: Floats = dark * (1 - teeth) + cut.pixels * warm * teeth
    return inside


def _lidded(cut: Cut, closed: float) -> Floats:
    """The eyes of *cut* with the upper lids let down to *closed* (0–1) of the opening."""
    height, width = cut.pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    from_y = y.copy()
    shade = np.ones_like(y)
    for upper_rim, lower_rim in _LIDS:
        upper, lower = cut.points[list(upper_rim)], cut.points[list(lower_rim)]
        left, right = upper[0, 0], upper[-1, 0]
        eye_height = float((lower[:, 1] - upper[:, 1]).max())
        lid = _curve(x[0], upper)
        floor = np.maximum(_curve(x[0], lower), lid)
        edge = lid + closed * (floor - lid)
        # The lashes' line travels with the lid; what is stretched is the skin between them and the crease.
        lashes = lid - 0.22 * eye_height
        crease = lid - 0.75 * eye_height
        edge_lashes = edge - 0.22 * eye_height
        is_eye = (x > left) & (x < right) & (closed > 0)
        on_lid = is_eye & (y > crease) & (y <= edge_lashes)
        on_lashes = is_eye & (y > edge_lashes) & (y <= edge)
        stretched = crease + (y - crease) * (lashes - crease) / np.maximum(edge_lashes - crease, 1e-3)
        from_y = np.where(on_lid, stretched, np.where(on_lashes, y - (edge - lid), from_y))
        # A lid is round: it catches light in its middle and turns away from it at the lashes.
        along = np.clip((y - crease) / np.maximum(edge - crease, 1e-3), 0, 1)
        drawn = np.clip((edge - lid) / eye_height, 0, 1)
        shade = np.where(on_lid, 1 + drawn * (0.05 * np.sin(np.pi * along) - 0.07 * along**4), shade)
    lidded = _sample(cut.pixels, np.stack([x, from_y], axis=-1)) * shade[..., None]
    # The seam between stretched and still skin is a line of one pixel; soften it and nothing else.
    changed = cv2.GaussianBlur((np.abs(from_y - y) > 0.3).astype(np.float64), (0, 0), 1.2)[..., None]
    soft = cv2.GaussianBlur(lidded, (0, 0), 0.7)
    mixed: Floats = lidded * (1 - changed) + soft * changed
    return mixed


def _mouth_mask(cut: Cut) -> Floats:
    height, width = cut.pixels.shape[:2]
    left, right = cut.points[61], cut.points[291]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    middle = (left + right) / 2
    # Nostrils are none of the mouth's business: less above the lips than below.
    above, below = 0.42 * (right[0] - left[0]), 0.98 * (height - middle[1])
    reach = ((x - middle[0]) / (0.47 * width)) ** 2 + (
        (y - middle[1]) / np.where(y < middle[1], above, below)
    ) ** 2
    return _grey(_smooth((1 - reach) * 2.4))


def _eyes_mask(cut: Cut) -> Floats:
    height, width = cut.pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    mask = np.zeros((height, width))
    for upper_rim, lower_rim in _LIDS:
        rim = np.vstack([cut.points[list(upper_rim)], cut.points[list(lower_rim)]])
        middle = (rim.min(axis=0) + rim.max(axis=0)) / 2
        w, h = np.ptp(rim, axis=0)
        reach = ((x - middle[0]) / (0.72 * w)) ** 2 + ((y - middle[1] + 0.2 * h) / (1.75 * h)) ** 2
        mask = np.maximum(mask, _smooth((1 - reach) * 2.2))
    return _grey(mask)


def _spline(at: Points, to: Points) -> Any:
    """The smoothest map with *at* -> *to*: a thin-plate spline, as a function of (..., 2) points."""
    # Rims share their corners, and a point twice has no solution.
    _, first = np.unique(at.round(3), axis=0, return_index=True)
    at, to = at[first], to[first]
    n = len(at)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _bend(at, at)
    system[:n, n:] = np.hstack([np.ones((n, 1)), at])
    system[n:, :n] = system[:n, n:].T
    weights = np.linalg.solve(system, np.vstack([to - at, np.zeros((3, 2))]))

    def moved(points: Floats) -> Floats:
        flat = points.reshape(-1, 2)
        shift = _bend(flat, at) @ weights[:n] + np.hstack([np.ones((len(flat), 1)), flat]) @ weights[n:]
        result: Floats = (flat + shift).reshape(points.shape)
        return result

    return moved


def _everywhere(move: Any, grid: Floats) -> Floats:
    """*move* over a whole *grid* of (height, width, 2), worked out at every 4th point: it is smooth."""
    height, width = grid.shape[:2]
    rows, columns = -(-height // 4), -(-width // 4)
    coarse = np.stack(
        np.meshgrid((np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows),
        axis=-1,
    )
    shift: Floats = cv2.resize(move(coarse) - coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return grid + shift


def _bend(a: Points, b: Points) -> Floats:
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
    bend: Floats = squared * np.log(np.maximum(squared, 1e-12))
    return bend


def _curve(x: Floats, rim: Points) -> Floats:
    """Height of a lid at *x*: the parabola-like polynomial through its rim, which landmarks only hint at."""
    middle, half = (rim[0, 0] + rim[-1, 0]) / 2, (rim[-1, 0] - rim[0, 0]) / 2
    chord = np.interp(x, [rim[0, 0], rim[-1, 0]], [rim[0, 1], rim[-1, 1]])
    u = (rim[:, 0] - middle) / half
    v = np.clip((x - middle) / half, -1, 1)
    rise = rim[:, 1] - np.interp(rim[:, 0], [rim[0, 0], rim[-1, 0]], [rim[0, 1], rim[-1, 1]])
    basis = np.stack([1 - u**2, (1 - u**2) * u, (1 - u**2) * u**2], axis=1)
    fitted = np.linalg.lstsq(basis, rise, rcond=None)[0]
    result: Floats = chord + np.stack([1 - v**2, (1 - v**2) * v, (1 - v**2) * v**2], axis=1) @ fitted
    return result


def _sample(pixels: Floats, where: Floats) -> Floats:
    at = (where - 0.5).astype(np.float32)
    sampled: Floats = cv2.remap(
        pixels, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return sampled


def _filled(polygon: Points, size: tuple[int, int], soften: float = 0.9) -> Floats:
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.round((polygon - 0.5) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    blurred: Floats = cv2.GaussianBlur(mask.astype(np.float64) / 255, (0, 0), soften)
    return blurred


def _smooth(value: Floats) -> Floats:
    """0 below 0, 1 above 1, and a soft way between."""
    clipped = np.clip(value, 0, 1)
    result: Floats = clipped * clipped * (3 - 2 * clipped)
    return result


def _grey(opacity: Floats) -> Floats:
    return np.repeat(opacity[..., None] * 255, 3, axis=2)


def _write(path: Path, pixels: NDArray[Any]) -> None:
    whole = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), cv2.cvtColor(whole, cv2.COLOR_RGB2BGR))
