"""
A timeline drawn over time: way, size and roll of mouth and eyes, and what was seen. An SVG. Pure.

It is drawn here and by no library, since a few lines over a time axis are no reason for a dependency.
Curves are read as the page reads them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape
from statistics import median
from typing import NamedTuple

from msgspec import UNSET

from anchord.preview.page import stretches
from anchord.printable import printable
from anchord.reading import PARTS, Curves, Values
from anchord.timeline import Part, Timeline

_WIDE, _LEFT, _RIGHT = 1000, 74, 18
_PANEL, _BETWEEN, _TOP = 128, 30, 74
# A curve is read at so many times: every other pixel.
_POINTS = 454
# A panel shows at least so much, in its unit, so that noise does not look like motion.
_LEAST = {"px": 2.0, "%": 1.0, "°": 1.0, "": 0.2}
# An eye that is open by less is shut. From nowhere, and right on the clips that were looked at.
_SHUT = 0.25

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #16191d; }
.title { font-size: 18px; font-weight: 600; }
.faint { fill: #535a64; font-size: 12px; }
.warned { fill: #8a4b00; font-size: 12px; }
.paper { fill: #ffffff; }
.grid { stroke: #dfe3e7; stroke-width: 1; }
.gap { fill: #e9ecef; }
path { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.mouth { stroke: #1f8a3f; }
.eyes { stroke: #0b78a8; }
.second { stroke-dasharray: 5 3; }
.tracked { fill: #2ea44f; } .bridged { fill: #d99a1c; } .hidden { fill: #d64545; } .none { fill: #c4c9d0; }
.blink { fill: #6a4fb3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e9ebee; } .faint { fill: #a3abb6; } .warned { fill: #f0b657; }
  .paper { fill: #16191d; } .grid { stroke: #31363d; } .gap { fill: #22262c; }
  .mouth { stroke: #54d277; } .eyes { stroke: #58c3ef; } .none { fill: #444b55; } .blink { fill: #a58bf0; }
}
"""


class _Line(NamedTuple):
    """One curve of a panel: what it is called, its classes, and its value of (cx, cy, w, h, roll)."""

    name: str
    classes: str
    part: Part
    value: Callable[[Values], float]


class _Panel(NamedTuple):
    """Curves on one scale."""

    title: str
    unit: str
    lines: Sequence[_Line]


class _Axis(NamedTuple):
    """Time, ms, to px from the left."""

    start_ms: float
    duration_ms: float

    def x(self, time_ms: float) -> float:
        share = (time_ms - self.start_ms) / max(self.duration_ms, 1)
        return _LEFT + (_WIDE - _LEFT - _RIGHT) * min(max(share, 0.0), 1.0)


def plot(name: str, timeline: Timeline) -> str:
    """
    The SVG, about 30 kB; light or dark as the reader's screen is.

    Args:
        name: what the clip is called.
        timeline: of it.
    """
    curves = Curves.of(timeline)
    axis = _Axis(timeline.source.start_ms, timeline.source.duration_ms)
    step_ms = axis.duration_ms / _POINTS
    times = [axis.start_ms + i * step_ms for i in range(_POINTS + 1)]
    read = {part: [curves.at(part, time) for time in times] for part in PARTS}
    panels = _panels(timeline)
    seen_at = _TOP + len(panels) * (_PANEL + _BETWEEN)
    warnings = timeline.quality.warnings
    high = seen_at + 92 + 17 * len(warnings)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high}" role="img" '
        f'aria-label="{_text(name)} over time">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDE}" height="{high}"/>',
        f'<text class="title" x="{_LEFT}" y="28">{_text(name)}</text>',
        f'<text class="faint" x="{_LEFT}" y="48">{_text(_facts(timeline))}</text>',
    ]
    for i, panel in enumerate(panels):
        parts += _drawn(panel, _TOP + i * (_PANEL + _BETWEEN), axis, times, read, timeline)
    parts += _seen(timeline, axis, seen_at)
    for i, warning in enumerate(warnings):
        y = seen_at + 86 + 17 * i
        line = f"{warning.code}: {warning.message}"
        # So many letters fit into the width; the whole of it shows under a mouse.
        short = line if len(line) <= 150 else f"{line[:149]}…"
        parts.append(
            f'<text class="warned" x="{_LEFT}" y="{y}">{_text(short)}<title>{_text(line)}</title></text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panels(timeline: Timeline) -> list[_Panel]:
    frames = [sample for sample in timeline.frames if sample.status == "tracked"] or timeline.frames
    usual: dict[Part, Values] = {part: _usual([getattr(sample, part) for sample in frames]) for part in PARTS}
    lines: dict[str, list[_Line]] = {"path": [], "scale": [], "roll": []}
    for part in PARTS:
        cx, cy, w, *_ = usual[part]
        lines["path"] += [
            _Line(f"{part} across", part, part, partial(_less, 0, cx)),
            _Line(f"{part} down", f"{part} second", part, partial(_less, 1, cy)),
        ]
        lines["scale"].append(_Line(part, part, part, partial(_grown, w or 1)))
        lines["roll"].append(_Line(part, part, part, partial(_less, 4, 0.0)))
    return [
        _Panel("way from where it mostly is, target px", "px", lines["path"]),
        _Panel("size over the usual one, %", "%", lines["scale"]),
        _Panel("roll, degrees clockwise", "°", lines["roll"]),
    ]


def _less(which: int, usual: float, at: Values) -> float:
    return at[which] - usual


def _grown(usual_px: float, at: Values) -> float:
    return 100 * (at[2] / usual_px - 1)


def _usual(anchors: Sequence[object]) -> Values:
    names = ("cx", "cy", "w", "h", "roll")
    if not anchors:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    cx, cy, w, h, roll = (median(float(getattr(anchor, name)) for anchor in anchors) for name in names)
    return cx, cy, w, h, roll


def _drawn(
    panel: _Panel,
    top: int,
    axis: _Axis,
    times: Sequence[float],
    read: dict[Part, list[Values | None]],
    timeline: Timeline,
) -> Iterator[str]:
    values = {
        line.name: [None if at is None else line.value(at) for at in read[line.part]] for line in panel.lines
    }
    known = [value for row in values.values() for value in row if value is not None]
    low, high = _range(known, _LEAST[panel.unit])

    def y(value: float) -> float:
        return top + _PANEL * (high - min(max(value, low), high)) / (high - low)

    for first, last in timeline.quality.gaps:
        x = axis.x(first)
        yield f'<rect class="gap" x="{x:.1f}" y="{top}" width="{axis.x(last) - x:.1f}" height="{_PANEL}"/>'
    for tick in _ticks(low, high):
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        label = f"{tick:g} {panel.unit}".strip()
        yield f'<text class="faint" x="{_LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{label}</text>'
    yield f'<text class="faint" x="{_LEFT}" y="{top - 6}">{panel.title}</text>'
    yield from _legend(panel, top - 6)
    for line in panel.lines:
        yield f'<path class="{line.classes}" d="{_path(times, values[line.name], axis, y)}"/>'


def _legend(panel: _Panel, y: int) -> Iterator[str]:
    x = _WIDE - _RIGHT
    for line in reversed(panel.lines):
        x -= 34 + 7 * len(line.name)
        yield f'<path class="{line.classes}" d="M{x - 16} {y - 4}h14"/>'
        yield f'<text class="faint" x="{x + 2}" y="{y}">{line.name}</text>'


def _path(
    times: Sequence[float], values: Sequence[float | None], axis: _Axis, y: Callable[[float], float]
) -> str:
    """A pen that is lifted where there is no anchor."""
    path, is_down = [], False
    for time_ms, value in zip(times, values, strict=True):
        if value is not None:
            path.append(f"{'L' if is_down else 'M'}{axis.x(time_ms):.1f} {y(value):.1f}")
        is_down = value is not None
    return "".join(path)


def _range(values: Sequence[float], least: float) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    wanting = max(0.0, least - (high - low)) / 2
    margin = 0.06 * (high - low)
    return low - wanting - margin, high + wanting + margin


def _ticks(low: float, high: float) -> list[float]:
    """Two to six round numbers between the two."""
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= rough)
    first = math.ceil(low / step)
    return [round(step * (first + i), 9) for i in range(math.floor(high / step) - first + 1)]


