"""
A machine of 32 cores without having one: ``python -m bench.schedule``.

The real daemon over real packs, and an executor that only waits as long as measured jobs took and then
gives the timeline that each of these packs must get. So what it shows is the daemon itself: how many
videos a second it looks at, hashes, hands out, checks and writes, and how long places wait for it.
"""

from __future__ import annotations

import heapq
import io
import itertools
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

import structlog

from anchord import timeline
from anchord.demo.film import encode, even_times_ms, film
from anchord.service.daemon import Daemon
from anchord.settings import Settings, WatchSettings, WorkerSettings
from anchord.worker.executor import Draft, Executor, Finished, Health, Progressed, Task
from tests.service.running import Daemon as Process
from tests.service.running import drop

PACKS = 2000
# As clips of 4 s take a worker of two threads that shares its two cores with no other, s: `make bench`
# has 0.5 at sample rate 3 and 1.4 at 1.
JOBS_S = {"no time": (0.0, 0.0), "0.4-0.7 s": (0.4, 0.7), "1.2-1.6 s": (1.2, 1.6)}
PLACES = 16


@dataclass
class _Waiting:
    """So many places at which every task takes as long as one of *jobs_s*, and gets the same timeline."""

    report: Callable[[Finished | Progressed], None]
    content: bytes
    jobs_s: tuple[float, float]
    count: int = PLACES
    restarts: int = 0
    busy_s: float = 0.0
    _due: list[tuple[float, int, Task]] = field(default_factory=list)
    _free: int = field(init=False)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_over: bool = False
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _chance: random.Random = field(default_factory=lambda: random.Random(1))

    def __post_init__(self) -> None:
        self._free = self.count
        threading.Thread(target=self._run, daemon=True).start()

    def places(self) -> int:
        return self._free

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        video.close()
        if base is not None:
            base.close()
        takes_s = self._chance.uniform(*self.jobs_s)
        with self._changed:
            self._free -= 1
            self.busy_s += takes_s
            heapq.heappush(self._due, (time.monotonic() + takes_s, next(self._numbers), task))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    if self._is_over:
                        return
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                _, _, task = heapq.heappop(self._due)
                self._free += 1
            self.report(Finished(task=task, outcome=Draft(self.content)))

    def reload(self, settings: WorkerSettings) -> None:
        pass

    def close(self) -> None:
        pass

    def kill(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def health(self) -> Health:
        return Health(state="working", healthy=True)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # nothing is logged
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        video = encode(Path(folder) / "idle.webm", film(times_ms=even_times_ms(30, 4.0)))
        first = Path(folder) / "first" / "pack0"
        drop(first / "idle.webm", video)
        with Process(first.parent) as process:
            process.wait_for("timeline_written")
        content = (first / "anchors_timeline.json").read_bytes()
        assert timeline.head(io.BytesIO(content))
        for name, jobs_s in JOBS_S.items():
            print(f"jobs of {name}: {feed(Path(folder) / name, first / 'idle.webm', content, jobs_s)}")


def feed(root: Path, video: Path, content: bytes, jobs_s: tuple[float, float]) -> str:
    """How fast that many packs are worked off."""
    for number in range(PACKS):
        pack = root / f"pack{number}"
        pack.mkdir(parents=True)
        (pack / "idle.webm").hardlink_to(video)
    made: list[_Waiting] = []

    def make(_settings: WorkerSettings, report: Callable[[Finished | Progressed], None]) -> Executor:
        made.append(_Waiting(report, content, jobs_s))
        return made[-1]

    daemon = Daemon(
        read_settings=lambda: Settings(watch=WatchSettings(settle_s=0.05)),
        root=root,
        once=True,
        make_executor=make,
    )
    cpu_s, began_s = time.process_time(), time.monotonic()
    assert daemon.run()
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert len(list(root.glob("*/anchors_timeline.json"))) == PACKS
    used = made[0].busy_s / PLACES / took_s
    return (
        f"{PACKS} in {took_s:.1f} s, {PACKS / took_s:.0f} a second, {PLACES} places busy for {used:.0%} "
        f"of it; {1000 * cpu_s / PACKS:.1f} ms of CPU time each"
    )


if __name__ == "__main__":
    main()
