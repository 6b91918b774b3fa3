"""
A timeline as it is read: by our page, along a cubic curve, or by a reader that draws straight lines.

It takes JSON as any reader does and knows nothing of what wrote it. The curve is that of
``web/src/timeline.js``; a test holds the two together.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
How = Literal["page", "straight"]

#: Columns of what is read.
VALUES = ("cx", "cy", "w", "h", "roll")


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
        frames = document["frames"]
        self.samples_ms = np.array([frame["time_ms"] for frame in frames], float)
        self.duration_ms = float(document["source"]["duration_ms"])
        self.gaps = [(float(first), float(last)) for first, last in document["quality"]["gaps"]]
        rows = {
            part: np.array([_values(frame[part]) for frame in frames]).reshape(len(frames), 5)
            for part in ("mouth", "eyes")
        }
        times = self.samples_ms
        span = times[-1] - times[0] if len(times) else 0.0
        self.is_closed = bool(document["loop"]["closed"]) and self.duration_ms > span
        if self.is_closed:
            times = np.append(times, times[0] + self.duration_ms)
            rows = {part: np.vstack([row, row[:1]]) for part, row in rows.items()}
        self._times = times
        self._is_joined = np.array(
            [
                i + 1 < len(times)
                and not any(first < times[i + 1] and last > times[i] for first, last in self.gaps)
                for i in range(len(times))
            ],
            bool,
        )
        self._rows: dict[str, Floats] = {}
        self._slopes: dict[str, Floats] = {}
        for part, row in rows.items():
            for i in range(1, len(row)):
                # The shorter way round.
                row[i, 4] -= 360 * round((row[i, 4] - row[i - 1, 4]) / 360)
            self._rows[part], self._slopes[part] = row, self._through(row)

    def _through(self, rows: Floats) -> Floats:
        """The slope at each sample: of the parabola through it and its neighbours."""
        last = len(self._times) - 1
        slopes = np.zeros_like(rows)
        for i in range(last + 1):
            before = last - 1 if self.is_closed and i == 0 else i - 1
            after = 0 if self.is_closed and i == last else i
            a, b = self._span(before), self._span(after)
            come = (rows[before + 1] - rows[before]) / a if a else np.zeros(5)
            go = (rows[after + 1] - rows[after]) / b if b else np.zeros(5)
            slopes[i] = (b * come + a * go) / (a + b) if a and b else come + go
        return slopes

    def _span(self, i: int) -> float:
        if i < 0 or not self._is_joined[i]:
            return 0.0
        return float(self._times[i + 1] - self._times[i])

    def at(self, part: str, times_ms: Floats) -> Floats:
        """(m, 5) the values at those times, in target px and degrees; NaN where there is no anchor."""
        return np.array([self._at(part, float(time)) for time in times_ms]).reshape(-1, 5)

    def _at(self, part: str, time_ms: float) -> Floats:
        nothing: Floats = np.full(5, np.nan)
        times = self._times
        if not len(times) or any(first <= time_ms <= last for first, last in self.gaps):
            return nothing
        at = time_ms + self.duration_ms if self.is_closed and time_ms < times[0] else time_ms
        i = max(0, int(np.searchsorted(times, at, side="right")) - 1)
        following = i + 1
        if not self._is_joined[i]:
            # Beside a gap the face stays where it was last, or will be first, seen.
            if following < len(times) and times[following] - at < at - times[i]:
                i = following
            following = i
        rows, slopes = self._rows[part], self._slopes[part]
        span = float(times[following] - times[i])
        u = min(1.0, max(0.0, (at - times[i]) / span)) if span else 0.0
        if self.how == "straight":
            return np.asarray(rows[i] + u * (rows[following] - rows[i]))
        return np.asarray(
            rows[i]
            + u * u * (3 - 2 * u) * (rows[following] - rows[i])
            + u * (1 - u) ** 2 * span * slopes[i]
            + u * u * (u - 1) * span * slopes[following]
        )

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


def _values(anchor: dict[str, float]) -> tuple[float, ...]:
    """First versions have neither centre nor roll."""
    w, h = anchor["w"], anchor["h"]
    return (
        anchor.get("cx", anchor["x"] + w / 2),
        anchor.get("cy", anchor["y"] + h / 2),
        w,
        h,
        anchor.get("roll", 0.0),
    )


def main() -> None:
    """``python -m testing.reading TIMELINE TIMES.json``: the anchors at those times, as JSON."""
    document, times = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    reading = Reading(document)
    both = {part: reading.at(part, np.array(times, float)) for part in ("mouth", "eyes")}
    said = {
        part: [None if np.isnan(row).any() else row.tolist() for row in rows] for part, rows in both.items()
    }
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
