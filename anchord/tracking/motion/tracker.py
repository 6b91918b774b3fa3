"""
Pixels into the exact motion of the skin between two samples. The only room that knows OpenCV.

Landmarks bring each sample's face to the same place, size and turn; what still moves there is
tracked with pyramidal Lucas-Kanade (Bouguet 2001) on features of the skin, and a robust similarity
is fitted to it. Lips and lids are left out: they move by themselves. The mouth and the eyes are two
planes, because a turning head moves them differently.

Each sample is measured against the one before it, which sees nearly the same picture, and against
the keyframe that looks most like it, so that small errors never add up. Only keyframes and the last
sample are kept: memory does not grow with the video.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces.mesh import (
    CHEEKS,
    LIDS,
    MOVING_RIMS,
    OVAL,
    PARTS,
    RIGID,
    Landmarks,
    Part,
    eyes_across,
)
from anchord.tracking.motion.patch import Clarity, CloseUp, Features, Grey, Patch, matrix, middle_of
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.similarity import Complex, Similarities, fitted, fitted_robustly, moved, points

# Outer corners of the eyes in a patch are this far apart at most, px. Enough: a 512x640 target shows
# a good face at 100 to 150. More costs time and gains nothing against the noise of compression.
_EYES_PX = 90.0
# A close-up keeps this much of the face's size around it.
_CLOSE_UP_MARGIN = 0.25
# A patch shows this much beyond the skin that is followed, in distances of the eyes' corners.
_PATCH_MARGIN = 0.2
# Light that changes slowly across the face is taken out: by a mean over this share of the eyes' distance.
_LIGHT_SHARE = 0.25
_CONTRAST = 3.0
# Half a side of what is looked at of a cheek, and the blurs between which lines are fine and coarse, in
# distances of the eyes' corners.
_CHEEK = 0.06
_SIGMAS = (0.008, 0.02, 0.04)

_FEATURES = 100
_FEWEST = 8
_WINDOW = (25, 25)
_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 10, 0.03)
# A keyframe may look from elsewhere: two halvings reach as far as landmarks err. The last sample is near.
_KEYFRAME_LEVELS, _NEIGHBOUR_LEVELS = 2, 1
# Residuals below this are noise, px of the patch; above it features begin to disagree.
_RESIDUAL_FLOOR_PX = 0.15
_RESIDUAL_FINE_PX = 1.0
# Movements that differ by less are averaged, others counted (see ``moved``).
_AGREED_PX = 0.3

# The part is seen where so many features agree with a keyframe, or as a face changes, with the sample
# before. Only what is seen is worth a keyframe.
_SEEN, _STILL_SEEN = 0.35, 0.6
# A new keyframe where the part is seen but fewer agree than this, and the face really changed its shape.
_AGREE_WELL = 0.75
# A keyframe that so many features know again says it all: the sample before would add nothing.
_PLAINLY_SEEN = 0.95
_SHAPE_CHANGED = 0.008
_MAX_KEYFRAMES = 16
# Lids that are this much further open or shut have pulled at the skin within the second.
_BLINK, _BLINK_CLEARANCE = 0.02, 0.25


def close_up(pixels: NDArray[np.uint8], landmarks: Landmarks) -> CloseUp:
    """
    What is kept of a sample to follow the skin in it.

    Args:
        pixels: (height, width, 3) uint8, red first.
        landmarks: (478, 2) in pixels of the video.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    margin = _CLOSE_UP_MARGIN * (high - low)
    sides = np.array([pixels.shape[1], pixels.shape[0]])
    left, top = np.clip(low - margin, 0, sides - 2).astype(int).tolist()
    right, bottom = np.clip(high + margin + 1, (left + 2, top + 2), sides).astype(int).tolist()
    grey = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    shrink = int(abs(eyes_across(points(landmarks))) / (1.5 * _EYES_PX))
    if shrink > 1:
        size = (max(grey.shape[1] // shrink, 2), max(grey.shape[0] // shrink, 2))
        grey = cv2.resize(grey[: size[1] * shrink, : size[0] * shrink], size, interpolation=cv2.INTER_AREA)
    # Counted from the middle of the first pixel, as OpenCV does. Should landmarks count from its edge,
    # the half pixel is part of the anchor's place on the face, which is measured from the clip.
    scale = max(shrink, 1)
    corner = complex(left + (scale - 1) / 2, top + (scale - 1) / 2)
    return CloseUp(
        grey=grey,
        to_video=Similarities(a=np.asarray(scale + 0j), b=np.asarray(corner)),
    )


def clarity(close: CloseUp, landmarks: NDArray[np.float64]) -> Clarity:
    """
    How noisy the cheeks are, and how sharp the eyes.

    Args:
        close: of the face.
        landmarks: (478, 2) in pixels of the video.
    """
    at = close.to_video.inverse().of(points(landmarks))
    across = abs(eyes_across(at))
    edges = np.abs(cv2.Laplacian(close.grey, cv2.CV_32F))
    cheeks = [_around(edges, at[[index]], _CHEEK * across) for index in CHEEKS]
    lids = _around(close.grey, at[list(chain(*LIDS))], 0.1 * across).astype(np.float32)
    sharp, soft, softer = (cv2.GaussianBlur(lids, (0, 0), sigma * across) for sigma in _SIGMAS)
    coarse = float(np.percentile(np.abs(soft - softer), 95))
    return Clarity(
        noise=float(np.median([np.median(cheek) for cheek in cheeks])),
        sharpness=float(np.percentile(np.abs(sharp - soft), 95)) / max(coarse, 1e-3),
    )


def _around(pixels: NDArray[Any], at: Complex, margin: float) -> NDArray[Any]:
    """The piece of a picture with some points in it, one pixel of it at least."""
    height, width = pixels.shape
    left, right = np.clip((at.real.min() - margin, at.real.max() + margin), 0, width - 1).astype(int).tolist()
    top, bottom = (
        np.clip((at.imag.min() - margin, at.imag.max() + margin), 0, height - 1).astype(int).tolist()
    )
    return pixels[top : bottom + 1, left : right + 1]


@dataclass(slots=True)
class Follower:
    """
    Follows the skin around one part through the samples, which must be added in order.

    ``links`` holds what was measured, and ``agree`` for each sample the share of features that agree
    with the keyframe most like it: 0 where there is no face.
    """

    part: Part
    links: list[Link] = field(default_factory=list, init=False)
    agree: list[float] = field(default_factory=list, init=False)
    _reference: Complex | None = field(default=None, init=False)
    _size: tuple[int, int] = field(default=(0, 0), init=False)
    _eyes_px: float = field(default=0.0, init=False)
    _keyframes: list[Patch] = field(default_factory=list, init=False)
    _last: Patch | None = field(default=None, init=False)

    def add(self, close: CloseUp | None, landmarks: Landmarks | None) -> None:
        """Measure the next sample; None for one without a face."""
        if close is None or landmarks is None:
            self.agree.append(0.0)
            self._last = None
            return
        shape = points(landmarks)
        if self._reference is None:
            self._begin(shape)
        here = self._patch(close, shape)
        if not self._keyframes:
            self.agree.append(1.0)
            self._last = self._new_keyframe(here)
            return
        nearest, *others = sorted(self._keyframes, key=lambda key: key.turned_from(here))
        link, found = self._measure(nearest, here, _KEYFRAME_LEVELS)
        agree = link.agree if link else 0.0
        is_plain = agree >= _PLAINLY_SEEN
        neighbour = (
            self._measure(self._last, here, _NEIGHBOUR_LEVELS)[0] if self._last and not is_plain else None
        )
        self.agree.append(agree)
        is_seen = agree >= _SEEN or (neighbour is not None and neighbour.agree >= _STILL_SEEN)
        if (
            is_seen
            and agree < _AGREE_WELL
            and nearest.turned_from(here) > _SHAPE_CHANGED * self._eyes_px
            and len(self._keyframes) < _MAX_KEYFRAMES
        ):
            for other in others[:1]:
                self._measure(other, here, _KEYFRAME_LEVELS)
            self._last = self._new_keyframe(here)
        elif len(found) >= _FEATURES // 3:
            self._last = replace(here, features=found)
        else:
            self._last = replace(here, features=self._features(here))

    def _begin(self, shape: Complex) -> None:
        """Fix how the part lies in a patch: the first face's eyes level, the part in the middle."""
        across = eyes_across(shape)
        self._eyes_px = float(min(abs(across), _EYES_PX))
        width, height = (
            max(16, round(2 * (radius + _PATCH_MARGIN) * self._eyes_px)) for radius in self.part.skin
        )
        self._size = (width, height)
        turned = shape * (self._eyes_px / across)
        self._reference = turned - middle_of(turned[list(self.part.tight)]) + complex(*self._size) / 2

    def _patch(self, close: CloseUp, shape: Complex) -> Patch:
        assert self._reference is not None
        to_video = fitted(self._reference[list(RIGID)], shape[list(RIGID)])
        source = close.to_video.inverse().after(to_video)
        pixels = cv2.warpAffine(
            close.grey,
            matrix(source),
            self._size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
        width = round(_LIGHT_SHARE * self._eyes_px) | 1
        detail = pixels - cv2.blur(pixels, (width, width))
        return Patch(
            sample=len(self.agree),
            pixels=np.clip(detail * _CONTRAST + 128, 0, 255).astype(np.uint8),
            features=np.zeros((0, 1, 2), np.float32),
            shape=to_video.inverse().of(shape),
            to_video=to_video,
        )

    def _measure(self, before: Patch, here: Patch, levels: int) -> tuple[Link | None, Features]:
        """Find *before*'s features here; notes the link, and returns it with the features that agree."""
        nothing = np.zeros((0, 1, 2), np.float32)
        features = self._still(before, here)
        if len(features) < _FEWEST:
            return None, nothing
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            before.pixels, here.pixels, features, None,
            winSize=_WINDOW, maxLevel=levels, criteria=_STOP,
        )  # fmt: skip
        seen = status.ravel() > 0
        if seen.sum() < _FEWEST:
            return None, nothing
        # About the part's middle: there the shift is what the anchor gets.
        middle = complex(*self._size) / 2
        there, now = points(features[seen, 0]), points(found[seen, 0])
        motion, weights, sigma = fitted_robustly(there - middle, now - middle, floor=_RESIDUAL_FLOOR_PX)
        start, end, spread = moved(there, now, noise=_AGREED_PX)
        follows = weights > 0.1
        # Where residuals are coarse, that many of them agree means little.
        agree = float(follows.sum() / len(seen)) * min(1.0, _RESIDUAL_FINE_PX / sigma)
        between = Similarities(a=motion.a, b=motion.b + middle - motion.a * middle)
        link = Link(
            later=here.sample,
            earlier=before.sample,
            motion=here.to_video.after(between).after(before.to_video.inverse()),
            agree=agree,
            sigma=sigma / self._eyes_px,
            start=complex(before.to_video.of(np.array([start]))[0]),
            end=complex(here.to_video.of(np.array([end]))[0]),
            spread=max(spread, _RESIDUAL_FLOOR_PX) / self._eyes_px,
            turned=here.turned_from(before) / self._eyes_px,
        )
        self.links.append(link)
        return link, found[seen][follows]

    def _still(self, before: Patch, here: Patch) -> Features:
        """*before*'s features but for those that a blink between the two would pull along."""
        if abs(here.eyes_open() - before.eyes_open()) < _BLINK * self._eyes_px:
            return before.features
        lids = self._moving(before, LIDS, _BLINK_CLEARANCE)
        x, y = np.clip(before.features[:, 0].round().astype(int), 0, np.array(self._size) - 1).T
        still: Features = before.features[lids[y, x] == 0]
        # In a small face there may be hardly any other; better pulled a little than lost.
        return still if len(still) >= _FEWEST else before.features

    def _new_keyframe(self, here: Patch) -> Patch:
        keyframe = replace(here, features=self._features(here))
        self._keyframes.append(keyframe)
        return keyframe

    def _features(self, here: Patch) -> Features:
        found = cv2.goodFeaturesToTrack(
            here.pixels, _FEATURES, 0.01, max(3.0, 0.03 * self._eyes_px), mask=self._skin(here), blockSize=5
        )
        return np.zeros((0, 1, 2), np.float32) if found is None else np.asarray(found, np.float32)

    def _skin(self, here: Patch) -> Grey:
        """255 where there is skin around the part: inside the face, off the lips and lids."""
        outline = here.outline()
        width, height = self._size
        face = np.zeros((height, width), np.uint8)
        cv2.fillPoly(face, [outline[list(OVAL)]], 255)
        # The edge of the face is where the background begins.
        edge = max(1, round(0.04 * self._eyes_px))
        face = cv2.erode(face, np.ones((2 * edge + 1, 2 * edge + 1)), borderType=cv2.BORDER_REPLICATE)
        moving = self._moving(here, MOVING_RIMS, self.part.clearance)
        near = np.zeros_like(face)
        radii = tuple(round(radius * self._eyes_px) for radius in self.part.skin)
        cv2.ellipse(near, (width // 2, height // 2), radii, 0, 0, 360, 255, -1)
        return np.asarray(face & near & ~moving, np.uint8)

    def _moving(self, here: Patch, rims: Iterable[Sequence[int]], clearance: float) -> Grey:
        """255 within half the *clearance* of what the rims enclose."""
        moving = np.zeros(self._size[::-1], np.uint8)
        for rim in rims:
            cv2.fillPoly(moving, [here.outline()[list(rim)]], 255)
        reach = round(clearance * self._eyes_px) | 1
        cv2.dilate(moving, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)), dst=moving)
        return moving


def followers() -> dict[str, Follower]:
    """One follower for each part."""
    return {name: Follower(part) for name, part in PARTS.items()}
