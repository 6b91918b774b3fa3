"""A contact sheet: the moments of a clip with their anchors, and the clip's story in a bar below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import UNSET

from anchord.preview.drawing import COLOURS, Pixels, boxed, written
from anchord.preview.moments import Moment
from anchord.reading import PARTS, Curves
from anchord.timeline import Quality, Sample, Timeline

#: A tile's longer side, px; so that a sheet of twelve fits a screen.
TILE_PX = 320
#: So many tiles.
TILES = 12

_GAP, _HEAD, _CAPTION, _BAR = 8, 78, 24, 34


class Tile(NamedTuple):
    """A moment and its picture."""

    moment: Moment
    picture: Pixels


def tile_scale(timeline: Timeline) -> float:
    """Pixels of a tile for one of the target."""
    return TILE_PX / max(timeline.target.width, timeline.target.height)


def marked(canvas: Pixels, timeline: Timeline, curves: Curves, time_ms: float, scale: float) -> None:
    """
    Draw both anchors in place, as the page reads them.

    What is hidden is red, what is bridged or held is dashed and amber.
    """
    sample = nearest(timeline, time_ms)
    for part in PARTS:
        at = curves.at(part, time_ms)
        if at is None or sample is None:
            continue
        is_hidden = sample.hidden is not UNSET and part in sample.hidden
        is_seen = sample.status == "tracked"
        colour = COLOURS["hidden" if is_hidden else part if is_seen else "bridged"]
        cx, cy, w, h, roll = at
        place = (cx * scale, cy * scale, w * scale, h * scale, roll)
        boxed(canvas, place, colour, is_dashed=not is_seen, width=2 if scale > 0.8 else 1)


def nearest(timeline: Timeline, time_ms: float) -> Sample | None:
    """The sample nearest to a time; None where there is none."""
    return min(timeline.frames, key=lambda sample: abs(sample.time_ms - time_ms), default=None)


def sheet(name: str, timeline: Timeline, tiles: Sequence[Tile]) -> Pixels:
    """
    The whole picture.

    Args:
        name: what the clip is called.
        timeline: of it.
        tiles: in order of time, all of one size.
    """
    height, width = tiles[0].picture.shape[:2] if tiles else (TILE_PX, TILE_PX)
    across = min(max(len(tiles), 3), 6 if height >= width else 4)
    down = -(-len(tiles) // across) if tiles else 0
    wide = _GAP + across * (width + _GAP)
    tall = _HEAD + down * (height + _CAPTION + _GAP) + _BAR
    page = np.full((tall, wide, 3), COLOURS["paper"], np.uint8)
    _head(page, name, timeline)
    for i, (moment, picture) in enumerate(tiles):
        left = _GAP + (i % across) * (width + _GAP)
        top = _HEAD + (i // across) * (height + _CAPTION + _GAP)
        page[top : top + height, left : left + width] = picture
        end = written(page, f"{moment.time_ms / 1000:.2f} s", (left, top + height + 17), COLOURS["ink"])
        written(page, moment.why, (end + 8, top + height + 17), COLOURS["faint"], 0.42)
    _bar(page, timeline, [tile.moment.time_ms for tile in tiles])
    return page


def _head(page: Pixels, name: str, timeline: Timeline) -> None:
    source, quality = timeline.source, timeline.quality
    written(page, name[:60], (_GAP, 26), COLOURS["ink"], 0.7)
    seam = f"{timeline.loop.seam_px:.1f} px" if timeline.loop.seam_px is not None else "unknown"
    facts = [
        f"coverage {quality.coverage:.1%}",
        f"jitter {quality.jitter_px:.2f} px" if quality.jitter_px is not None else "jitter unknown",
        f"loop {'closed' if timeline.loop.closed else 'open'}, seam {seam}",
        f"{source.width}x{source.height} {source.codec}, {source.frame_count} frames in "
        f"{source.duration_ms / 1000:.1f} s",
        f"follows {quality.source}",
    ]
    written(page, "   ".join(facts), (_GAP, 47), COLOURS["faint"])
    written(page, *_warned(quality))


def _warned(quality: Quality) -> tuple[str, tuple[int, int], tuple[int, int, int]]:
    codes = ", ".join(warning.code for warning in quality.warnings)
    colour = COLOURS["bridged" if codes else "mouth"]
    return codes or "no warnings", (_GAP, 67), colour


#: What a stretch of the clip may be -> how it is drawn.
_STRETCHES: Mapping[str, str] = {
    "tracked": "mouth",
    "interpolated": "bridged",
    "held": "bridged",
    "hidden": "hidden",
}


def _bar(page: Pixels, timeline: Timeline, times_ms: Sequence[float]) -> None:
    """The clip from its begin to its end: what each sample saw, and where the tiles are."""
    top, left, right = int(page.shape[0]) - _BAR + 12, _GAP, int(page.shape[1]) - _GAP
    source = timeline.source
    page[top : top + 8, left:right] = COLOURS["none"]

    def across(time_ms: float) -> int:
        share = (time_ms - source.start_ms) / max(source.duration_ms, 1)
        return left + round((right - left) * min(max(share, 0), 1))

    frames = timeline.frames
    ends = [sample.time_ms for sample in frames[1:]] + [source.start_ms + source.duration_ms]
    for sample, end in zip(frames, ends, strict=False):  # without samples there is one end, and no begin
        word = "hidden" if sample.hidden is not UNSET and sample.hidden else sample.status
        page[top : top + 8, across(sample.time_ms) : across(end)] = COLOURS[_STRETCHES[word]]
    for first, last in timeline.quality.gaps:
        page[top : top + 8, across(first) : across(last)] = COLOURS["none"]
    for time_ms in times_ms:
        at = min(across(time_ms), right - 2)
        page[top - 5 : top + 13, at : at + 2] = COLOURS["ink"]
