"""
Hands, and what hands hold, in front of a face.

A hand is a height field: fingers are tapered rods with round ends, the palm is a flat one. Lit from above and
left it has shading, creases, the grain of skin, and a shadow on what is behind it; a quick one is blurred.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from testing.bending import visit
from testing.stills import EYES_AT, EYES_PX, Floats

Kind = Literal["flat", "spread", "fist", "finger", "two", "mug", "phone"]

#: Light, middle and dark skin, a glove; red, green, blue.
COLOURS = {
    "light": (226, 178, 152),
    "rosy": (214, 150, 128),
    "tan": (188, 136, 104),
    "brown": (138, 92, 68),
    "dark": (88, 60, 48),
    "glove": (70, 96, 150),
}

# The canvas that a hand is drawn on, px; it reaches down to the elbow.
_WIDTH, _HEIGHT = 460, 900
# The point of it that is laid on the face: the middle of the fingers.
_TOUCH = {
    "flat": (238, 222),
    "spread": (238, 222),
    "fist": (236, 268),
    "finger": (178, 225),
    "two": (200, 218),
    "mug": (236, 190),
    "phone": (236, 180),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """
    Something that comes in front of the face, stays and goes.

    Args:
        kind: what it is.
        colour: of ``COLOURS``.
        at: where it stays, in distances of the eyes' corners from the middle of the eyes, right and down;
            the mouth is at about (0, 0.75).
        start_s: when it starts to come.
        enter_s, stay_s, leave_s: how long it comes, stays, goes.
        angle_deg: how it is turned; 0 is a hand from below with its fingers up, 90 one from the left.
        size: over a hand that fits the face.
        goes_with: how much of the head's motion it takes part in, 0–1.
        blur: of a camera's shutter, in frames, and of its focus, px.
        dark: strength of the shadow on the face.
        seed: of its grain and its own small motion.
    """

    kind: Kind = "flat"
    colour: str = "light"
    at: tuple[float, float] = (0.0, 0.75)
    start_s: float = 1.0
    enter_s: float = 0.4
    stay_s: float = 1.0
    leave_s: float = 0.4
    angle_deg: float = 0.0
    size: float = 1.0
    goes_with: float = 0.0
    blur: tuple[float, float] = (0.5, 0.6)
    dark: float = 0.35
    seed: int = 1

    def place(self, t_s: float, home: Floats) -> Floats | None:
        """
        Canvas to film, (2, 3); None while it is out of sight.

        Args:
            t_s: when.
            home: (2, 3) still to film, of the head as far as the hand goes with it.
        """
        share = visit(t_s, self.start_s, self.enter_s, self.stay_s, self.leave_s)
        if share <= 0:
            return None
        scale = float(np.hypot(home[0, 0], home[1, 0])) * self.size
        # It comes along its own axis from where nothing of it is seen, and turns a little on its way.
        far = (1 - share) * 4.2 * EYES_PX
        phase = self.seed + t_s
        own = np.array([2.2 * np.sin(2.1 * phase) + np.sin(5.3 * phase), 1.8 * np.cos(1.7 * phase)])
        turn = np.radians(self.angle_deg + 14 * (1 - share) + 0.8 * np.sin(1.3 * phase))
        axis = np.array([-np.sin(turn), np.cos(turn)])
        point = np.array(EYES_AT) + np.array(self.at) * EYES_PX
        there = home[:, :2] @ point + home[:, 2] + axis * far + own
        a, b = scale * np.cos(turn), scale * np.sin(turn)
        x, y = _TOUCH[self.kind]
        return np.array([[a, -b, there[0] - a * x + b * y], [b, a, there[1] - b * x - a * y]])


@functools.lru_cache(maxsize=32)
def drawn(kind: Kind, colour: str, seed: int) -> Floats:
    """(h, w, 4) float32, red first, opacity 0–1: the hand on its canvas, fingers up."""
    height, crease = _relief(kind)
    opaque = cv2.GaussianBlur((height > 0).astype(np.float32), (0, 0), 1.0)
    smooth = cv2.GaussianBlur(height, (0, 0), 1.6)
    dy, dx = np.gradient(smooth)
    normal = np.stack([-dx, -dy, np.ones_like(dx)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.clip(normal @ (np.array([-0.35, -0.5, 0.79])), 0, 1)
    random = np.random.default_rng(seed)
    grain = sum(
        weight * _unit(cv2.GaussianBlur(random.normal(size=height.shape).astype(np.float32), (0, 0), sigma))
        for sigma, weight in ((1.3, 0.016), (3.0, 0.02), (14.0, 0.03))
    )
    base = np.array(COLOURS[colour], np.float32)
    shade = (0.42 + 0.66 * light + grain) * (1 - 0.45 * crease)
    pixels = base * shade[..., None] ** np.array([0.85, 1.0, 1.08], np.float32)
    # Blood is near the surface at tips and joints.
    flush = cv2.GaussianBlur(crease, (0, 0), 9)[..., None]
    pixels = pixels + flush * np.array([14.0, -8, -8])
    if kind in ("mug", "phone"):
        pixels, opaque = _held(kind, pixels, opaque, height)
    return np.dstack([np.clip(pixels, 0, 255), opaque]).astype(np.float32)


def _unit(noise: Floats) -> Floats:
    return np.asarray(noise / noise.std())


# Finger: foot (x, y), lean in degrees, length, radius at its foot and at its tip, how far in front.
_FINGERS = (
    (184, 300, -5, 118, 21, 16, 0.0),
    (220, 288, -1, 136, 22, 16, 4.0),
    (257, 292, 3, 126, 21, 16, 3.0),
    (291, 310, 8, 98, 18, 13, 0.0),
)
_FOLDED = 44


def _relief(kind: Kind) -> tuple[Floats, Floats]:
    """How high each point stands over the ground, px, 0 outside; and where skin is creased, 0–1."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32)
    height: Floats = np.zeros_like(x)
    crease = np.zeros_like(x)

    def rod(
        a: tuple[float, float],
        b: tuple[float, float],
        ra: float,
        rb: float,
        raised: float = 0.0,
        flat: float = 1.0,
        joints: tuple[float, ...] = (),
    ) -> None:
        way = np.array(b) - np.array(a)
        t = ((x - a[0]) * way[0] + (y - a[1]) * way[1]) / float(way @ way)
        along = np.clip(t, 0, 1)
        r = ra + (rb - ra) * along
        off = np.hypot(x - a[0] - along * way[0], y - a[1] - along * way[1])
        inside = off < r
        high = raised + 6 + flat * np.sqrt(np.maximum(r**2 - off**2, 0))
        nearer = inside & (high > height)
        height[nearer] = high[nearer]
        crease[nearer] = 0
        for joint in joints:
            line = np.exp(-(((t - joint) * np.hypot(*way) + 0.05 * (off**2) / ra) ** 2) / 5.0)
            wave = 0.6 * line + 0.35 * np.exp(-(((t - joint) * np.hypot(*way) - 5) ** 2) / 4.0)
            crease[nearer] = np.maximum(crease[nearer], wave[nearer])
        # Where two fingers touch it is dark.
        rim = np.exp(-((r - off) ** 2) / 6.0)
        crease[nearer] = np.maximum(crease[nearer], 0.75 * rim[nearer])

    rod((238, 470), (238, 980), 62, 84, flat=0.5)
    rod((222, 345), (236, 430), 62, 58, flat=0.42)
    rod((258, 340), (246, 430), 58, 58, raised=0.5, flat=0.42)
    spread = {"spread": 2.6, "flat": 1.0}.get(kind, 0.8)
    long = {"finger": 1, "two": 2, "fist": 0, "mug": 4, "phone": 4}.get(kind, 4)
    for number, (fx, fy, lean, reach, ra, rb, raised) in enumerate(_FINGERS):
        angle = np.radians(lean * spread + (4 if kind == "spread" else 0))
        # Bent around what it holds.
        length = reach * (0.55 if kind in ("mug", "phone") else 1)
        if number < long:
            tip = (fx + np.sin(angle) * length, fy - np.cos(angle) * length)
            rod((fx, fy), tip, ra, rb, raised, joints=(0.05, 0.42, 0.75))
        else:
            rod((fx, fy), (fx, fy - _FOLDED), ra, ra, raised + 10, joints=(0.1, 0.9))
            rod((fx + 2, fy + 4), (fx + 2, fy - _FOLDED + 14), ra - 3, ra - 4, raised + 18)
    if kind in ("flat", "spread"):
        rod((182, 420), (118, 318), 27, 20, 6, joints=(0.5, 0.85))
    else:
        rod((176, 400), (232, 318), 25, 19, 26, joints=(0.5, 0.85))
    return height, np.clip(crease, 0, 1)


