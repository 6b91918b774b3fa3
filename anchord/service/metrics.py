"""
Figures for Prometheus, in a file that node_exporter's textfile collector reads: no socket, no thread.

The only room that knows prometheus_client, which is not even loaded while no file is asked for
(it costs 2.4 MiB and 20 ms in the daemon).
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from anchord import __version__, timeline
from anchord.atomic import write_atomically
from anchord.errors import OutputError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: What became of a job: written; unchanged (same content as before); changed while it was read;
#: refused (the video's or settings' fault, parked); failed (not its fault, tried again).
Result = Literal["written", "unchanged", "changed", "refused", "failed"]
RESULTS: tuple[Result, ...] = ("written", "unchanged", "changed", "refused", "failed")

#: Every state of a pack, so that a state nobody is in reads 0 and not "no data".
PACK_STATES = ("up_to_date", "waiting", "working", "parked", "retrying")

#: Why a worker process ended: by itself after its share of jobs, when idle, or by a fault.
Restart = Literal["retired", "idle", "crashed", "timed_out"]
RESTARTS: tuple[Restart, ...] = ("retired", "idle", "crashed", "timed_out")

# A 4 s clip takes about a second; timeout_s is 900 by default.
_ELAPSED_S = (0.5, 1, 2, 5, 10, 20, 60, 180, 900)
# A warning is given below 0.9; a good clip has 1.
_COVERAGE = (0.1, 0.5, 0.8, 0.9, 0.95, 0.99, 1)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Metrics:
    """
    Counts what the daemon does. Without a *textfile* every method does nothing, at no cost.

    Args:
        textfile: where the figures go; its name must end in ``.prom`` for node_exporter to read it.
        clock: seconds since 1970.
    """

    def __init__(self, textfile: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        self._file = textfile
        self._clock = clock
        self._is_writable = True
        self._registry: CollectorRegistry | None = None
        if textfile is not None:
            self._set_up()

    def _set_up(self) -> None:
        import prometheus_client
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series each
        self._registry = registry = CollectorRegistry()
        self._extractions = Counter(
            "anchord_extractions", "Videos worked off, by result.", ["result"], registry=registry
        )
        for result in RESULTS:
            self._extractions.labels(result)
        self._elapsed = Histogram(
            "anchord_extraction_seconds",
            "Time from handing a video to the worker to its written timeline.",
            buckets=_ELAPSED_S,
            registry=registry,
        )
        self._coverage = Histogram(
            "anchord_coverage_ratio",
            "Share of samples with a face, of each written timeline.",
            buckets=_COVERAGE,
            registry=registry,
        )
        self._queue = Gauge("anchord_queue_depth", "Packs that wait for the worker.", registry=registry)
        self._packs = Gauge("anchord_packs", "Packs in the root, by state.", ["state"], registry=registry)
        for state in PACK_STATES:
            self._packs.labels(state)
        self._healthy = Gauge(
            "anchord_watch_healthy", "1 while file events are proven to arrive.", registry=registry
        )
        self._overflows = Counter(
            "anchord_watch_overflows",
            "Times the kernel's queue of file events overflowed.",
            registry=registry,
        )
        self._missed = Counter(
            "anchord_watch_missed_changes",
            "Changes that only the rescan found: file events that never came.",
            registry=registry,
        )
        self._rebuilds = Counter(
            "anchord_watch_rebuilds", "Times the watch was set up anew.", registry=registry
        )
        self._restarts = Counter(
            "anchord_worker_restarts",
            "Worker processes that ended, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in RESTARTS:
            self._restarts.labels(reason)
        self._last_rescan = Gauge(
            "anchord_last_rescan_timestamp_seconds", "When all packs were last looked at.", registry=registry
        )
        self._last_success = Gauge(
            "anchord_last_success_timestamp_seconds",
            "When a timeline was last written; 0 before the first.",
            registry=registry,
        )
        Gauge(
            "anchord_build_info",
            "Always 1; the version is in the labels.",
            ["version", "method", "python"],
            registry=registry,
        ).labels(__version__, str(timeline.METHOD), platform.python_version()).set(1)

    def extracted(
        self, result: Result, *, elapsed_s: float | None = None, coverage: float | None = None
    ) -> None:
        """A job came back; *elapsed_s* and *coverage* of a written timeline."""
        if self._registry is None:
            return
        self._extractions.labels(result).inc()
        if elapsed_s is not None:
            self._elapsed.observe(elapsed_s)
        if coverage is not None:
            self._coverage.observe(coverage)
        if result == "written":
            self._last_success.set(self._clock())

    def counted(self, *, queued: int, packs: Mapping[str, int]) -> None:
        """How many packs wait, and how many are in each of :data:`PACK_STATES`."""
        if self._registry is None:
            return
        self._queue.set(queued)
        for state in PACK_STATES:
            self._packs.labels(state).set(packs.get(state, 0))

    def rescanned(self, *, missed: int = 0) -> None:
        """All packs were looked at; so many changes had come without a file event."""
        if self._registry is None:
            return
        self._last_rescan.set(self._clock())
        self._missed.inc(missed)

    def watch_is(self, *, healthy: bool) -> None:
        """Whether file events are proven to arrive."""
        if self._registry is not None:
            self._healthy.set(healthy)

    def watch_overflowed(self) -> None:
        """The kernel dropped file events."""
        if self._registry is not None:
            self._overflows.inc()

    def watch_rebuilt(self) -> None:
        """The watch was set up anew."""
        if self._registry is not None:
            self._rebuilds.inc()

    def worker_ended(self, reason: Restart) -> None:
        """A worker process is gone."""
        if self._registry is not None:
            self._restarts.labels(reason).inc()

    def write(self) -> None:
        """
        Put the figures into the file. Call it after each rescan and each job.

        A file that can't be written is logged once, until it can be again: figures of the work must
        not stop the work.
        """
        if self._registry is None or self._file is None:
            return
        from prometheus_client import generate_latest

        try:
            write_atomically(self._file, generate_latest(self._registry))
        except OutputError as error:
            if self._is_writable:
                log.warning("metrics_unwritable", error=str(error))
            self._is_writable = False
        else:
            self._is_writable = True
