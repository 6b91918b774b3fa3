"""Tasks done on this machine, each in a worker process of its own: as many at once as the machine carries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader

import msgspec

from anchord.errors import WorkerStartError
from anchord.settings import WorkerSettings
from anchord.worker.capacity import PLACE_MB, place_count, total_mb
from anchord.worker.child import COMMAND
from anchord.worker.executor import Finished, Health, Task
from anchord.worker.supervisor import Report, Supervisor

# A place that could not start a worker is left alone for so long while others can.
_TROUBLED_S = 30.0


class LocalExecutor:
    """
    Places to work at, behind one face; see :class:`.Executor`. All but ``kill`` is for one thread.

    Args:
        settings: of the workers.
        report: gets what is to be said of each task, from a thread that is not the caller's.
        command: what is started as a worker.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        report: Report,
        *,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._command = command
        self._clock = clock
        self._supervisors: list[Supervisor] = []
        # Those that there are no places for any more, until their task is done.
        self._leaving: list[Supervisor] = []
        self._restarts_before = 0
        self._total_mb = 0
        # Held while the workers' memory is added up, which each supervisor's thread does.
        self._memory_lock = threading.Lock()
        self._is_closed = False
        self.reload(settings)

    @property
    def restarts(self) -> int:
        """Workers that were lost so far."""
        return self._restarts_before + sum(each.restarts for each in self._all())

    def places(self) -> int:
        """
        How many more tasks it takes now: as many as there are free places and, but for the first, room
        in memory.
        """
        busy_mb = [max(each.memory_mb, PLACE_MB) for each in self._all() if each.is_busy]
        room = (self._total_mb - sum(busy_mb)) // PLACE_MB
        return min(len(self._usable()), max(room, 0 if busy_mb else 1))

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        """
        Do a task. The streams of its video and of the base face are taken over, and closed.

        Where a worker is warm that may be used for it, it goes there.
        """
        if usable := self._usable():
            min(usable, key=lambda each: each.coldness(task.owner)).submit(task, video, base)
            return
        video.close()
        if base is not None:
            base.close()
        self._report(Finished(task=task, outcome=WorkerStartError("no worker is free")))

    def reload(self, settings: WorkerSettings) -> None:
        """Other settings, which hold from the next task on. A place too many leaves when its task is done."""
        self._total_mb = total_mb(settings)
        count = place_count(settings)
        # What says how many there are is no reason to replace one.
        each_settings = msgspec.structs.replace(settings, processes=0, memory_total_mb=0)
        for supervisor in self._supervisors:
            supervisor.settings = each_settings
        self._let_go_gone()
        while len(self._supervisors) < count and not self._is_closed:
            self._supervisors.append(
                Supervisor(
                    settings=each_settings,
                    report=self._report,
                    command=self._command,
                    on_memory=self._check_memory,
                    clock=self._clock,
                )
            )
        # The busiest stay; of equals the first.
        by_use = sorted(self._supervisors, key=lambda each: ("working", "idle", "down").index(each.state))
        for supervisor in by_use[count:]:
            self._supervisors.remove(supervisor)
            self._leaving.append(supervisor)
            supervisor.close()

    def close(self) -> None:
        """Take nothing new: idle workers end, what runs goes on."""
        self._is_closed = True
        for supervisor in self._all():
            supervisor.close()

    def kill(self) -> None:
        """End every process now, from any thread; returns within seconds, and nothing survives."""
        self.close()
        # All are told before one is waited for, so that the last is not killed seconds after the first.
        for supervisor in self._all():
            supervisor.start_kill()
        for supervisor in self._all():
            supervisor.kill()

    def stop(self, task: Task, why: str) -> None:
        """End the worker that works on *task*, which ends with a ``WorkerKilledError``; from any thread."""
        for supervisor in list(self._all()):
            supervisor.stop_task(task, why)

    def health(self) -> Health:
        """
        The busiest of the states; what is wrong, if with any.

        Where one place can start a worker, another that can't is told and makes nothing unhealthy: the
        work goes on, and to start the daemon anew would stop it.
        """
        each = [supervisor.health() for supervisor in self._all()]
        busiest = min(each, key=lambda health: ("working", "idle", "down").index(health.state))
        troubles = list(dict.fromkeys(health.detail for health in each if not health.healthy))
        is_proven = any(supervisor.is_proven for supervisor in self._supervisors)
        return Health(
            state=busiest.state,
            healthy=is_proven or not troubles,
            detail="; ".join(troubles),
            places=len(self._supervisors),
            working=sum(health.state == "working" for health in each),
        )

    def _all(self) -> Iterator[Supervisor]:
        yield from self._supervisors
        yield from self._leaving

    def _usable(self) -> list[Supervisor]:
        """Free places; those in trouble only where no other has proven good, or after a while."""
        free = [each for each in self._supervisors if each.is_free]
        if not any(each.is_proven for each in self._supervisors):
            return free
        now_s = self._clock()
        return [each for each in free if not each.trouble or now_s - each.troubled_s >= _TROUBLED_S]

    def _let_go_gone(self) -> None:
        gone = [each for each in self._leaving if each.is_over]
        self._restarts_before += sum(each.restarts for each in gone)
        self._leaving = [each for each in self._leaving if each not in gone]

    def _check_memory(self) -> None:
        """
        Keep all workers together within their memory: those that rest end; then the largest, whose task
        is tried again later. One alone is held by its own limit. Called from a supervisor's thread.
        """
        with self._memory_lock:
            each = list(self._all())
            if sum(supervisor.memory_mb for supervisor in each) <= self._total_mb:
                return
            for supervisor in each:
                if not supervisor.is_busy:
                    supervisor.spare()
            busy = [supervisor for supervisor in each if supervisor.is_busy]
            if len(busy) > 1 and sum(supervisor.memory_mb for supervisor in busy) > self._total_mb:
                largest = max(busy, key=lambda supervisor: supervisor.memory_mb)
                largest.stop(
                    f"all workers together were over worker.memory_total_mb = {self._total_mb}, and this "
                    f"one held the most, {largest.memory_mb} MiB"
                )
