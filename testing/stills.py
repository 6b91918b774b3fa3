"""
The people that films are made of: portraits, brought to one size, and what is drawn on them.

Everything here happens on the *still*: a picture in which the outer corners of the eyes are ``EYES_PX`` apart
and their middle is ``EYES_AT``. A film is a still that is bent, moved and covered.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from anchord.demo.film import PORTRAIT_FILE, Pixels
from anchord.tracking.faces.mesh import EYE_CORNERS, LEFT_EYE, LIPS_INSIDE, LIPS_RIM, OVAL, RIGHT_EYE

#: float32 or float64 of any shape.
Floats = NDArray[Any]
#: (478, 3) float64: x, y and depth of MediaPipe's face mesh, px; smaller is nearer.
Mesh = NDArray[np.float64]

#: From one outer eye corner to the other, px.
EYES_PX = 150.0
#: (width, height) of a still.
STILL_SIZE = (704, 832)
#: Where the middle of the eyes is in it.
EYES_AT = (352.0, 330.0)

PORTRAITS = Path(__file__).parent / "portraits"
_FILES = {
    "astronaut": PORTRAIT_FILE,
    "admiral": PORTRAITS / "admiral.jpg",
    "lisa": PORTRAITS / "lisa.jpg",
}

#: What an overlay of each part covers.
TIGHT = {"mouth": (*LIPS_RIM, *LIPS_INSIDE), "eyes": (*RIGHT_EYE, *LEFT_EYE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    A portrait and what is drawn on it.

    Args:
        portrait: which file.
        skin: (L, a, b) multiplied into the skin's lightness and added to its colour; (1, 0, 0) leaves it.
        beard: how dense, 0–1.
        glasses: none, thin metal or thick black rims.
        freckles: contrast of a fine texture of the skin, of 255; an enlarged portrait has none of its own.
    """

    portrait: Literal["astronaut", "admiral", "lisa"]
    skin: tuple[float, float, float] = (1.0, 0.0, 0.0)
    beard: float = 0.0
    glasses: Literal["none", "thin", "thick"] = "none"
    freckles: float = 0.0


