"""A node's places: so many videos at once, each in a sandboxed worker process of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from io import BufferedReader
from queue import Empty, SimpleQueue

import msgspec

from anchord.errors import AnchordError, WorkerKilledError
from anchord.settings import WorkerSettings
from anchord.worker.child import COMMAND
from anchord.worker.executor import Draft, Finished, Progressed, Task
from anchord.worker.local import LocalExecutor

# Between looks whether anybody still wants the result.
_LOOK_S = 1.0


class Places:
    """
    Has jobs done by this machine's workers, for threads that wait for them.

    The workers belong to threads of their own, and not to those that call here: the kernel ends a worker
    with the thread that started it.

    Args:
        settings: of the worker processes.
        count: so many jobs at once.
        command: what is started as a worker.
    """

    def __init__(self, settings: WorkerSettings, count: int, *, command: Sequence[str] = COMMAND) -> None:
        # Held to use the workers, which are for one thread at a time, and what follows.
        self._lock = threading.Lock()
        # Identity of a task -> who waits for it.
        self._waiting: dict[int, SimpleQueue[Draft | AnchordError]] = {}
        self._is_closed = False
        workers = msgspec.structs.replace(settings, processes=count)
        self._workers = LocalExecutor(workers, self._said, command=command)

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
            task: what is to be done; an object of its own.
            video: the open video, which is taken over and closed.
            base: the open picture of the base face, if there is one; as the video.
            is_wanted: asked now and then; once it says no, the job is ended.
        """
        outcomes: SimpleQueue[Draft | AnchordError] = SimpleQueue()
        with self._lock:
            if self._is_closed:
                video.close()
                if base is not None:
                    base.close()
                return WorkerKilledError("the node is stopping")
            self._waiting[id(task)] = outcomes
        try:
            with self._lock:
                self._workers.submit(task, video, base)
            while True:
                try:
                    return outcomes.get(timeout=_LOOK_S)
                except Empty:
                    if not is_wanted():
                        self._workers.stop(task, "nobody wants its result any more")
        finally:
            del self._waiting[id(task)]

    def close(self) -> None:
        """End everything now; whoever waits for a job hears that it was killed."""
        with self._lock:
            self._is_closed = True
        self._workers.kill()

    def _said(self, said: Progressed | Finished) -> None:
        # From a worker's thread, or from submit itself.
        if isinstance(said, Finished) and (outcomes := self._waiting.get(id(said.task))) is not None:
            outcomes.put(said.outcome)
