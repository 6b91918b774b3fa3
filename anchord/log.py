"""structlog, set up once; the table of every event that anchord logs."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import structlog

from anchord.printable import json_line, printable
from anchord.sink import Sink, say_last

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

#: Every event: level, when it is logged, and its keys. ``pack`` and ``video`` stand on all that
#: concern a video. Tests hold the code to this table.
EVENTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "daemon_started": (
        "info",
        "the daemon begins to watch",
        ("version", "root", "packs", "mode", "settle_s"),
    ),
    "daemon_stopped": ("info", "the daemon ends cleanly", ("signal", "written", "failed")),
    "pack_settled": ("debug", "nothing in a pack has changed for settle_s", ("pack",)),
    "pack_up_to_date": ("debug", "a touched pack's timeline still matches", ("pack",)),
    "extraction_started": ("debug", "a video goes to the worker", ("pack", "video", "reason")),
    "timeline_written": (
        "info",
        "a video was worked off: the one line that says it all",
        (
            "pack",
            "video",
            "frames",
            "samples",
            "faces",
            "coverage",
            "longest_gap_ms",
            "face_height",
            "warnings",
            "bytes",
            "reason",
            "queued_s",
            "elapsed_s",
        ),
    ),
    "video_warned": ("warning", "a person may want to mend the video", ("pack", "video", "code", "advice")),
    "video_missing": (
        "warning",
        "a pack has no video, but something in it seems to be meant as one",
        ("pack", "reason"),
    ),
    "video_refused": ("warning", "parked until the video or its settings change", ("pack", "error")),
    "video_changed": ("info", "it changed while it was read, so it is read again", ("pack", "video")),
    "pack_parked": ("warning", "settings can't be obeyed; parked until they change", ("pack", "error")),
    "pack_failed": ("error", "not the video's fault; tried again", ("pack", "error", "retry_s")),
    "packs_failed": ("error", "so many more failed like those before it", ("reason", "count")),
    "backfill_progressed": (
        "info",
        "how a backfill goes, where no terminal shows it",
        ("done", "left", "rate_hz", "left_s"),
    ),
    "worker_started": ("debug", "the worker process is up", ("pid",)),
    "worker_printed": ("debug", "a line that a library wrote to the worker's stderr", ("line",)),
    "worker_ready": ("info", "what holds the worker in, where it is not as before", ("sandbox",)),
    "worker_lost": (
        "warning",
        "it crashed, hung or was ended; its job is tried again; pack: whose, if it had one",
        ("error",),
    ),
    "worker_retired": ("debug", "it is not needed any more, or worn", ("reason", "jobs")),
    "node_started": (
        "info",
        "anchord node begins, and joins the cluster as soon as the scheduler answers",
        ("version", "node", "scheduler", "places", "root"),
    ),
    "node_joined": ("info", "a node is a member of the cluster", ("node", "scheduler", "address")),
    "node_stopped": ("info", "anchord node ends cleanly", ("node",)),
    "node_found": ("info", "the coordinator has a node to give work to", ("node", "places")),
    "node_lost": ("warning", "a node went; others do its jobs", ("node",)),
    "node_refused": (
        "error",
        "a node of another version, method or model; it gets no work until it is brought up to date",
        ("node", "node_is"),
    ),
    "nodes_missing": (
        "warning",
        "no node has been there for ten seconds; what was under way waits, or is done here",
        ("reason", "flights", "works_here"),
    ),
    "scheduler_started": ("info", "anchord scheduler listens", ("version", "address")),
    "scheduler_stopped": ("info", "anchord scheduler ends cleanly", ()),
    "scheduler_found": ("info", "the coordinator is connected to the scheduler", ("scheduler", "nodes")),
    "scheduler_lost": ("warning", "it does not answer; tried again, no job is lost", ("scheduler", "error")),
    "dask_warned": ("debug", "a line of Dask's own log", ("logger", "line")),
    "cluster_failed": ("error", "a bug of anchord's in the cluster's thread; its traceback follows", ()),
    "supervisor_failed": ("error", "a bug of anchord's; it cost one task, and its traceback follows", ()),
    "watch_rebuilt": ("warning", "file events no longer flowed", ("reason",)),
    "watch_polls": ("warning", "all packs are looked at instead of file events", ("reason", "poll_s")),
    "root_lost": ("error", "the avatars root can't be read; nothing is changed", ("error",)),
    "root_unlocked": (
        "warning",
        "its file system has no locks: see that no other anchord keeps it",
        ("root", "reason"),
    ),
    "root_found": ("info", "it can be read again, or is another folder now", ("packs", "mode")),
    "pack_still_changing": ("warning", "an upload that does not end?", ("pack", "changing_s")),
    "settings_reloaded": ("info", "on SIGHUP; packs that are stale now follow", ("root",)),
    "settings_refused": ("error", "on SIGHUP; the old ones stay", ("error",)),
    "defect_met": (
        "error",
        "a mistake in anchord, told once with its traceback; please report it",
        ("error",),
    ),
    "turn_failed": ("error", "the daemon's loop goes on after such a mistake", ("error",)),
    "log_lines_lost": ("warning", "the log was full, closed or not read for a while", ("count",)),
    "metrics_unwritable": ("warning", "the Prometheus textfile; tried again, told once", ("error",)),
}

#: sd-daemon(3): a <N> at the start of a line is its priority in the journal.
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}

Format = Literal["auto", "json", "text"]


def set_up(
    *, form: Format = "auto", level: str = "info", stream: TextIO | None = None, sink: Sink | None = None
) -> None:
    """
    Send every event to *stream* (stderr): readable on a terminal, else one JSON object a line.

    Under the systemd journal each line begins with its priority.

    Args:
        form: text or JSON; auto asks the stream.
        level: what is less than this is not logged.
        stream: decides on form and priorities, and gets the lines where there is no
        sink: which gets them instead.
    """
    out = stream or sys.stderr
    is_text = form == "text" or (form == "auto" and out.isatty())
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=not is_text, key="time"),
        structlog.processors.format_exc_info,
    ]
    if is_text:
        console = structlog.dev.ConsoleRenderer(
            colors=out.isatty(), timestamp_key="time", sort_keys=False, pad_event_to=18
        )
        processors += [_time_of_day, _event_first, _printable_values, console]
    else:
        processors += [_event_first, structlog.processors.JSONRenderer(ensure_ascii=False), _one_line]
    if _is_journal(out):
        processors.append(_with_priority)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", sink) if sink else out),
        cache_logger_on_first_use=False,
    )


def stderr_sink() -> Sink:
    """A sink for this process's stderr; what it loses, it tells in the log."""

    def on_lost(count: int) -> None:
        structlog.get_logger().warning("log_lines_lost", count=count)

    return Sink(sys.stderr.fileno(), on_lost)