PEOPLE = {
    # As she is in the sample pack: smooth skin, an open smile.
    "astronaut": Person(portrait="astronaut"),
    "admiral": Person(portrait="admiral"),
    "lisa": Person(portrait="lisa", freckles=2.0),
    "dark": Person(portrait="astronaut", skin=(0.46, 4.0, 4.0), freckles=2.5),
    "brown": Person(portrait="lisa", skin=(0.72, 4.0, -8.0), beard=0.55, freckles=3.0),
    "beard": Person(portrait="astronaut", skin=(0.92, 2.0, 2.0), beard=1.0, freckles=2.0),
    "spectacled": Person(portrait="astronaut", glasses="thick", freckles=4.0),
    "bearded_admiral": Person(portrait="admiral", beard=0.8),
    "dark_spectacled": Person(portrait="lisa", skin=(0.6, 6.0, -10.0), glasses="thin", freckles=3.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """
    A person at rest.

    Args:
        pixels: (height, width, 3) uint8, red first.
        mesh: in them.
    """

    pixels: Pixels
    mesh: Mesh

    def box(self, part: str) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of what an overlay of *part* must cover."""
        tight = self.mesh[list(TIGHT[part]), :2]
        return (*tight.min(axis=0).tolist(), *tight.max(axis=0).tolist())

    def middle(self, part: str) -> tuple[float, float]:
        """Of the part's box."""
        left, top, right, bottom = self.box(part)
        return (left + right) / 2, (top + bottom) / 2


@functools.cache
def still(name: str) -> Still:
    """A person of ``PEOPLE``."""
    person = PEOPLE[name]
    pixels, mesh = _placed(person.portrait)
    skin = _skin(pixels, mesh)
    pixels = _with_skin(pixels, skin, person.skin)
    if person.freckles:
        pixels = _with_freckles(pixels, skin, person.freckles)
    if person.beard:
        pixels = _with_beard(pixels, mesh, person.beard)
    if person.glasses != "none":
        pixels = _with_glasses(pixels, mesh, is_thick=person.glasses == "thick")
    return Still(pixels=np.clip(pixels, 0, 255).astype(np.uint8), mesh=mesh)


def _placed(portrait: str) -> tuple[Floats, Mesh]:
    """The file's pixels and mesh as a still, without anything drawn on it."""
    file = _FILES[portrait]
    picture = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None, file
    mesh = np.array(json.loads((PORTRAITS / f"{portrait}.json").read_text()))
    corners = mesh[list(EYE_CORNERS), :2]
    scale = EYES_PX / float(np.hypot(*(corners[1] - corners[0])))
    shift = np.array(EYES_AT) - scale * corners.mean(axis=0)
    # The mesh counts from a pixel's corner, OpenCV from its middle.
    matrix = np.array([[scale, 0, shift[0] + scale / 2 - 0.5], [0, scale, shift[1] + scale / 2 - 0.5]])
    enlarged = cv2.warpAffine(
        picture, matrix, STILL_SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return enlarged.astype(np.float64), np.hstack([mesh[:, :2] * scale + shift, mesh[:, 2:] * scale])


def _filled(polygon: Floats, soften: float, color: float = 1.0) -> Floats:
    """*color* inside a polygon of still pixels, 0 outside."""
    mask = np.zeros(STILL_SIZE[::-1], np.float32)
    cv2.fillPoly(mask, [np.round((polygon - 0.5) * 16).astype(np.int32)], color, cv2.LINE_8, 4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), soften), np.float64) if soften else mask.astype(float)


def _skin(pixels: Floats, mesh: Mesh) -> Floats:
    """How much each pixel is skin, 0–1: what is near the cheeks and of their colour; no lips or eyes."""
    lab = cv2.cvtColor((pixels / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    cheeks = _filled(mesh[[50, 187, 205, 36]][:, :2], 0) + _filled(mesh[[280, 411, 425, 266]][:, :2], 0) > 0
    middle = np.median(lab[cheeks], axis=0)
    off = (lab - middle) / np.array([30.0, 11.0, 13.0])
    alike = cv2.GaussianBlur(np.exp(-0.5 * (off**2).sum(axis=2)), (0, 0), 2.5)
    # In the face all is skin, whatever light falls on it.
    inside = _filled(mesh[list(OVAL), :2], 6)
    near = _filled(mesh[4, :2] + 1.25 * (mesh[list(OVAL), :2] - mesh[4, :2]), 12)
    skin = np.maximum(np.clip(1.6 * alike - 0.25, 0, 1) * near, inside)
    for rim in (LIPS_RIM, RIGHT_EYE, LEFT_EYE):
        hull = cv2.convexHull(mesh[list(rim), :2].astype(np.float32))[:, 0].astype(float)
        skin = skin * (1 - (0.5 if rim is LIPS_RIM else 0.85) * _filled(hull, 2.0))
    return np.asarray(skin)


def _with_skin(pixels: Floats, skin: Floats, change: tuple[float, float, float]) -> Floats:
    lightness, a, b = change
    if change == (1.0, 0.0, 0.0):
        return pixels
    lab = cv2.cvtColor((np.clip(pixels, 0, 255) / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    other = lab * np.array([lightness, 1, 1]) + np.array([0, a, b])
    # Dark skin shines: its highlights keep their light.
    shine = np.clip((lab[..., :1] - 80) / 20, 0, 1) * (1 - lightness) * 30
    other[..., :1] += shine
    mixed = lab * (1 - skin[..., None]) + other * skin[..., None]
    return np.asarray(cv2.cvtColor(mixed.astype(np.float32), cv2.COLOR_LAB2RGB) * 255, np.float64)


def _texture(seed: int, *sigmas: float) -> Floats:
    """Noise of unit contrast, the sum of blurs of several widths."""
    noise = np.random.default_rng(seed).normal(size=(len(sigmas), *STILL_SIZE[::-1]))
    total = np.zeros(STILL_SIZE[::-1])
    for sheet, sigma in zip(noise, sigmas, strict=True):
        blurred = cv2.GaussianBlur(sheet, (0, 0), sigma)
        total += blurred / blurred.std()
    return np.asarray(total / total.std())


def _with_freckles(pixels: Floats, skin: Floats, contrast: float) -> Floats:
    fine = _texture(7, 1.2, 2.2, 4.0)
    return np.asarray(pixels + (contrast * fine * skin)[..., None] * np.array([0.9, 1.0, 1.0]))


def _with_beard(pixels: Floats, mesh: Mesh, density: float) -> Floats:
    """Hairs that grow on jaw, chin and upper lip: short dark strokes along the way down."""
    points = mesh[:, :2]
    jaw = points[[132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361]]
    low = jaw + (jaw - points[1]) * 0.06
    cheeks = points[[411, 426, 391, 393, 164, 167, 165, 206, 187]]
    area = _filled(np.vstack([low, cheeks]), 7)
    lips = cv2.convexHull(points[list(LIPS_RIM)].astype(np.float32))[:, 0].astype(float)
    area = area * (1 - _filled(lips, 2.0))
    noise = np.random.default_rng(3).normal(size=STILL_SIZE[::-1])
    # Hairs are longer than wide, and fall outwards from the middle.
    hairs = np.zeros_like(noise)
    for side, angle in ((-1, 25), (1, -25)):
        kernel = np.zeros((13, 13))
        cv2.line(
            kernel,
            (round(6 + 5 * np.sin(np.radians(angle))), 1),
            (round(6 - 5 * np.sin(np.radians(angle))), 11),
            1,
        )
        combed = cv2.filter2D(noise, -1, kernel)
        x = (np.arange(STILL_SIZE[0]) - points[1, 0]) * side
        hairs += combed / combed.std() * np.clip(0.5 + x / 60, 0, 1)
    cover = np.clip(area * (0.62 + 0.30 * hairs), 0, 1) * density
    colour = np.array([62.0, 47, 38]) * (1 + 0.28 * hairs[..., None])
    shade = 0.35 + 0.65 * pixels.mean(axis=2, keepdims=True) / 160
    beard = colour * np.clip(shade, 0.4, 1.4)
    return np.asarray(pixels * (1 - cover[..., None]) + beard * cover[..., None])


def _with_glasses(pixels: Floats, mesh: Mesh, *, is_thick: bool) -> Floats:
    """Rims, bridge, temples, and the glare of a window in each glass."""
    points = mesh[:, :2]
    rims = np.zeros(STILL_SIZE[::-1], np.float32)
    glare = np.zeros_like(rims)
    width = 7 if is_thick else 3
    sides = []
    for rim in (RIGHT_EYE, LEFT_EYE):
        eye = points[list(rim)]
        x, y = eye.mean(axis=0)
        w, h = np.ptp(eye[:, 0]) * 0.86, np.ptp(eye[:, 0]) * (0.62 if is_thick else 0.56)
        turn = np.linspace(0, 2 * np.pi, 90)
        # A rounded square: a superellipse.
        cos, sin = np.cos(turn), np.sin(turn)
        power = 0.55 if is_thick else 0.8
        outline = np.stack(
            [
                x + w * np.sign(cos) * np.abs(cos) ** power,
                y + 5 + h * np.sign(sin) * np.abs(sin) ** power,
            ],
            axis=1,
        )
        cv2.polylines(rims, [np.round(outline * 16).astype(np.int32)], True, 1.0, width, cv2.LINE_AA, 4)
        streak = np.array([(x - 14, y - 22), (x + 4, y - 26), (x - 10, y + 16), (x - 22, y + 14)])
        cv2.fillPoly(glare, [np.round(streak).astype(np.int32)], 1.0)
        sides.append((x - w, x + w, y))
    (right_out, right_in, y0), (left_in, left_out, y1) = sides
    for a, b in (
        ((right_in, y0 - 2), (left_in, y1 - 2)),
        ((right_out, y0 - 6), (points[127, 0], points[127, 1] - 4)),
        ((left_out, y1 - 6), (points[356, 0], points[356, 1] - 4)),
    ):
        cv2.line(rims, (round(a[0]), round(a[1])), (round(b[0]), round(b[1])), 1.0, width, cv2.LINE_AA)
    shadow = cv2.GaussianBlur(np.roll(rims, 8, axis=0), (0, 0), 4)[..., None]
    rims = cv2.GaussianBlur(rims, (0, 0), 0.9)[..., None]
    colour = np.array([24.0, 22, 24]) if is_thick else np.array([118.0, 104, 82])
    pixels = pixels * (1 - 0.3 * np.clip(shadow, 0, 1))
    pixels = pixels + 26 * cv2.GaussianBlur(glare, (0, 0), 3)[..., None]
    return np.asarray(pixels * (1 - rims) + colour * rims)
