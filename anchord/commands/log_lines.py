"""The daemon's log as a person reads it: lines into events, and events into sentences. Pure."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from statistics import median, quantiles
from typing import Any, Literal

from anchord.log import EVENTS
from anchord.printable import printable

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")

#: sd-daemon(3): what a line under the journal begins with.
_PRIORITY = re.compile(r"^<[0-7]>")
#: What `docker compose logs` and syslog put before a line, up to the event itself.
_LED = re.compile(r"^[^{]{1,200}(?=\{)")
# A journal's entry holds a line of ours, which may be one of Docker's; deeper than this nobody nests them.
_DEPTH = 3
# An event's other values are shown up to so many letters each.
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One line of the log.

    Args:
        name: of the event, as in ``log.EVENTS``; empty for a line that is none of the daemon's.
        level: how grave it is.
        time: when, ISO 8601; empty where the line does not say.
        pack: which one it concerns; empty for none.
        values: its other keys; ``text`` of a line that is none of the daemon's.
    """

    name: str
    level: Level
    time: str
    pack: str
    values: Mapping[str, Any]


def event_in(line: str) -> Event | None:
    """
    The event in a line of the daemon's own, the journal's (``-o json`` or ``cat``), or Docker's; None in an
    empty one.
    """
    text = line.strip()
    return _event(text, "", _DEPTH) if text else None


def _event(text: str, time: str, depth: int) -> Event | None:
    text = _PRIORITY.sub("", text)
    found = _object(text) or _object(_LED.sub("", text))
    if found is None or not depth:
        return Event(name="", level="info", time=time, pack="", values={"text": text})
    if isinstance(message := found.get("MESSAGE"), str | list):
        # A message that is no UTF-8 is a list of its bytes.
        told = message if isinstance(message, str) else _text_of(message)
        return _event(told, _journal_time(found.get("__REALTIME_TIMESTAMP")), depth - 1)
    if isinstance(inner := found.get("log"), str) and "event" not in found:
        return _event(inner.strip(), str(found.get("time", "")), depth - 1)
    name = found.pop("event", "")
    if not isinstance(name, str) or not name:
        return Event(name="", level="info", time=time, pack="", values={"text": text})
    level = found.pop("level", "info")
    return Event(
        name=name,
        level=level if level in LEVELS else "info",
        time=str(found.pop("time", "") or time),
        pack=str(found.pop("pack", "")),
        values=found,
    )


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text_of(numbers: list[Any]) -> str:
    try:
        return bytes(numbers).decode(errors="backslashreplace")
    except (TypeError, ValueError):
        return str(numbers)


def _journal_time(microseconds: Any) -> str:
    try:
        return datetime.fromtimestamp(int(microseconds) / 1e6).astimezone().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """
    Which events are shown.

    Args:
        packs: patterns such as ``ada*``, one of which a pack must match; every event, if none.
        level: the least grave that is shown.
    """

    packs: tuple[str, ...] = ()
    level: Level = "info"

    def shows(self, event: Event) -> bool:
        """Whether a person wants to see it."""
        if LEVELS.index(event.level) < LEVELS.index(self.level):
            return False
        if self.packs:
            return any(fnmatchcase(event.pack, pattern) for pattern in self.packs) and bool(event.pack)
        return True


#: Events that another line says in better words, once a video: told of only where debug is asked for.
_SAID_ELSEWHERE = frozenset(("video_warned",))


def is_repetition(event: Event) -> bool:
    """Whether it only says at length what the video's one line names already."""
    return event.name in _SAID_ELSEWHERE


