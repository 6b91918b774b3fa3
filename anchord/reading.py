"""
A timeline as it is read: where mouth and eyes are at any time. Pure, and without NumPy.

The curve is that of the page (``web/src/timeline.js``), operation for operation, so that what a program
draws and what a page draws lie on one another; a test of the page holds the two together.
"""

from __future__ import annotations

import math
import weakref
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from anchord.errors import ArgumentError
from anchord.timeline import Anchor, Part, Timeline

#: cx, cy, w, h in target pixels, and roll in degrees clockwise.
Values = tuple[float, float, float, float, float]

PARTS: tuple[Part, ...] = get_args(Part)
_NOWHERE: Values = (0.0, 0.0, 0.0, 0.0, 0.0)


class Curves:
    """
    Smooth curves through the samples of one video: cubic, with the slope of the parabola through each sample
    and its neighbours. Made once, then only read, from any number of threads.

    Args:
        times_ms: presentation times of the samples, rising.
        rows: part -> its values at each of them.
        duration_ms: of the video, by which a closed loop comes round.
        is_closed: whether the last sample leads back to the first.
        gaps: first and last time, ms, of stretches in which no face is in sight.

    Attributes:
        times_ms: as given; in a closed loop the first sample follows once more, one round later.
        rows: likewise, with roll unwound, so that it takes the shorter way from sample to sample.
    """

    def __init__(
        self,
        *,
        times_ms: Sequence[float],
        rows: Mapping[Part, Sequence[Values]],
        duration_ms: float = 0.0,
        is_closed: bool = False,
        gaps: Sequence[tuple[float, float]] = (),
    ) -> None:
        times = list(times_ms)
        self.is_closed = is_closed and bool(times) and duration_ms > times[-1] - times[0]
        self.duration_ms = duration_ms
        self.gaps = list(gaps)
        if self.is_closed:
            times.append(times[0] + duration_ms)
        self.times_ms = times
        self._is_joined = [
            i + 1 < len(times) and not any(first < times[i + 1] and last > time for first, last in self.gaps)
            for i, time in enumerate(times)
        ]
        self.rows: dict[Part, list[Values]] = {}
        self._slopes: dict[Part, list[Values]] = {}
        for part, row in rows.items():
            unwound = _unwound([*row, row[0]] if self.is_closed else row)
            self.rows[part], self._slopes[part] = unwound, self._through(unwound)

    @classmethod
    def of(cls, timeline: Timeline) -> Curves:
        """The curves of a timeline that anchord wrote."""
        rows: dict[Part, list[Values]] = {
            part: [(a.cx, a.cy, a.w, a.h, a.roll) for a in (getattr(s, part) for s in timeline.frames)]
            for part in PARTS
        }
        return cls(
            times_ms=[sample.time_ms for sample in timeline.frames],
            rows=rows,
            duration_ms=timeline.source.duration_ms,
            is_closed=timeline.loop.closed,
            gaps=timeline.quality.gaps,
        )

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Curves:
        """
        The curves of a parsed ``anchors_timeline.json``, whoever wrote it.

        First versions have neither centre nor roll nor duration, and are read as the page reads them.
        """
        frames, source = document["frames"], document.get("source", {})
        count, fps = source.get("frame_count"), source.get("fps")
        duration_ms = source.get("duration_ms") or (1000 * count / fps if count and fps else 0)
        return cls(
            times_ms=[frame["time_ms"] for frame in frames],
            rows={part: [_values(frame[part]) for frame in frames] for part in PARTS},
            duration_ms=float(duration_ms),
            is_closed=document.get("loop", {}).get("closed") is True,
            gaps=[(first, last) for first, last in document.get("quality", {}).get("gaps", ())],
        )

    def segment(self, time_ms: float) -> tuple[int, int, float] | None:
        """
        Between which samples a time lies: the one before, the one after, and how far on the way, 0 to 1.

        Returns:
            None where no face is in sight.
        """
        times = self.times_ms
        if not times or any(first <= time_ms <= last for first, last in self.gaps):
            return None
        at = time_ms + self.duration_ms if self.is_closed and time_ms < times[0] else time_ms
        i = max(0, bisect_right(times, at) - 1)
        following = i + 1
        if not self._is_joined[i]:
            # Beside a gap the face stays where it was last, or will be first, seen.
            if following < len(times) and times[following] - at < at - times[i]:
                i = following
            following = i
        span = times[following] - times[i]
        return i, following, min(1.0, max(0.0, (at - times[i]) / span)) if span else 0.0

    def at(self, part: Part, time_ms: float) -> Values | None:
        """Values of *part* at a presentation time; None where no face is in sight."""
        found = self.segment(time_ms)
        if found is None:
            return None
        i, following, u = found
        span = self.times_ms[following] - self.times_ms[i]
        arrived = u * u * (3 - 2 * u)
        leaving = u * (1 - u) * (1 - u) * span
        arriving = u * u * (u - 1) * span
        rows, slopes = self.rows[part], self._slopes[part]
        return _each(
            a + arrived * (b - a) + leaving * from_a + arriving * to_b
            for a, b, from_a, to_b in zip(rows[i], rows[following], slopes[i], slopes[following], strict=True)
        )

    def _through(self, rows: Sequence[Values]) -> list[Values]:
        """The slope at each sample: of the parabola through it and its neighbours."""
        last = len(self.times_ms) - 1
        slopes = []
        for i in range(last + 1):
            before = last - 1 if self.is_closed and i == 0 else i - 1
            after = 0 if self.is_closed and i == last else i
            # Where there is no way to a neighbour, the other way alone says how fast it goes.
            a, b = self._span(before), self._span(after)
            come = _rate(rows[before], rows[before + 1], a) if a else _NOWHERE
            go = _rate(rows[after], rows[after + 1], b) if b else _NOWHERE
            slopes.append(
                _each((b * c + a * g) / (a + b) if a and b else c + g for c, g in zip(come, go, strict=True))
            )
        return slopes

    def _span(self, i: int) -> float:
        return self.times_ms[i + 1] - self.times_ms[i] if i >= 0 and self._is_joined[i] else 0.0


