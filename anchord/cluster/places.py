"""A node's places: so many videos at once, each in a sandboxed worker process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BufferedReader
from queue import Empty, SimpleQueue

from anchord.errors import AnchordError, WorkerKilledError
from anchord.settings import WorkerSettings
from anchord.worker.child import COMMAND
from anchord.worker.executor import Draft, Finished, Progressed, Task
from anchord.worker.supervisor import Supervisor

# Between looks whether anybody still wants the result.
_LOOK_S = 1.0


class _Place:
    """One supervisor and what it says."""

    def __init__(self, settings: WorkerSettings, command: Sequence[str]) -> None:
        self.said: SimpleQueue[Progressed | Finished] = SimpleQueue()
        self.supervisor = Supervisor(settings=settings, report=self.said.put, command=command)


class Places:
    """
    Works off jobs for threads that wait for them.

    The worker processes belong to supervisors, each with a thread for all its life, and not to the threads
    that call here: the kernel ends a worker with the thread that started it.

    Args:
        settings: of the worker processes.
        count: so many jobs at once.
        command: what is started as a worker.
    """

    def __init__(self, settings: WorkerSettings, count: int, *, command: Sequence[str] = COMMAND) -> None:
        self._settings = settings
        self._command = command
        self._is_closed = False
        self._all = [_Place(settings, command) for _ in range(count)]
        self._free: SimpleQueue[_Place] = SimpleQueue()
        for place in self._all:
            self._free.put(place)

    def do(
        self,
        task: Task,
        video: BufferedReader,
        base: BufferedReader | None,
        *,
        is_wanted: Callable[[], bool],
    ) -> Draft | AnchordError:
        """
        Do a task and wait for its end, which the worker's own deadlines see to; any thread may.

        Args:
            task: what is to be done.
            video: the open video, which is taken over and closed.
            base: the open picture of the base face, if there is one; as the video.
            is_wanted: asked now and then; once it says no, the job is ended.
        """
        place = self._free.get()
        try:
            place.supervisor.submit(task, video, base)
            while True:
                try:
                    said = place.said.get(timeout=_LOOK_S)
                except Empty:
                    if not is_wanted():
                        place = self._ended(place)
                        return WorkerKilledError("the coordinator does not want it any more")
                    continue
                if isinstance(said, Finished):
                    return said.outcome
        finally:
            self._free.put(place)

    def close(self) -> None:
        """End everything now; whoever waits for a job hears that it was killed."""
        self._is_closed = True
        for place in self._all:
            place.supervisor.kill()

    def _ended(self, place: _Place) -> _Place:
        """A fresh place instead of one whose job is ended with its process."""
        place.supervisor.kill()
        fresh = _Place(self._settings, self._command)
        self._all[self._all.index(place)] = fresh
        if self._is_closed:
            fresh.supervisor.kill()
        return fresh
