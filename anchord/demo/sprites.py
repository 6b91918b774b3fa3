"""
A portrait's own mouth and eyes as sprites: seven visemes, three states of the lids, masks, a manifest.

Lids are the skin above the eye, drawn down over it; lips have a room of their own. All of it happens in the
face's own upright frame, at the place and size that anchord itself would give the anchors, so the sprites
lie on the face without a seam.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anchord.demo.lips import VISEMES, speaking
from anchord.demo.warp import Floats, Points, sampled, smooth
from anchord.tracking.anchors import Placement, anchor_track, curve, tight_box
from anchord.tracking.faces.mesh import OPENED, PARTS
from anchord.tracking.motion.registration import plate_motion
from anchord.tracking.motion.similarity import points

#: (height, width, 3) uint8, red first.
Picture = NDArray[np.uint8]

# Sprite pixels in a portrait pixel, so that a sharp screen gets no blur of ours.
_SHARPNESS = 1.5
# Sprites over tracked boxes: a jaw drops below the lips' box, a lid begins above the opening's.
_COVER = {"mouth": (1.25, 2.1), "eyes": (1.1, 3.0)}

# Upper and lower rim of an opening, from the picture's left to its right.
_LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)


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
    cells = [speaking(mouth.pixels, mouth.points, shape, _SHARPNESS) for shape in VISEMES.values()]
    _write(folder / "base_face.png", portrait)
    _write(folder / "mouth_sprites.png", np.concatenate(cells, axis=1))
    _write(folder / "mouth_mask.png", _mouth_mask(mouth))
    for state, closed in LIDS.items():
        _write(folder / f"eyes_{state}.png", lidded(eyes.pixels, eyes.points, closed))
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
            "featherPx": 6,
            "blendMode": "normal",
        },
        "eyes": {
            "frames": {state: f"eyes_{state}.png" for state in LIDS},
            "mask": "eyes_mask.png",
            "anchor": eyes.anchor,
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
    # A clip of one frame, so that the sprite gets the very anchor that a timeline would give it.
    clip = points(landmarks)[None]
    _, motion = plate_motion(clip)
    box = tight_box(clip, motion, PARTS[part].tight, least=OPENED.get(part))
    here = Placement(scale=(1.0, 1.0), offset=(0.0, 0.0))
    track = anchor_track(curve(motion, box.middle), box, padding, here)
    centre, (w, h), roll = track.centre[0], track.size[0].tolist(), float(track.roll[0])
    covered = np.array([w, h]) * _COVER[part]
    size = np.ceil(covered * _SHARPNESS)
    # What ceil added must not stretch the sprite: the scale is the sprite's own, a little over _SHARPNESS.
    scale = size / covered
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
            "x": round(float(centre[0] - covered[0] / 2), 2),
            "y": round(float(centre[1] - covered[1] / 2), 2),
            "w": round(float(covered[0]), 2),
            "h": round(float(covered[1]), 2),
            "roll": round(roll, 3),
        },
    )


def lidded(pixels: Floats, points: Points, closed: float) -> Floats:
    """Eyes, with their landmarks, with the upper lids let down to *closed* (0–1) of the opening."""
    height, width = pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    from_y = y.copy()
    shade = np.ones_like(y)
    for upper_rim, lower_rim in _LIDS:
        upper, lower = points[list(upper_rim)], points[list(lower_rim)]
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
    lidded = sampled(pixels, np.stack([x, from_y], axis=-1)) * shade[..., None]
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
    return _grey(smooth((1 - reach) * 2.4))


def _eyes_mask(cut: Cut) -> Floats:
    height, width = cut.pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    mask = np.zeros((height, width))
    for upper_rim, lower_rim in _LIDS:
        rim = np.vstack([cut.points[list(upper_rim)], cut.points[list(lower_rim)]])
        middle = (rim.min(axis=0) + rim.max(axis=0)) / 2
        w, h = np.ptp(rim, axis=0)
        reach = ((x - middle[0]) / (0.72 * w)) ** 2 + ((y - middle[1] + 0.2 * h) / (1.75 * h)) ** 2
        mask = np.maximum(mask, smooth((1 - reach) * 2.2))
    return _grey(mask)


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


def _grey(opacity: Floats) -> Floats:
    return np.repeat(opacity[..., None] * 255, 3, axis=2)


def _write(path: Path, pixels: NDArray[Any]) -> None:
    whole = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), cv2.cvtColor(whole, cv2.COLOR_RGB2BGR))
