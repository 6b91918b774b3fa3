"""
Runs a pack's steps away from the daemon's loop, so that no disk and no mount can make the loop wait.

Steps of one pack run one after another; those of different packs do not wait for each other: a step that
is late no longer counts as taking the lane, and another thread takes over. What a step raises becomes its
result.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

import structlog

from anchord.errors import AnchordError
from anchord.guard import guarded

#: A step that takes longer is late. Looks, settings and small files take well below a millisecond.
LATE_S = 0.25
# Each is a pack whose disk or mount does not answer; beyond that, further packs wait.
_MOST_THREADS = 64
# A thread that was only needed for a while ends.
_IDLE_S = 5.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step gave, or the error that it ended with."""

    key: str
    step: str
    result: object | AnchordError


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    key: str
    name: str
    call: Callable[[], object]


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Lanes:
    """
    The threads that steps run in. ``submit`` and ``relieve`` are the loop's.

    Args:
        report: gets every result, from one of these threads.
        clock: seconds, never going back.
    """

    report: Callable[[Stepped], None]
    clock: Callable[[], float] = time.monotonic
    _ready: SimpleQueue[_Step] = field(default_factory=SimpleQueue, init=False)
    # Key -> the steps that wait for the one of the same key that runs or is ready.
    _behind: dict[str, deque[_Step]] = field(default_factory=dict, init=False)
    _running: dict[int, tuple[_Step, float]] = field(default_factory=dict, init=False)
    _threads: int = field(default=0, init=False)
    _told: set[str] = field(default_factory=set, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def submit(self, key: str, name: str, call: Callable[[], object]) -> None:
        """
        Have *call* run, after all earlier steps of the same *key*.

        Args:
            key: a pack's id, or another name for what belongs together.
            name: what kind of step it is; comes back with the result.
            call: the step.
        """
        step = _Step(key, name, call)
        with self._lock:
            if (behind := self._behind.get(key)) is not None:
                behind.append(step)
                return
            self._behind[key] = deque()
        self._ready.put(step)
        if not self._threads:
            self._start()

    def relieve(self) -> None:
        """Start another thread where steps are ready and every thread that there is has a late one."""
        now_s = self.clock()
        with self._lock:
            punctual = self._threads - sum(now_s - since_s > LATE_S for _, since_s in self._running.values())
        if not self._ready.empty() and punctual < 1 and self._threads < _MOST_THREADS:
            self._start()

    @property
    def is_idle(self) -> bool:
        """Whether no step is ready or running."""
        return not self._behind

    def is_busy_with(self, key: str) -> bool:
        """Whether a step of this key is ready or running."""
        return key in self._behind

    def late(self) -> dict[str, float]:
        """Key -> for how many seconds its step has been running, of those that are late."""
        now_s = self.clock()
        with self._lock:
            return {
                step.key: now_s - since_s
                for step, since_s in self._running.values()
                if now_s - since_s > LATE_S
            }

    def is_stuck(self, *, longer_than_s: float) -> bool:
        """Whether nothing goes on but steps that have been running for longer than that."""
        now_s = self.clock()
        with self._lock:
            stuck = [step.key for step, since_s in self._running.values() if now_s - since_s > longer_than_s]
            return len(stuck) == len(self._behind)

    def tell_defect(self, error: Exception) -> None:
        """Log a mistake of ours with its traceback, once for each place where it is made."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = (
            f"{type(error).__name__} {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        )
        if place not in self._told and len(self._told) < 1000:
            self._told.add(place)
            log.error("defect_met", error=repr(error)[:1000], exc_info=error)

    def _start(self) -> None:
        with self._lock:
            self._threads += 1
        # Where the machine has no thread to give, the next call of relieve() tries again.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._work, name="lane", daemon=True).start()
            return
        with self._lock:
            self._threads -= 1

    def _work(self) -> None:
        me = threading.get_ident()
        while True:
            try:
                step = self._ready.get(timeout=_IDLE_S)
            except Empty:
                with self._lock:
                    if self._threads > 1:
                        self._threads -= 1
                        return
                continue
            with self._lock:
                self._running[me] = (step, self.clock())
            result = guarded(step.call, self.tell_defect)
            with self._lock:
                del self._running[me]
                behind = self._behind[step.key]
                following = behind.popleft() if behind else None
                if following is None:
                    del self._behind[step.key]
            # Between the two: whoever hears of it finds it done, and results of one key keep their order.
            self.report(Stepped(step.key, step.name, result))
            if following is not None:
                self._ready.put(following)
            del step, result, following
