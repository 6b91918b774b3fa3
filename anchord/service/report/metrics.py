"""
Figures for Prometheus, in a file that node_exporter's textfile collector reads: no socket, no thread.

The only room that knows prometheus_client, which is not even loaded while no file is asked for
(it costs 2.4 MiB and 20 ms in the daemon).
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from anchord import __version__, timeline
from anchord.atomic import write_atomically
from anchord.errors import OutputError

if TYPE_CHECKING:
    import prometheus_client

    from anchord.service.report.state import State

#: What became of a job: written; unchanged (same content as before); changed while it was read;
#: refused (the video's or settings' fault, parked); failed (not its fault, tried again).
Result = Literal["written", "unchanged", "changed", "refused", "failed"]
RESULTS: tuple[Result, ...] = ("written", "unchanged", "changed", "refused", "failed")

#: Every state of a pack, so that a state nobody is in reads 0 and not "no data".
PACK_STATES = ("up_to_date", "waiting", "queued", "working", "parked", "retrying")

# A 4 s clip takes about a second; timeout_s is 900 by default.
_ELAPSED_S = (0.5, 1, 2, 5, 10, 20, 60, 180, 900)
# A warning is given below 0.9; a good clip has 1.
_COVERAGE = (0.1, 0.5, 0.8, 0.9, 0.95, 0.99, 1)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Metrics:
    """
    Counts what the daemon does. Without a *textfile* it does nothing, at no cost.

    Give :meth:`publish` to the daemon as one of its publishers, and tell :meth:`extracted` of each job.

    Args:
        textfile: where the figures go; its name must end in ``.prom`` for node_exporter to read it.
        clock: seconds since 1970.
    """

    def __init__(self, textfile: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        self._file = textfile
        self._clock = clock
        self._is_writable = True
        self._registry: prometheus_client.CollectorRegistry | None = None
        self._counts: dict[str, int] = {}
        if textfile is not None:
            self._set_up()

    def _set_up(self) -> None:
        import prometheus_client
        from prometheus_client import CollectorRegistry, Gauge, Histogram

        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series each
        self._registry = registry = CollectorRegistry()
        self._extractions = prometheus_client.Counter(
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
        self._queue = Gauge("anchord_queue_depth", "Packs that wait for a worker.", registry=registry)
        self._packs = Gauge("anchord_packs", "Packs in the root, by state.", ["state"], registry=registry)
        for state in PACK_STATES:
            self._packs.labels(state)
        self._places = Gauge(
            "anchord_worker_places", "Videos that can be worked on at once.", registry=registry
        )
        self._working = Gauge("anchord_workers_working", "Workers that have a video.", registry=registry)
        self._healthy = Gauge(
            "anchord_watch_healthy", "1 while file events are proven to arrive.", registry=registry
        )
        # Named as in the state's counts.
        self._counters = {
            name: prometheus_client.Counter(f"anchord_{metric}", help_, registry=registry)
            for name, metric, help_ in (
                ("overflows", "watch_overflows", "Times the kernel's queue of file events overflowed."),
                ("missed_by_watch", "watch_missed_changes", "Changes that no file event told of."),
                ("rebuilds", "watch_rebuilds", "Times the watch was set up anew."),
                ("worker_restarts", "worker_restarts", "Workers that crashed, hung or were ended."),
            )
        }
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
        self, result: Result, elapsed_s: float | None = None, coverage: float | None = None
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

    def publish(self, state: State) -> None:
        """Take over what the daemon says of itself, and write the file."""
        if self._registry is None:
            return
        states = Counter[str](pack.state for pack in state.packs.values())
        for name in PACK_STATES:
            self._packs.labels(name).set(states[name])
        self._packs.labels("up_to_date").set(max(0, state.counts.get("packs", 0) - states.total()))
        self._queue.set(states["queued"])
        self._places.set(state.counts.get("worker_places", 0))
        self._working.set(state.counts.get("workers_working", 0))
        self._healthy.set(state.watch.healthy)
        if self._grown("rescans", state):
            self._last_rescan.set(state.loop_turned_unix_s)
        for name, counter in self._counters.items():
            counter.inc(self._grown(name, state))
        self._write()

    def _grown(self, name: str, state: State) -> int:
        """By how much one of the daemon's counts has grown since it was last asked for."""
        now = state.counts.get(name, 0)
        before, self._counts[name] = self._counts.get(name, 0), now
        return max(0, now - before)

    def _write(self) -> None:
        """A file that can't be written is logged once: figures of the work must not stop the work."""
        from prometheus_client import generate_latest

        assert self._registry is not None
        assert self._file is not None
        try:
            write_atomically(self._file, generate_latest(self._registry))
        except OutputError as error:
            if self._is_writable:
                log.warning("metrics_unwritable", error=str(error))
            self._is_writable = False
        else:
            self._is_writable = True
