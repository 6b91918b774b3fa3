"""Frames into samples where static anchors say what is followed: look at each, let go of the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anchord.manifest import Statics
from anchord.tracking.anchors import Fit, Placement, TightBox, placement
from anchord.tracking.motion import regions, tracker
from anchord.tracking.motion.regions import Region, RegionFollower
from anchord.tracking.quality import Look
from anchord.tracking.sampling import Sampled, Turns
from anchord.tracking.video import Frame, Video

# From the top of the forehead to the chin as landmarks see it, over the distance of the eyes' corners.
_FACE_HEIGHT = 1.75


def on_video(statics: Statics, where: Placement) -> dict[str, TightBox]:
    """
    Where the static anchors lie in the pixels of a video in which the head is as in the base face.

    Args:
        statics: in target pixels.
        where: video to target pixels.
    """
    boxes = {}
    for name in ("mouth", "eyes"):
        box = getattr(statics, name)
        x, y = (
            (value - offset) / scale
            for value, offset, scale in zip(
                (box.x + box.w / 2, box.y + box.h / 2), where.offset, where.scale, strict=True
            )
        )
        boxes[name] = TightBox(
            middle=complex(x, y), width=box.w / where.scale[0], height=box.h / where.scale[1]
        )
    return boxes


def base_in_video(
    base: NDArray[np.uint8], target: tuple[int, int], where: Placement, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """
    The base face as a frame of the video: a page draws both into the same target.

    Args:
        base: (height, width, 3) its picture, which fills the target.
        target: (width, height) px.
        where: video to target pixels.
        size: (width, height) of the video.
    """
    scale = (
        target[0] / base.shape[1] / where.scale[0],
        target[1] / base.shape[0] / where.scale[1],
    )
    offset = (-where.offset[0] / where.scale[0], -where.offset[1] / where.scale[1])
    return tracker.put_into(base, scale, offset, size)


@dataclass(slots=True, kw_only=True)
class Outlining:
    """
    Follows a head through one video by its static anchors.

    Args:
        statics: where they are, target px.
        target: (width, height) px.
        fit: how the video lies in it.
        base: the picture in which they lie, which fills the target; else they lie in the first frame.

    ``boxes`` and ``following`` are there as soon as there is a frame.
    """

    statics: Statics
    target: tuple[int, int]
    fit: Fit
    base: NDArray[np.uint8] | None
    boxes: dict[str, TightBox] = field(default_factory=dict, init=False)
    following: RegionFollower | None = field(default=None, init=False)

    def _begin(self, size: tuple[int, int]) -> RegionFollower:
        where = placement(size, self.target, self.fit)
        self.boxes = on_video(self.statics, where)
        following = self.following = RegionFollower(
            {
                name: Region(middle=box.middle, width=box.width, height=box.height)
                for name, box in self.boxes.items()
            }
        )
        if self.base is not None:
            lying = base_in_video(self.base, self.target, where, size)
            following.begin(tracker.shrunk(lying, regions.head_px(following.regions)))
        return following

    def samples(
        self,
        video: Video,
        *,
        sample_rate: int,
        every_frame: bool,
        on_progress: Callable[[int, int], None],
    ) -> Iterator[Sampled]:
        """
        Every n-th frame (see ``sampling.Turns``) and the last one, and the frames between them, with
        whether the head is in them.

        Args:
            video: opened.
            sample_rate: n.
            every_frame: whether frames between samples are followed.
            on_progress: called with frames decoded and frames expected (0: unknown).
        """
        turns, expected = Turns(sample_rate), video.frames_expected
        last: Frame | None = None
        # One behind, since only after the last frame it is known that it was that.
        for frame in video.frames():
            on_progress(frame.index + 1, expected)
            if last is not None and every_frame:
                yield self._seen(last, is_sample=False)
            last = None if turns.has_come(frame.time_ms) else frame
            if last is None:
                yield self._seen(frame, is_sample=True)
        if last is not None:
            yield self._seen(last, is_sample=True, is_extra=True)

    def _seen(self, frame: Frame, *, is_sample: bool, is_extra: bool = False) -> Sampled:
        following = self.following or self._begin((frame.width, frame.height))
        head_px, pixels = regions.head_px(following.regions), frame.rgb()
        is_there = following.add(tracker.shrunk(pixels, head_px), is_search=is_sample)
        look = Look(
            time_ms=frame.time_ms,
            brightness=float(pixels[::8, ::8].mean()),
            faces=int(is_there),
            height=_FACE_HEIGHT * head_px * following.scale / frame.height if is_there else None,
        )
        return Sampled(
            index=frame.index,
            time_ms=frame.time_ms,
            is_extra=is_extra,
            look=look if is_sample else None,
            is_seen=is_there,
        )
