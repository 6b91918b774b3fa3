"""Which moments of a clip a person ought to look at: where something happens in its timeline. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from msgspec import UNSET

from anchord.reading import PARTS
from anchord.timeline import Sample, Timeline

#: A strip that moves under a finger or a mouse has so many pictures; page.css goes through as many.
STRIP_FRAMES = 8

# Two moments nearer than this look alike, ms.
_ALIKE_MS = 70.0
# What a face must move for an extreme to be worth a look: target px, share of its size, degrees.
_MOVES_PX, _GROWS, _TURNS_DEG = 2.0, 0.02, 1.0
# A tile has room for so many words.
_WORDS = 2


class Moment(NamedTuple):
    """
    A time of the clip, and what is to be seen there; empty where it is only one among others.

    Args:
        time_ms: presentation time.
        why: in a word or two.
    """

    time_ms: float
    why: str


def moments(timeline: Timeline, most: int) -> list[Moment]:
    """
    The moments worth a look, in order of time: the loop's ends, gaps, what is hidden, bridged or held, the
    extremes of motion; and others between them, until there are *most*, or the clip has no more.
    """
    chosen: list[tuple[float, list[str]]] = []
    for time_ms, word in _candidates(timeline):
        near = next((words for at, words in chosen if abs(at - time_ms) < _ALIKE_MS), None)
        if near is not None:
            if word not in near and len(near) < _WORDS:
                near.append(word)
        elif len(chosen) < most:
            chosen.append((time_ms, [word]))
    times = [time for time, _ in chosen]
    chosen += [(time_ms, []) for time_ms in _between(times, most - len(chosen))]
    return [Moment(time_ms, ", ".join(words)) for time_ms, words in sorted(chosen)]


def spread(timeline: Timeline, count: int) -> list[float]:
    """So many times, ms, spread evenly over the clip, the first frame first: for a strip that moves."""
    source = timeline.source
    return [source.start_ms + source.duration_ms * i / count for i in range(count)]


def _candidates(timeline: Timeline) -> Iterator[tuple[float, str]]:
    source, frames = timeline.source, timeline.frames
    frame_ms = source.duration_ms / max(source.frame_count, 1)
    yield source.start_ms, "first frame"
    yield source.start_ms + source.duration_ms - frame_ms, "last frame"
    # A long clip with many of them shows some of each kind.
    for first, last in timeline.quality.gaps[:3]:
        yield (first + last) / 2, "no face"
    for part in PARTS:
        yield from _middles(frames, partial(_is_hidden, part), f"{part} hidden")
    yield from _middles(frames, lambda sample: sample.status == "interpolated", "bridged")
    yield from _middles(frames, lambda sample: sample.status == "held", "held")
    yield from _extremes([sample for sample in frames if sample.status == "tracked"])


def _is_hidden(part: str, sample: Sample) -> bool:
    return sample.hidden is not UNSET and part in sample.hidden


def _middles(
    frames: Sequence[Sample], holds: Callable[[Sample], bool], word: str, most: int = 2
) -> Iterator[tuple[float, str]]:
    """The middles of the longest stretches of samples of which something *holds*."""
    runs: list[list[Sample]] = [[]]
    for sample in frames:
        if holds(sample):
            runs[-1].append(sample)
        elif runs[-1]:
            runs.append([])
    for run in sorted((run for run in runs if run), key=len, reverse=True)[:most]:
        yield run[len(run) // 2].time_ms, word


def _extremes(frames: Sequence[Sample]) -> Iterator[tuple[float, str]]:
    if len(frames) < 3:
        return
    size = median(sample.eyes.w for sample in frames)
    measures: list[tuple[Callable[[Sample], float], float, str, str]] = [
        (lambda sample: sample.eyes.cx, _MOVES_PX, "leftmost", "rightmost"),
        (lambda sample: sample.eyes.cy, _MOVES_PX, "highest", "lowest"),
        (lambda sample: sample.eyes.w / size, _GROWS, "farthest", "nearest"),
        (lambda sample: sample.eyes.roll, _TURNS_DEG, "tilted left", "tilted right"),
    ]
    for measure, least, low, high in measures:
        values = [measure(sample) for sample in frames]
        if max(values) - min(values) >= least:
            yield frames[values.index(min(values))].time_ms, low
            yield frames[values.index(max(values))].time_ms, high


def _between(times: Sequence[float], count: int) -> Iterator[float]:
    """So many times more, each in the middle of the longest stretch without one."""
    known = sorted(times)
    for _ in range(count):
        spans = [(b - a, a) for a, b in pairwise(known)]
        if not spans or max(spans)[0] < 2 * _ALIKE_MS:
            return
        span, start = max(spans)
        known = sorted([*known, start + span / 2])
        yield start + span / 2