def _held(kind: Kind, pixels: Floats, opaque: Floats, height: Floats) -> tuple[Floats, Floats]:
    """A mug or a phone in the hand: behind the fingers, in front of everything else."""
    thing = np.zeros_like(opaque)
    if kind == "mug":
        cv2.rectangle(thing, (128, 40), (344, 330), 1.0, -1)
        colour = np.array([206.0, 214, 220])
        round_ = 0.55 + 0.5 * np.sin(np.linspace(0.25, 2.9, 217))
        body = np.ones((_HEIGHT, _WIDTH, 3)) * colour
        body[:, 128:345] *= round_[None, :, None]
        body[110:150, 128:345] = (np.array([160.0, 40, 44]) * round_[:, None])[None]
        body[262:270, 128:345] = (np.array([60.0, 70, 110]) * round_[:, None])[None]
    else:
        cv2.rectangle(thing, (150, 10), (322, 340), 1.0, -1)
        body = np.ones((_HEIGHT, _WIDTH, 3)) * np.array([34.0, 36, 40])
        body += np.linspace(26, 0, _HEIGHT)[:, None, None]
        cv2.circle(body, (186, 48), 15, (12, 12, 16), -1)
        cv2.circle(body, (186, 90), 15, (12, 12, 16), -1)
    thing = cv2.GaussianBlur(thing, (0, 0), 1.0)
    fingers = cv2.GaussianBlur((height > 12).astype(np.float32), (0, 0), 1.2) * (opaque > 0)
    over = np.maximum(fingers, 0)[..., None]
    mixed = body * (1 - over) + pixels * over
    inside = thing[..., None]
    return mixed * inside + pixels * (1 - inside), np.maximum(thing, opaque)


