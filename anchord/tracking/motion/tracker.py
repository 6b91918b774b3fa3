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
    PartShape,
    eyes_across,
)
from anchord.tracking.motion.linking import linked
from anchord.tracking.motion.patch import Clarity, CloseUp, Features, Grey, Patch, matrix, middle_of
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.similarity import Complex, Similarities, fitted, points
from anchord.tracking.tuning import TUNING

# Whole frames are what is spread over threads. OpenCV's own gain nothing beside them, and wait for work in
# a loop that burns the cores which the networks need.
cv2.setNumThreads(1)

_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 10, 0.03)


def close_up(pixels: NDArray[np.uint8], landmarks: Landmarks) -> CloseUp:
    """
    What is kept of a sample to follow the skin in it.

    Args:
        pixels: (height, width, 3) uint8, red first.
        landmarks: (478, 2) in pixels of the video.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    margin = TUNING.close_up_margin * (high - low)
    sides = np.array([pixels.shape[1], pixels.shape[0]])
    left, top = np.clip(low - margin, 0, sides - 2).astype(int).tolist()
    right, bottom = np.clip(high + margin + 1, (left + 2, top + 2), sides).astype(int).tolist()
    grey = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    shrink = int(abs(eyes_across(points(landmarks))) / (1.5 * TUNING.eyes_px))
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
    cheeks = [_around(edges, at[[index]], TUNING.cheek * across) for index in CHEEKS]
    lids = _around(close.grey, at[list(chain(*LIDS))], 0.1 * across).astype(np.float32)
    sharp, soft, softer = (cv2.GaussianBlur(lids, (0, 0), sigma * across) for sigma in TUNING.sigmas)
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


def shrunk(pixels: NDArray[np.uint8], eyes_px: float) -> CloseUp:
    """
    A whole picture in grey, no larger than a face with eyes *eyes_px* apart in it needs.

    Args:
        pixels: (height, width, 3) uint8, red first.
        eyes_px: distance of the eyes' outer corners, px.
    """
    scale = max(1, int(eyes_px / (1.5 * TUNING.eyes_px)))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if scale > 1:
        size = (max(grey.shape[1] // scale, 2), max(grey.shape[0] // scale, 2))
        grey = cv2.resize(grey[: size[1] * scale, : size[0] * scale], size, interpolation=cv2.INTER_AREA)
    corner = complex((scale - 1) / 2, (scale - 1) / 2)
    return CloseUp(
        grey=np.asarray(grey, np.uint8),
        to_video=Similarities(a=np.asarray(scale + 0j), b=np.asarray(corner)),
    )


def cut_out(close: CloseUp, to_video: Similarities, size: tuple[int, int], eyes_px: float) -> Grey:
    """
    A patch of (width, height) pixels that *to_video* puts into the video, without slow changes of light.

    Args:
        close: where it is cut out of.
        to_video: pixels of the patch to pixels of the video.
        size: of the patch.
        eyes_px: distance of the eyes' outer corners in it, px.
    """
    pixels = cv2.warpAffine(
        close.grey,
        matrix(close.to_video.inverse().after(to_video)),
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    width = round(TUNING.light_share * eyes_px) | 1
    detail = pixels - cv2.blur(pixels, (width, width))
    return np.asarray(np.clip(detail * TUNING.contrast + 128, 0, 255), np.uint8)


def corners(pixels: Grey, mask: Grey, eyes_px: float) -> Features:
    """Features of a patch that can be found again, where *mask* is not 0."""
    apart = max(3.0, 0.03 * eyes_px)
    found = cv2.goodFeaturesToTrack(pixels, TUNING.features, 0.01, apart, mask=mask, blockSize=5)
    return np.zeros((0, 1, 2), np.float32) if found is None else np.asarray(found, np.float32)


def flowed(before: Grey, here: Grey, features: Features, levels: int) -> tuple[Features, NDArray[np.bool_]]:
    """Where *features* of a patch are in another one, and whether they were found there."""
    window = (TUNING.window_px, TUNING.window_px)
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        before, here, features, None, winSize=window, maxLevel=levels, criteria=_STOP
    )  # fmt: skip
    return np.asarray(found, np.float32), status.ravel() > 0


def ellipse(size: tuple[int, int], middle: complex, radii: tuple[float, float]) -> Grey:
    """255 inside an ellipse, in a patch of (width, height)."""
    inside = np.zeros(size[::-1], np.uint8)
    at, reach = (round(middle.real), round(middle.imag)), (round(radii[0]), round(radii[1]))
    cv2.ellipse(inside, at, reach, 0, 0, 360, 255, -1)
    return inside


def place_of(template: Grey, picture: Grey, scale: float) -> tuple[complex, float]:
    """
    Where a patch lies in a picture as it is seen *scale* times as large: its corner there, and how well
    it matches, -1 to 1 (normalised cross-correlation); -1 where it is larger than the picture.
    """
    size = (round(template.shape[1] * scale), round(template.shape[0] * scale))
    if size[0] > picture.shape[1] or size[1] > picture.shape[0] or min(size) < 8:
        return 0j, -1.0
    match = cv2.matchTemplate(picture, cv2.resize(template, size), cv2.TM_CCOEFF_NORMED)
    _, best, _, corner = cv2.minMaxLoc(np.nan_to_num(match, posinf=0.0))
    return complex(*corner), float(best)


def thumbnail(pixels: Grey, width: int) -> Grey:
    """A picture made *width* pixels wide by averaging."""
    size = (width, max(2, round(pixels.shape[0] * width / pixels.shape[1])))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def picture(content: bytes, most_pixels: int) -> NDArray[np.uint8] | None:
    """
    The picture in a PNG file's bytes, (height, width, 3) red first; on grey where it is transparent.

    None where it is no such picture, or has more than *most_pixels*: its head says so, before any of it is
    decoded.
    """
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    if not 0 < width * height <= most_pixels:
        return None
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        return None
    if decoded.dtype == np.uint16:
        decoded = decoded >> 8
    if decoded.ndim == 2:
        decoded = np.repeat(decoded[..., None], 3, axis=2)
    pixels = decoded[..., 2::-1].astype(np.float32)
    if decoded.shape[2] == 4:
        share = decoded[..., 3:].astype(np.float32) / 255
        pixels = pixels * share + 128 * (1 - share)
    return np.ascontiguousarray(np.round(pixels), np.uint8)


def put_into(
    pixels: NDArray[np.uint8], scale: tuple[float, float], offset: tuple[float, float], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """A picture as it lies in another of (width, height): at its own places times *scale* plus *offset*."""
    # Averaged first: single pixels of a much larger picture would be noise.
    shown = (max(1, round(pixels.shape[1] * scale[0])), max(1, round(pixels.shape[0] * scale[1])))
    x, y = scale[0] * pixels.shape[1] / shown[0], scale[1] * pixels.shape[0] / shown[1]
    pixels = np.asarray(cv2.resize(pixels, shown, interpolation=cv2.INTER_AREA), np.uint8)
    way = np.array([[x, 0, x / 2 - 0.5 + offset[0]], [0, y, y / 2 - 0.5 + offset[1]]])
    lying = cv2.warpAffine(
        pixels, way, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(128,) * 3
    )
    return np.asarray(lying, np.uint8)


@dataclass(slots=True)
class Follower:
    """
    Follows the skin around one part through the samples, which must be added in order.

    ``links`` holds what was measured, and ``agree`` for each sample the share of features that agree
    with the keyframe most like it: 0 where there is no face.
    """

    part: PartShape
    links: list[Link] = field(default_factory=list, init=False)
    agree: list[float] = field(default_factory=list, init=False)
    _reference: Complex | None = field(default=None, init=False)
    _size: tuple[int, int] = field(default=(0, 0), init=False)
    _eyes_px: float = field(default=0.0, init=False)
    _keyframes: list[Patch] = field(default_factory=list, init=False)
    _last: Patch | None = field(default=None, init=False)

    @property
    def is_flat(self) -> bool:
        """
        Whether the skin of most keyframes has hardly a feature to be followed by: it was drawn.

        On 21 clips of real people one part at least has 48 and more in the median, a cartoon's flat face 12
        to 26 in both.
        """
        counts = [len(keyframe.features) for keyframe in self._keyframes]
        return bool(counts) and float(np.median(counts)) < TUNING.enough_features

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
        link, found = self._measure(nearest, here, TUNING.keyframe_levels)
        agree = link.agree if link else 0.0
        is_plain = agree >= TUNING.plainly_seen
        neighbour = None
        if self._last and not is_plain:
            neighbour, _ = self._measure(self._last, here, TUNING.neighbour_levels)
        self.agree.append(agree)
        is_seen = agree >= TUNING.seen or (neighbour is not None and neighbour.agree >= TUNING.still_seen)
        if (
            is_seen
            and agree < TUNING.agree_well
            and nearest.turned_from(here) > TUNING.shape_changed * self._eyes_px
            and len(self._keyframes) < TUNING.keyframes
        ):
            for other in others[:1]:
                self._measure(other, here, TUNING.keyframe_levels)
            self._last = self._new_keyframe(here)
        elif len(found) >= TUNING.enough_features:
            self._last = replace(here, features=found)
        else:
            self._last = replace(here, features=self._features(here))

    def _begin(self, shape: Complex) -> None:
        """Fix how the part lies in a patch: the first face's eyes level, the part in the middle."""
        across = eyes_across(shape)
        self._eyes_px = float(min(abs(across), TUNING.eyes_px))
        width, height = (
            max(16, round(2 * (radius + TUNING.patch_margin) * self._eyes_px)) for radius in self.part.skin
        )
        self._size = (width, height)
        turned = shape * (self._eyes_px / across)
        self._reference = turned - middle_of(turned[list(self.part.tight)]) + complex(*self._size) / 2

    def _patch(self, close: CloseUp, shape: Complex) -> Patch:
        assert self._reference is not None
        to_video = fitted(self._reference[list(RIGID)], shape[list(RIGID)])
        return Patch(
            sample=len(self.agree),
            pixels=cut_out(close, to_video, self._size, self._eyes_px),
            features=np.zeros((0, 1, 2), np.float32),
            shape=to_video.inverse().of(shape),
            to_video=to_video,
        )

    def _measure(self, before: Patch, here: Patch, levels: int) -> tuple[Link | None, Features]:
        """Find *before*'s features here; notes the link, and returns it with the features that agree."""
        nothing = np.zeros((0, 1, 2), np.float32)
        features = self._still(before, here)
        if len(features) < TUNING.fewest_features:
            return None, nothing
        found, seen = flowed(before.pixels, here.pixels, features, levels)
        if seen.sum() < TUNING.fewest_features:
            return None, nothing
        # About the part's middle: there the shift is what the anchor gets.
        link, follows = linked(
            (before.sample, before.to_video), (here.sample, here.to_video), features[seen], found[seen],
            of=len(seen), middle=complex(*self._size) / 2, eyes_px=self._eyes_px,
            turned=here.turned_from(before) / self._eyes_px,
        )  # fmt: skip
        self.links.append(link)
        return link, found[seen][follows]

    def _still(self, before: Patch, here: Patch) -> Features:
        """*before*'s features but for those that a blink between the two would pull along."""
        if abs(here.eyes_open() - before.eyes_open()) < TUNING.blink * self._eyes_px:
            return before.features
        lids = self._moving(before, LIDS, TUNING.blink_clearance)
        x, y = np.clip(before.features[:, 0].round().astype(int), 0, np.array(self._size) - 1).T
        still: Features = before.features[lids[y, x] == 0]
        # In a small face there may be hardly any other; better pulled a little than lost.
        return still if len(still) >= TUNING.fewest_features else before.features

    def _new_keyframe(self, here: Patch) -> Patch:
        keyframe = replace(here, features=self._features(here))
        self._keyframes.append(keyframe)
        return keyframe

    def _features(self, here: Patch) -> Features:
        return corners(here.pixels, self._skin(here), self._eyes_px)

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
