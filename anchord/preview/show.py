"""The order of the steps from a clip and its timeline to what a person looks at. Runs in the worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader

import numpy as np

from anchord import timeline as format_
from anchord.errors import VideoError
from anchord.preview import film
from anchord.preview.drawing import COLOURS, Pixels, jpeg, shown, written
from anchord.preview.dressing import Dressing
from anchord.preview.moments import STRIP_FRAMES, Moment, moments, spread
from anchord.preview.sheet import TILES, Tile, marked, sheet, tile_scale
from anchord.reading import Curves
from anchord.settings import Limits
from anchord.sprites.warp import Matrix, packed
from anchord.timeline import Timeline
from anchord.tracking.anchors import placement
from anchord.tracking.video import Video

# A strip's height, px; at this quality one of eight pictures has 10 to 30 kB.
_STRIP_PX, _STRIP_QUALITY = 160, 62
# H.264 and VP9 halve the sides of the colours.
_EVEN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    A clip to be shown.

    Args:
        streams: what is opened: video and timeline, and of manifest, mouth, mouth_mask, eyes_mask, eyes_open,
            eyes_half, eyes_closed those that there are.
        name: what the picture calls it.
        limits: of the video.
        threads: how many may decode.
    """

    streams: Mapping[str, BufferedReader]
    name: str
    limits: Limits
    threads: int

    def timeline(self) -> Timeline:
        """Its timeline, which the parent checked."""
        return format_.decode(self.streams["timeline"].read())

    def video(self) -> Video:
        """Its clip, from the beginning."""
        stream = self.streams["video"]
        stream.seek(0)
        return Video(stream=stream, name=self.name, limits=self.limits, threads=self.threads)


def show(
    what: Shown,
    wanted: Collection[str],
    *,
    at_most: int,
    on_progress: Callable[[int, int], None] = lambda done, expected: None,
) -> dict[str, bytes]:
    """
    What was asked for, by name.

    Args:
        what: the clip.
        wanted: of ``sheet`` (PNG), ``strip`` (JPEG), ``webm`` and ``mp4``.
        at_most: so many bytes has a film.
        on_progress: called with frames decoded and frames expected (0: unknown).

    Raises:
        VideoError: the clip can't be decoded, or is not the one that the timeline was made of.
    """
    timeline = what.timeline()
    curves = Curves.of(timeline)
    asked: dict[str, list[Moment]] = {}
    if "sheet" in wanted:
        asked["sheet"] = moments(timeline, TILES)
    if "strip" in wanted:
        asked["strip"] = [Moment(time_ms, "") for time_ms in spread(timeline, STRIP_FRAMES)]
    made: dict[str, bytes] = {}
    if asked:
        times = sorted({moment.time_ms for group in asked.values() for moment in group})
        found = _pictures(what, timeline, times, on_progress)
        scale = tile_scale(timeline)
        for time_ms, picture in found.items():
            marked(picture, timeline, curves, time_ms, scale)
        if "sheet" in asked:
            tiles = [Tile(moment, found[moment.time_ms]) for moment in asked["sheet"]]
            made["sheet"] = packed(sheet(what.name, timeline, tiles).astype(np.float32))
        if "strip" in asked:
            made["strip"] = _strip([found[moment.time_ms] for moment in asked["strip"]])
    kinds: tuple[film.Kind, ...] = ("webm", "mp4")
    for kind in kinds:
        if kind in wanted:
            made[kind] = film.encoded(
                _dressed(what, timeline, curves, on_progress),
                kind,
                fps=timeline.source.fps or 25,
                sound=(what.streams["video"], what.name),
                at_most=at_most,
            )
    return made


def _pictures(
    what: Shown, timeline: Timeline, times_ms: Sequence[float], on_progress: Callable[[int, int], None]
) -> dict[float, Pixels]:
    """The frame that a player shows at each of those times, which rise, laid out as tiles."""
    scale = tile_scale(timeline)
    size = (max(1, round(timeline.target.width * scale)), max(1, round(timeline.target.height * scale)))
    found: dict[float, Pixels] = {}
    waiting = list(times_ms)
    with what.video() as video:
        before = None
        for frame in video.frames():
            on_progress(frame.index + 1, video.frames_expected)
            # A frame stands until the next one begins; times are rounded to a thousandth.
            while waiting and before is not None and frame.time_ms > waiting[0] + 0.01:
                found[waiting.pop(0)] = _laid_out(before.rgb(), timeline, size, scale)
            before = frame
            if not waiting:
                break
        while waiting and before is not None:
            found[waiting.pop(0)] = _laid_out(before.rgb(), timeline, size, scale)
    return found


def _laid_out(pixels: Pixels, timeline: Timeline, size: tuple[int, int], scale: float) -> Pixels:
    """A frame as it lies in the target, *scale* px for each of the target's."""
    return shown(pixels, _to_video(timeline, pixels.shape[1::-1], scale), size)


def _to_video(timeline: Timeline, video: tuple[int, ...], scale: float) -> Matrix:
    target = timeline.target
    where = placement((video[0], video[1]), (target.width, target.height), target.fit)
    (sx, sy), (ox, oy) = where.scale, where.offset
    return np.array([[1 / (scale * sx), 0, -ox / sx], [0, 1 / (scale * sy), -oy / sy]])


def _strip(pictures: Sequence[Pixels]) -> bytes:
    """Pictures side by side, all of one height."""
    height, width = pictures[0].shape[:2]
    narrow = max(1, round(width * _STRIP_PX / height))
    grow = np.array([[width / narrow, 0, 0], [0, height / _STRIP_PX, 0]])
    return jpeg(
        np.concatenate([shown(picture, grow, (narrow, _STRIP_PX)) for picture in pictures], axis=1),
        _STRIP_QUALITY,
    )


def _dressed(
    what: Shown, timeline: Timeline, curves: Curves, on_progress: Callable[[int, int], None]
) -> Iterator[tuple[float, Pixels]]:
    """Every frame of the clip with its sprites, or, without any, with its anchors."""
    target = timeline.target
    size = (target.width - target.width % _EVEN, target.height - target.height % _EVEN)
    if min(size) < _EVEN:
        raise VideoError(f"a target of {target.width}x{target.height} px is too small for a film")
    dressing = _dressing(what, timeline, curves)
    with what.video() as video:
        for frame in video.frames():
            on_progress(frame.index + 1, video.frames_expected)
            canvas = _laid_out(frame.rgb(), timeline, size, 1.0)
            if dressing:
                dressing.draw(canvas, frame.time_ms, 1.0, since_ms=frame.time_ms - timeline.source.start_ms)
            else:
                marked(canvas, timeline, curves, frame.time_ms, 1.0)
            written(canvas, f"{frame.time_ms / 1000:.2f} s", (8, size[1] - 10), COLOURS["ink"], 0.5)
            yield frame.time_ms, canvas


def _dressing(what: Shown, timeline: Timeline, curves: Curves) -> Dressing | None:
    """The pack's sprites; None where it has none that can be laid over the clip."""
    contents = {
        name: stream.read() for name, stream in what.streams.items() if name not in ("video", "timeline")
    }
    if not timeline.frames or not any(name in contents for name in ("mouth", "eyes_open")):
        return None
    try:
        manifest = json.loads(contents.pop("manifest", b"{}"))
    except ValueError:
        manifest = {}
    found = Dressing(manifest, contents, timeline, curves)
    return found if found.parts else None