def covered(
    picture: Floats, hands: tuple[Hand, ...], t_s: float, frame_s: float, head: Floats, rest: Floats
) -> tuple[Floats, Floats]:
    """
    A picture with hands in front.

    Args:
        picture: (h, w, 3) float32.
        hands: the first is behind the others.
        t_s: when.
        frame_s: how long a frame lasts.
        head: (2, 3) still to film.
        rest: (2, 3) the same in the film's first frame.

    Returns:
        The picture, and (h, w) how much of it is covered, 0–1.
    """
    cover = np.zeros(picture.shape[:2], np.float32)
    size = (picture.shape[1], picture.shape[0])
    for hand in hands:
        home = hand.goes_with * head + (1 - hand.goes_with) * rest
        steps = [hand.place(t_s + hand.blur[0] * frame_s * k, home) for k in (-0.5, -0.25, 0.0, 0.25, 0.5)]
        places = [place for place in steps if place is not None]
        if steps[2] is None or not places:
            continue
        if float(np.abs(places[0] - places[-1]).max()) < 0.7:
            places = [steps[2]]
        sprite = drawn(hand.kind, hand.colour, hand.seed)
        # Opacity times colour is what may be averaged.
        weighted = np.dstack([sprite[..., :3] * sprite[..., 3:], sprite[..., 3]])
        layer = np.mean(
            [cv2.warpAffine(weighted, place, size, flags=cv2.INTER_AREA) for place in places], axis=0
        )
        if hand.blur[1] > 0:
            layer = cv2.GaussianBlur(layer, (0, 0), hand.blur[1])
        opacity = layer[..., 3]
        shadow = cv2.GaussianBlur(np.roll(opacity, (12, 9), axis=(0, 1)), (0, 0), 9)
        picture = picture * (1 - hand.dark * shadow * (1 - opacity))[..., None]
        picture = picture * (1 - opacity[..., None]) + layer[..., :3]
        cover = 1 - (1 - cover) * (1 - opacity)
    return picture, cover
