"""Tasks done on this machine, each in a worker process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from io import BufferedReader

from anchord.errors import WorkerStartError
from anchord.settings import WorkerSettings
from anchord.worker.child import COMMAND
from anchord.worker.executor import Finished, Health, Task
from anchord.worker.supervisor import Report, Supervisor


class LocalExecutor:
    """
    Places to work at, behind one face; see :class:`.Executor`.

    Args:
        settings: of the workers.
        report: gets what is to be said of each task, from a thread that is not the caller's.
        command: what is started as a worker.
    """

    def __init__(self, settings: WorkerSettings, report: Report, *, command: Sequence[str] = COMMAND) -> None:
        self._report = report
        self._supervisors = [Supervisor(settings=settings, report=report, command=command)]

    @property
    def restarts(self) -> int:
        """Workers that were lost so far."""
        return sum(supervisor.restarts for supervisor in self._supervisors)

    def places(self) -> int:
        """How many more tasks it takes now."""
        return sum(supervisor.is_free for supervisor in self._supervisors)

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        """Do a task. The streams of its video and of the base face are taken over, and closed."""
        for supervisor in self._supervisors:
            if supervisor.is_free:
                supervisor.submit(task, video, base)
                return
        video.close()
        if base is not None:
            base.close()
        self._report(Finished(task=task, outcome=WorkerStartError("no worker is free")))

    def reload(self, settings: WorkerSettings) -> None:
        """Other settings, which hold from the next task on."""
        for supervisor in self._supervisors:
            supervisor.settings = settings

    def close(self) -> None:
        """Take nothing new: idle workers end, what runs goes on."""
        for supervisor in self._supervisors:
            supervisor.close()

    def kill(self) -> None:
        """End every process now, from any thread; returns within seconds, and nothing survives."""
        self.close()
        for supervisor in self._supervisors:
            supervisor.kill()

    def health(self) -> Health:
        """The busiest of the states; what is wrong, if with any."""
        each = [supervisor.health() for supervisor in self._supervisors]
        busiest = min(each, key=lambda health: ("working", "idle", "down").index(health.state))
        troubles = [health.detail for health in each if not health.healthy]
        return Health(state=busiest.state, healthy=not troubles, detail="; ".join(troubles))
