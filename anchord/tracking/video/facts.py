"""What was really in a video file, and what a person should know about it."""

from __future__ import annotations

from dataclasses import dataclass

from anchord.timeline import VideoWarning
from anchord.tracking.video.orientation import Orientation
from anchord.tracking.video.timing import Timing
from anchord.tracking.video.tracks import IN_BROWSERS


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeChange:
    """From *time_ms* on the stored pictures are *width* x *height*."""

    time_ms: float
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """What was really in the file, known once every frame was decoded."""

    timing: Timing
    frame_count: int
    width: int
    height: int
    orientation: Orientation
    alpha: bool
    codec: str
    trailing_bytes: int
    size_changes: tuple[SizeChange, ...]

    @property
    def warnings(self) -> list[VideoWarning]:
        """Everything about the file that a person may want to mend, each with a number and advice."""
        found = [self._not_for_browsers(), self._trailing_bytes(), self._size_changes()]
        return [warning for warning in found if warning is not None]

    def _not_for_browsers(self) -> VideoWarning | None:
        if self.codec in IN_BROWSERS:
            return None
        who = "some browsers on some machines play" if self.codec == "hevc" else "no browser plays"
        return VideoWarning(
            code="not_for_browsers",
            message=f"the video is {self.codec}, which {who}: the anchors are right, but for the page "
            "encode it as VP9 or H.264",
        )

    def _trailing_bytes(self) -> VideoWarning | None:
        if not self.trailing_bytes:
            return None
        return VideoWarning(
            code="trailing_bytes",
            message=f"{self.trailing_bytes} bytes behind the video's end are no part of it: players pass "
            "over them, but look at what uploaded the file",
        )

    def _size_changes(self) -> VideoWarning | None:
        if not self.size_changes:
            return None
        first, count = self.size_changes[0], len(self.size_changes)
        return VideoWarning(
            code="size_changes",
            message=f"the picture changes its size {'once' if count == 1 else f'{count} times'}, first to "
            f"{first.width}x{first.height} at {first.time_ms / 1000:.2f} s, and a page may jump with it: "
            "encode it at one size",
        )