def _printable_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Names and messages of strangers must not move the reader's cursor."""
    return {key: _lines(value) if key == "exception" else _shown(value) for key, value in event.items()}


def _lines(trace: str) -> str:
    """A traceback, which is ours, keeps its lines."""
    return "\n".join(printable(line) for line in trace.split("\n"))


def _shown(value: Any) -> Any:
    match value:
        case str():
            return printable(value)
        case list() | tuple():
            return [_shown(item) for item in value]
        case dict():
            return {printable(str(key)): _shown(item) for key, item in value.items()}
        case _:
            return value


def _one_line(_logger: WrappedLogger, _method: str, line: Any) -> str:
    return json_line(str(line))


def _time_of_day(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """On a terminal the day is known."""
    event["time"] = str(event["time"])[11:19]
    return event


def _event_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Time, level and event lead, so that a tailed line can be read from its left."""
    head = {key: event.pop(key) for key in ("time", "level", "event", "pack", "video") if key in event}
    return head | dict(event)


def _with_priority(_logger: WrappedLogger, method: str, line: Any) -> str:
    priority = _PRIORITIES.get(method, 6)
    return "\n".join(f"<{priority}>{part}" for part in str(line).splitlines())


def tell(line: str) -> None:
    """Say one last *line* on stderr before the process ends with an error."""
    prefix = f"<{_PRIORITIES['error']}>" if _is_journal(sys.stderr) else ""
    say_last(sys.stderr.fileno(), f"{prefix}{printable(line)}")


def _is_journal(out: TextIO) -> bool:
    """Whether *out* is the very stream that systemd connected to the journal."""
    try:
        status = os.fstat(out.fileno())
    except (OSError, io.UnsupportedOperation):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