def anchor_at(timeline: Timeline, part: Part, time_ms: float) -> Anchor | None:
    """
    Where the overlay of *part* belongs at a time, just as the page draws it.

    The first call for a timeline works out its curves; every other one takes microseconds.

    Args:
        timeline: from :func:`read_timeline` or :func:`extract`. It is taken as unchanging.
        part: ``"mouth"`` or ``"eyes"``.
        time_ms: presentation time of the frame that is shown, ms; any time at all: before the first
            sample and after the last one the anchor is held, or, in a closed loop, leads on.

    Returns:
        The anchor in target pixels and degrees clockwise; None where no face is in sight: inside a gap,
        or in a clip without a face.

    Raises:
        ArgumentError: there is no such part, or the time is not a finite number.
    """
    if part not in PARTS:
        raise ArgumentError(f"part = {part!r}: must be one of {', '.join(PARTS)}")
    if not math.isfinite(time_ms):
        raise ArgumentError(f"time_ms = {time_ms!r}: must be a finite number of milliseconds")
    found = _curves_of(timeline).at(part, time_ms)
    if found is None:
        return None
    cx, cy, w, h, roll = found
    return Anchor(x=cx - w / 2, y=cy - h / 2, w=w, h=h, cx=cx, cy=cy, roll=roll)


# By identity: a timeline holds lists, so it has no hash. An entry goes with its timeline.
_known: dict[int, tuple[weakref.ref[Timeline], Curves]] = {}


def _curves_of(timeline: Timeline) -> Curves:
    name = id(timeline)
    entry = _known.get(name)
    if entry is not None and entry[0]() is timeline:
        return entry[1]
    curves = Curves.of(timeline)
    _known[name] = (weakref.ref(timeline, lambda _gone: _known.pop(name, None)), curves)
    return curves


def _values(anchor: Mapping[str, float]) -> Values:
    """First versions have neither centre nor roll."""
    w, h = anchor["w"], anchor["h"]
    cx = anchor["cx"] if "cx" in anchor else anchor["x"] + w / 2
    cy = anchor["cy"] if "cy" in anchor else anchor["y"] + h / 2
    return cx, cy, w, h, anchor.get("roll", 0.0)


def _unwound(rows: Sequence[Values]) -> list[Values]:
    found: list[Values] = []
    for *place, roll in rows:
        if found:
            # The shorter way round; a half turn goes the way that JavaScript's Math.round sends it.
            roll -= 360 * math.floor((roll - found[-1][4]) / 360 + 0.5)
        found.append((place[0], place[1], place[2], place[3], roll))
    return found


def _rate(here: Values, there: Values, span_ms: float) -> Values:
    return _each((b - a) / span_ms for a, b in zip(here, there, strict=True))


def _each(values: Any) -> Values:
    cx, cy, w, h, roll = values
    return cx, cy, w, h, roll
