"""
Follows the regions around static anchors, where no landmarks say what is a face.

The anchors' boxes say where mouth and eyes are in one picture, and so how large the head is and what of
it moves by itself. All around them is one patch, which goes along with the head: it is cut out where the
head was last, and the way that most of its features have moved since is the way that the head has moved.
What each part's own surroundings say is kept as links, as from landmarks (see ``tracker``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from anchord.tracking.motion import tracker
from anchord.tracking.motion.linking import linked
from anchord.tracking.motion.patch import CloseUp, Features, Grey
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.similarity import Similarities
from anchord.tracking.tuning import TUNING

# The sample that is none: a picture beside the video.
_NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """An upright box in the first picture, px of the video."""

    middle: complex
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """The head cut out of one picture."""

    sample: int
    pixels: Grey
    small: Grey
    to_video: Similarities
    features: Mapping[str, Features]


def head_px(regions: Mapping[str, Region]) -> float:
    """What the distance of the eyes' outer corners is about, px: the measure of a head."""
    return max(regions["eyes"].width / TUNING.eyes_box, 4.0)


@dataclass(slots=True)
class RegionFollower:
    """
    Follows a head through pictures, which must be added in order.

    Args:
        regions: the parts' boxes, as in the picture that it is begun with.

    ``motions`` has for each picture with the head the way from the first one's pixels to its own, roughly;
    ``links`` and ``agree`` are as a ``tracker.Follower``'s, for each part. ``pins`` has for each part a
    picture and the exact way to it: the one that shows the head most like the one it was begun with.
    """

    regions: Mapping[str, Region]
    motions: list[Similarities] = field(default_factory=list, init=False)
    links: dict[str, list[Link]] = field(default_factory=dict, init=False)
    agree: dict[str, list[float]] = field(default_factory=dict, init=False)
    pins: dict[str, tuple[int, Similarities]] = field(default_factory=dict, init=False)
    _eyes_px: float = field(default=0.0, init=False)
    _size: tuple[int, int] = field(default=(0, 0), init=False)
    # Pixels of the patch to those of the first picture.
    _to_first: Similarities = field(init=False)
    _middles: dict[str, complex] = field(default_factory=dict, init=False)
    _masks: dict[str, Grey] = field(default_factory=dict, init=False)
    # And where all else of the head is, for a part that has hardly a feature.
    _widely: Grey = field(init=False)
    _keyframes: list[_Cut] = field(default_factory=list, init=False)
    _last: _Cut | None = field(default=None, init=False)
    # The picture of which the regions are, where it is none of the video's.
    _base: _Cut | None = field(default=None, init=False)
    _likest: float = field(default=-1.0, init=False)
    _count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.links = {name: [] for name in self.regions}
        self.agree = {name: [] for name in self.regions}
        across = head_px(self.regions)
        self._eyes_px = min(TUNING.eyes_px, across)
        scale = across / self._eyes_px
        eyes, mouth = self.regions["eyes"].middle, self.regions["mouth"].middle
        beside, above, below = (share * across for share in TUNING.head_around)
        left, right = min(eyes.real, mouth.real) - beside, max(eyes.real, mouth.real) + beside
        top, bottom = eyes.imag - above, mouth.imag + below
        self._size = (max(16, round((right - left) / scale)), max(16, round((bottom - top) / scale)))
        self._to_first = Similarities(a=np.asarray(scale + 0j), b=np.asarray(complex(left, top)))
        self._middles = {
            name: (region.middle - complex(left, top)) / scale for name, region in self.regions.items()
        }
        self._mask(scale)

    def _mask(self, scale: float) -> None:
        """Where the features of each part may lie."""
        moving = np.zeros(self._size[::-1], bool)
        for name, region in self.regions.items():
            at, half = self._middles[name], complex(region.width, region.height) / scale / 2
            low, high = at - half, at + half
            rows = slice(max(int(low.imag), 0), max(int(high.imag) + 1, 0))
            moving[rows, max(int(low.real), 0) : max(int(high.real) + 1, 0)] = True
        radii = {"mouth": TUNING.around_mouth, "eyes": TUNING.around_eyes}
        near = {name: self._around(name, radii[name]) for name in self.regions}
        self._widely = np.where(
            moving, 0, np.maximum(near["mouth"], self._around("eyes", TUNING.widely_around_eyes))
        ).astype(np.uint8)
        # Hair swings by itself, and brows rise.
        above = self._middles["eyes"].imag - self.regions["eyes"].height / scale / 2
        moving[: max(0, round(above))] = True
        moving[max(0, round(self._middles["mouth"].imag + TUNING.chin * self._eyes_px)) :] = True
        self._masks = {name: np.where(moving, 0, mask).astype(np.uint8) for name, mask in near.items()}

    def _around(self, name: str, radii: tuple[float, float]) -> Grey:
        reach = (radii[0] * self._eyes_px, radii[1] * self._eyes_px)
        return tracker.ellipse(self._size, self._middles[name], reach)

    @property
    def scale(self) -> float:
        """How large the head was seen last, over the first picture."""
        return abs(complex(self.motions[-1].a)) if self.motions else 1.0

    def begin(self, close: CloseUp) -> None:
        """Take a picture of which the regions are, and which is none of the video's; else it is the first."""
        self._base = self._with_features(self._cut(close, _identity(), _NONE))
        self._keyframes = [self._base]

    def add(self, close: CloseUp, *, is_search: bool) -> bool:
        """
        Follow the head into the next picture; whether it is there.

        Args:
            close: of the whole picture.
            is_search: whether to look for the head all over the picture, where it is not near its last place.
        """
        index, self._count = self._count, self._count + 1
        if not self._keyframes:
            here = self._with_features(self._cut(close, _identity(), index))
            found = bool(sum(len(f) for f in here.features.values()) >= TUNING.fewest_features)
            if found:
                self._keyframes.append(here)
                self.pins = dict.fromkeys(self.regions, (index, _identity()))
            return self._note(here if found else None, dict.fromkeys(self.regions, float(found)))
        guess = self.motions[-1] if self.motions else _identity()
        seen = self._seen(close, guess, index)
        if seen is None and is_search and (place := self.searched(close)) is not None:
            seen = self._seen(close, place, index)
        if seen is None:
            return self._note(None, dict.fromkeys(self.regions, 0.0))
        is_there = self._measured(*seen)
        if is_search and self._base is not None and self._last is not None:
            self._compare(self._base, self._last)
        return is_there

    def _compare(self, base: _Cut, here: _Cut) -> None:
        """Pin the way to the base face down where the video shows the head most like it."""
        alike = _alike(base.small, here.small)
        if alike < self._likest + TUNING.liker:
            return
        links, _ = self._links(base, here)
        if len(links) == len(self.regions) and min(link.agree for link in links.values()) >= TUNING.seen:
            self._likest = alike
            to_first = base.to_video.after(self._to_first.inverse())
            self.pins = {name: (here.sample, link.motion.after(to_first)) for name, link in links.items()}

    def searched(self, close: CloseUp) -> Similarities | None:
        """Where a head like the first keyframe's is in a picture; None where none is."""
        key = self._keyframes[0]
        shrink = TUNING.searched_px / key.pixels.shape[1]
        template = tracker.thumbnail(key.pixels, TUNING.searched_px)
        to_video = abs(complex(key.to_video.a)) / abs(complex(close.to_video.a))
        width = round(close.grey.shape[1] / to_video * shrink)
        if not 16 <= width <= close.grey.shape[1]:
            return None
        # Brought to the scale at which the template is.
        flat = Similarities(a=close.to_video.a * close.grey.shape[1] / width, b=close.to_video.b)
        size = (width, max(16, round(close.grey.shape[0] * width / close.grey.shape[1])))
        whole = tracker.cut_out(close, flat, size, self._eyes_px * shrink)
        places = [(*tracker.place_of(template, whole, scale), scale) for scale in TUNING.searched_scales]
        corner, match, scale = max(places, key=lambda place: place[1])
        if match < TUNING.searched_alike:
            return None
        a = np.asarray(flat.a * scale * shrink + 0j)
        patch = Similarities(a=a, b=np.asarray(complex(flat.b) + complex(flat.a) * corner))
        return patch.after(self._to_first.inverse())

    def _seen(
        self, close: CloseUp, guess: Similarities, index: int
    ) -> tuple[CloseUp, Similarities, _Cut, int] | None:
        """Where the head is, and the keyframe that it is compared with."""
        here = self._cut(close, guess, index)
        order = sorted(self._keyframes, key=lambda key: -_alike(key.small, here.small))
        best: tuple[float, Similarities, _Cut] | None = None
        for before in [*order[:2], self._last]:
            if before is None:
                continue
            motion, agree = self._whole(before, here, TUNING.far_levels)
            least = TUNING.still_seen if before is self._last else TUNING.seen
            if motion is not None and agree >= least and (best is None or agree > best[0]):
                best = (agree, motion, before)
            if agree >= TUNING.agree_well:
                break
        if best is None:
            return None
        keyframe = best[2] if best[2] is not self._last else order[0]
        return close, best[1], keyframe, index

    def _measured(self, close: CloseUp, motion: Similarities, keyframe: _Cut, index: int) -> bool:
        here = self._cut(close, motion, index)
        agree, found = self._link(keyframe, here)
        if keyframe.sample == _NONE:
            # From now on the video's own pictures are compared.
            here = self._with_features(here)
            self._keyframes = [here]
            return self._note(here, agree)
        least = min(agree.values())
        beside = agree
        if self._last is not None and least < TUNING.plainly_seen:
            beside, _ = self._link(self._last, here)
        is_seen = least >= TUNING.seen or min(beside.values()) >= TUNING.still_seen
        if is_seen and least < TUNING.agree_well and len(self._keyframes) < TUNING.keyframes:
            here = self._with_features(here)
            self._keyframes.append(here)
        elif found and all(len(f) >= TUNING.enough_features for f in found.values()):
            here = _Cut(
                sample=index, pixels=here.pixels, small=here.small, to_video=here.to_video, features=found
            )
        else:
            here = self._with_features(here)
        return self._note(here, agree)

    def _note(self, here: _Cut | None, agree: Mapping[str, float]) -> bool:
        for name, share in agree.items():
            self.agree[name].append(share)
        self._last = here
        if here is not None:
            self.motions.append(here.to_video.after(self._to_first.inverse()))
        return here is not None

    def _whole(self, before: _Cut, here: _Cut, levels: int) -> tuple[Similarities | None, float]:
        """The head's motion from the first picture by all features, and the share that agrees."""
        features = np.concatenate(list(before.features.values()))
        if len(features) < TUNING.fewest_features:
            return None, 0.0
        found, seen = tracker.flowed(before.pixels, here.pixels, features, levels)
        if seen.sum() < TUNING.fewest_features:
            return None, 0.0
        link, _ = self._linked(before, here, features[seen], found[seen], len(seen), complex(*self._size) / 2)
        return link.motion.after(before.to_video).after(self._to_first.inverse()), link.agree

    def _link(self, before: _Cut, here: _Cut) -> tuple[dict[str, float], dict[str, Features]]:
        """Note what each part's surroundings say; the shares that agree, and the features that do."""
        links, kept = self._links(before, here)
        for name, link in links.items():
            if before.sample != _NONE:
                self.links[name].append(link)
        return {name: links[name].agree if name in links else 0.0 for name in self.regions}, kept

    def _links(self, before: _Cut, here: _Cut) -> tuple[dict[str, Link], dict[str, Features]]:
        links: dict[str, Link] = {}
        kept: dict[str, Features] = {}
        for name, features in before.features.items():
            kept[name] = np.zeros((0, 1, 2), np.float32)
            if len(features) < TUNING.fewest_features:
                continue
            found, seen = tracker.flowed(before.pixels, here.pixels, features, TUNING.neighbour_levels)
            if seen.sum() < TUNING.fewest_features:
                continue
            link, follows = self._linked(
                before, here, features[seen], found[seen], len(seen), self._middles[name]
            )
            links[name], kept[name] = link, found[seen][follows]
        return links, kept

    def _linked(
        self, before: _Cut, here: _Cut, features: Features, found: Features, of: int, middle: complex
    ) -> tuple[Link, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        return linked(
            (before.sample, before.to_video), (here.sample, here.to_video), features, found,
            of=of, middle=middle, eyes_px=self._eyes_px,
        )  # fmt: skip

    def _cut(self, close: CloseUp, motion: Similarities, index: int) -> _Cut:
        to_video = motion.after(self._to_first)
        pixels = tracker.cut_out(close, to_video, self._size, self._eyes_px)
        small = tracker.thumbnail(pixels, TUNING.thumbnail_px)
        return _Cut(sample=index, pixels=pixels, small=small, to_video=to_video, features={})

    def _with_features(self, here: _Cut) -> _Cut:
        features = {
            name: tracker.corners(here.pixels, mask, self._eyes_px) for name, mask in self._masks.items()
        }
        for name, found in features.items():
            if len(found) < TUNING.plenty_features:
                # Flat colours say hardly anything: then all of the head speaks for the part, hair and all.
                features[name] = tracker.corners(here.pixels, self._widely, self._eyes_px)
        return _Cut(
            sample=here.sample,
            pixels=here.pixels,
            small=here.small,
            to_video=here.to_video,
            features=features,
        )


def _identity() -> Similarities:
    return Similarities(a=np.asarray(1 + 0j), b=np.asarray(0j))


def _alike(one: Grey, other: Grey) -> float:
    """Correlation of two small pictures, -1 to 1."""
    a, b = one.astype(float).ravel(), other.astype(float).ravel()
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9))
