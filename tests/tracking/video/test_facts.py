"""What is said of a file."""

from __future__ import annotations

from dataclasses import replace

from anchord.tracking.video.facts import SizeChange, VideoFacts
from anchord.tracking.video.orientation import Orientation
from anchord.tracking.video.timing import timing

PLAIN = VideoFacts(
    timing=timing([0, 40], end_ms=80, named_fps=25),
    frame_count=2,
    width=512,
    height=640,
    orientation=Orientation(),
    alpha=False,
    codec="vp9",
    trailing_bytes=0,
    size_changes=(),
)


def said(facts: VideoFacts) -> dict[str, str]:
    return {warning.code: warning.message for warning in facts.warnings}


def test_of_a_plain_file_nothing_is_said() -> None:
    for codec in ("vp8", "vp9", "av1", "h264"):
        assert said(replace(PLAIN, codec=codec)) == {}


def test_a_codec_that_no_page_plays_is_named() -> None:
    assert "prores, which no browser plays" in said(replace(PLAIN, codec="prores"))["not_for_browsers"]
    assert "hevc, which some browsers" in said(replace(PLAIN, codec="hevc"))["not_for_browsers"]


def test_bytes_behind_the_end_are_counted() -> None:
    assert said(replace(PLAIN, trailing_bytes=30))["trailing_bytes"].startswith("30 bytes behind")


def test_a_size_that_changes_is_named_with_the_time() -> None:
    smaller = SizeChange(time_ms=1250, width=256, height=320)
    larger = SizeChange(time_ms=2000, width=512, height=640)
    once = said(replace(PLAIN, size_changes=(smaller,)))["size_changes"]
    assert "once, first to 256x320 at 1.25 s" in once
    assert "2 times, first to 256x320" in said(replace(PLAIN, size_changes=(smaller, larger)))["size_changes"]


def test_all_is_said_at_once() -> None:
    worst = replace(
        PLAIN, codec="ffv1", trailing_bytes=1, size_changes=(SizeChange(time_ms=0, width=1, height=1),)
    )
    assert set(said(worst)) == {"not_for_browsers", "trailing_bytes", "size_changes"}