def sentence(event: Event) -> str:
    """What happened, in words; other people's names in it are made printable."""
    said = _SENTENCES.get(event.name)
    if said:
        try:
            return printable(said(event.values))
        except (KeyError, TypeError, ValueError, OverflowError):
            pass  # of another version, with other keys
    if not event.name:
        return printable(str(event.values.get("text", "")))
    words = event.name.replace("_", " ")
    rest = "  ".join(f"{key}={_brief(value)}" for key, value in event.values.items() if key != "exception")
    trace = str(event.values.get("exception", ""))
    return "\n".join(printable(part) for part in (f"{words}  {rest}".strip(), *trace.splitlines()))


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _written(values: Mapping[str, Any]) -> str:
    warnings = ", ".join(values["warnings"])
    return (
        f"{values['video']}: {values['frames']} frames, coverage {float(values['coverage']):.1%}, "
        f"{float(values['elapsed_s']):.1f} s"
        + (f" after {float(values['queued_s']):.1f} s in the queue" if values["queued_s"] >= 1 else "")
        + (f"  {warnings}" if warnings else "")
    )


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "daemon_started": lambda v: (
        f"anchord {v['version']} watches {v['root']}: {v['packs']} packs, by {v['mode']}"
    ),
    "daemon_stopped": lambda v: f"anchord stopped: {v['written']} written, {v['failed']} failed",
    "timeline_written": _written,
    "video_warned": lambda v: f"{v['code']}: {v['advice']}",
    "video_refused": lambda v: f"refused: {v['error']}",
    "video_missing": lambda v: f"no video: {v['reason']}",
    "video_changed": lambda v: f"{v['video']} changed while it was read; once more",
    "pack_parked": lambda v: f"parked: {v['error']}",
    "pack_failed": lambda v: f"failed: {v['error']}; again in {float(v['retry_s']):.0f} s",
    "packs_failed": lambda v: f"{v['count']} more packs failed: {v['reason']}",
    "pack_still_changing": lambda v: (
        f"has been changing for {float(v['changing_s']):.0f} s: an endless upload?"
    ),
    "worker_lost": lambda v: f"lost a worker: {v['error']}",
    "root_lost": lambda v: f"the avatars root is gone: {v['error']}",
    "root_found": lambda v: f"the avatars root is back: {v['packs']} packs",
}
assert set(_SENTENCES) <= set(EVENTS)


class Clock:
    """
    Times as a person reads them: of the day, with a line of its own where a day begins.

    Args:
        zone: whose time; None for this machine's.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone, self._day = zone, ""

    def read(self, time: str) -> tuple[str, str]:
        """The day, if it is another than the last one's, else empty; and the time of the day."""
        try:
            at = datetime.fromisoformat(time).astimezone(self._zone)
        except (ValueError, OverflowError, OSError):
            return "", " " * 8
        day = at.strftime("%Y-%m-%d")
        is_new, self._day = day != self._day, day
        return day if is_new else "", at.strftime("%H:%M:%S")


@dataclass(slots=True)
class Statistics:
    """What came of all videos that a log tells of."""

    events: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    packs: set[str] = field(default_factory=set)
    frames: float = 0.0
    coverages: list[float] = field(default_factory=list)
    elapsed_s: list[float] = field(default_factory=list)
    queued_s: list[float] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Count an event."""
        self.events[event.name or "other"] += 1
        if event.pack:
            self.packs.add(event.pack)
        if event.name != "timeline_written":
            return
        values = event.values
        try:
            told = [float(values[key]) for key in ("frames", "coverage", "elapsed_s", "queued_s")]
            codes = [str(code) for code in values["warnings"]]
        except (KeyError, TypeError, ValueError, OverflowError):
            return  # of another version, with other keys
        if not all(map(math.isfinite, told)):
            return
        self.frames += told[0]
        for row, value in zip((self.coverages, self.elapsed_s, self.queued_s), told[1:], strict=True):
            row.append(value)
        self.warnings.update(codes)

    def lines(self) -> Iterator[str]:
        """The figures as text."""
        count = len(self.elapsed_s)
        yield f"{count} timelines written, {len(self.packs)} packs named"
        if count:
            yield f"coverage: median {median(self.coverages):.1%}, least {min(self.coverages):.1%}"
            for name, row in (("elapsed", self.elapsed_s), ("queued", self.queued_s)):
                above = f"95 % below {_percentile(row):.2f} s, most {max(row):.2f} s"
                yield f"{name}: median {median(row):.2f} s, {above}"
            rate = self.frames / max(sum(self.elapsed_s), 1e-9)
            yield f"frames: {self.frames:.0f}, {rate:.0f} a second of work"
        for code, times in self.warnings.most_common():
            yield f"warning {printable(code)}: {times}"
        for name, times in self.events.most_common():
            if name in EVENTS and EVENTS[name][0] in ("warning", "error") and not is_named(name):
                yield f"{name.replace('_', ' ')}: {times}"


def is_named(name: str) -> bool:
    """Whether the statistics count it under another heading."""
    return name in _SAID_ELSEWHERE


def _percentile(row: list[float]) -> float:
    return quantiles(row, n=20, method="inclusive")[-1] if len(row) > 1 else row[0]
