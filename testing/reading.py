"""
A timeline as it is read: by our page, along a cubic curve, or by a reader that draws straight lines.

It takes JSON as any reader does and knows nothing of what wrote it. The curve is the product's own
(``anchord/reading.py``), which is the page's; a test of the page holds the two together.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from anchord import Anchor, Timeline, anchor_at, read_timeline
from anchord.placing import placed, references
from anchord.reading import PARTS, Curves, Values
from anchord.timeline import Part

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
How = Literal["page", "straight"]

_NOTHING = (np.nan,) * 5


class Reading:
    """
    One timeline.

    Args:
        document: the parsed ``anchors_timeline.json``.
        how: along a cubic, as our page does, or along straight lines.
    """

    def __init__(self, document: dict[str, Any], how: How = "page") -> None:
        self.document = document
        self.how = how
        self.samples_ms = np.array([frame["time_ms"] for frame in document["frames"]], float)
        self._curves = Curves.of_document(document)
        self.gaps = self._curves.gaps

    def at(self, part: str, times_ms: Floats) -> Floats:
        """(m, 5) the values at those times, in target px and degrees; NaN where there is no anchor."""
        read = self._curves.at if self.how == "page" else self._straight
        values = [read(cast("Part", part), float(time)) or _NOTHING for time in times_ms]
        return np.array(values, float).reshape(-1, 5)

    def _straight(self, part: Part, time_ms: float) -> Values | None:
        found = self._curves.segment(time_ms)
        if found is None:
            return None
        before, after, u = found
        rows = self._curves.rows[part]
        cx, cy, w, h, roll = (a + u * (b - a) for a, b in zip(rows[before], rows[after], strict=True))
        return cx, cy, w, h, roll

    def placement(self, size: tuple[int, int]) -> tuple[Floats, Floats]:
        """Scale and offset, per axis, from the pixels of a video of (width, height) to the target's."""
        target = self.document["target"]
        ratios = np.array([target["width"], target["height"]]) / size
        fit = target.get("fit", "contain")
        if fit != "fill":
            ratios = np.full(2, ratios.min() if fit == "contain" else ratios.max())
        return ratios, (np.array([target["width"], target["height"]]) - ratios * size) / 2

    def hidden(self, part: str, times_ms: Floats) -> Mask:
        """(m,) whether the last sample at or before those times marks the part as hidden."""
        marks = np.array([part in frame.get("hidden", ()) for frame in self.document["frames"]], bool)
        return np.asarray(marks[self._last(times_ms)])

    def is_tracked(self, times_ms: Floats) -> Mask:
        """(m,) whether the sample nearest to those times saw the face, and no gap is there."""
        tracked = np.array([frame["status"] == "tracked" for frame in self.document["frames"]], bool)
        nearest = np.abs(self.samples_ms[None, :] - times_ms[:, None]).argmin(axis=1)
        shown = np.array([not any(a <= time <= b for a, b in self.gaps) for time in times_ms], bool)
        return np.asarray(tracked[nearest] & shown)

    def _last(self, times_ms: Floats) -> NDArray[np.intp]:
        return np.maximum(np.searchsorted(self.samples_ms, times_ms, side="right") - 1, 0)


#: Where the page's test says that mouth and eyes lie on the base face.
STATICS: dict[Part, Values] = {"mouth": (256, 460, 160, 120, 0), "eyes": (256, 280, 232, 80, 4)}


def _placed(timeline: Timeline, part: Part, anchors: Sequence[Anchor | None]) -> list[Values | None]:
    """Where a sprite lies, for each anchor."""
    reference = references(timeline, Curves.of(timeline), STATICS)[part]
    return [
        None if a is None else placed((a.cx, a.cy, a.w, a.h, a.roll), reference, STATICS[part])
        for a in anchors
    ]


def main() -> None:
    """``python -m testing.reading [TIMELINE TIMES.json]...``: the library's anchors then, as JSON."""
    said = []
    for file, times in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        timeline = read_timeline(file)
        read = {
            part: [anchor_at(timeline, part, time) for time in json.loads(Path(times).read_text())]
            for part in PARTS
        }
        said.append(
            {part: [a and [a.cx, a.cy, a.w, a.h, a.roll] for a in anchors] for part, anchors in read.items()}
            | {"placed": {part: _placed(timeline, part, read[part]) for part in PARTS if timeline.frames}}
        )
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