def _seen(timeline: Timeline, axis: _Axis, top: int) -> Iterator[str]:
    """A band with what was seen, blinks below it, and the time below that."""
    source = timeline.source
    wide = _WIDE - _LEFT - _RIGHT
    yield f'<text class="faint" x="{_LEFT - 8}" y="{top + 11}" text-anchor="end">seen</text>'
    yield f'<rect class="none" x="{_LEFT}" y="{top}" width="{wide}" height="14"/>'
    for word, first, last in stretches(timeline):
        x, w = _LEFT + wide * first, max(1.0, wide * (last - first))
        yield f'<rect class="{word}" x="{x:.1f}" y="{top}" width="{w:.1f}" height="14"/>'
    yield f'<text class="faint" x="{_LEFT - 8}" y="{top + 31}" text-anchor="end">blinks</text>'
    blinks = _blinks(timeline)
    if blinks is None:
        said = 'unknown without signals (include = ["signals"])'
        yield f'<text class="faint" x="{_LEFT}" y="{top + 31}">{_text(said)}</text>'
    for first, last in blinks or ():
        x = axis.x(first)
        shut = max(2.0, axis.x(last) - x)
        yield f'<rect class="blink" x="{x:.1f}" y="{top + 20}" width="{shut:.1f}" height="12"/>'
    for tick in _ticks(source.start_ms / 1000, (source.start_ms + max(source.duration_ms, 1)) / 1000):
        x = axis.x(tick * 1000)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top + 38}" y2="{top + 44}"/>'
        yield f'<text class="faint" x="{x:.1f}" y="{top + 58}" text-anchor="middle">{tick:g} s</text>'


def _blinks(timeline: Timeline) -> list[tuple[float, float]] | None:
    """From when to when both eyes are shut, ms; None where the timeline has no signals."""
    told = [(sample.time_ms, sample.signals) for sample in timeline.frames if sample.signals is not UNSET]
    if not told:
        return None
    found: list[tuple[float, float]] = []
    was_shut = False
    for time_ms, signals in told:
        is_shut = max(signals.eye_open_left, signals.eye_open_right) < _SHUT
        if is_shut:
            found.append((found.pop()[0] if was_shut else time_ms, time_ms))
        was_shut = is_shut
    return found


def _facts(timeline: Timeline) -> str:
    quality, loop = timeline.quality, timeline.loop
    jitter = "unknown" if quality.jitter_px is None else f"{quality.jitter_px:.2f} px"
    seam = "unknown" if loop.seam_px is None else f"{loop.seam_px:.1f} px"
    return (
        f"coverage {quality.coverage:.1%} of {quality.samples} samples · jitter {jitter} · "
        f"loop {'closed' if loop.closed else 'open'}, seam {seam} · follows {quality.source}"
    )


def _text(text: str) -> str:
    return escape(printable(text))
