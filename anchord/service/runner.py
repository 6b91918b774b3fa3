"""Tasks to the executor, results to delivery. What is to be done was decided before: see ``reconciler``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from typing import NamedTuple, Protocol

import structlog

from anchord import packs
from anchord.errors import (
    AnchordError,
    ChangedVideoError,
    VideoError,
    WorkerError,
    WorkerKilledError,
    WorkerStartError,
)
from anchord.files import FileKey, Folder
from anchord.service.delivery import Delivered, deliver, is_as_decided
from anchord.service.lanes import Lanes, Stepped
from anchord.service.queue import Queue
from anchord.service.verdicts import OnResult, Verdicts, count_nothing
from anchord.service.watching.scanner import Known
from anchord.worker.executor import Draft, Executor, Finished, Progressed, Task

# A video whose worker is lost so often is parked: the first time may have been the machine's fault.
_LOSSES = 2

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Observer(Protocol):
    """Somebody who watches the work, such as a progress bar."""

    def working(self, pack: str, queued: int) -> None:
        """A pack is worked on, maybe beside others; so many more wait."""

    def progressed(self, pack: str, done: int, expected: int) -> None:
        """So many frames of its video are decoded."""

    def finished(self, pack: str) -> None:
        """It is no longer worked on."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A task that was taken out of the queue."""

    task: Task
    queued_s: float
    began_s: float


class Opened(NamedTuple):
    """The files that a task is worked on with."""

    video: BufferedReader
    base: BufferedReader | None

    def are(self, video: FileKey, base: FileKey | None) -> bool:
        """Whether they are those that looked like this."""
        found = FileKey.of_opened(self.base) if self.base is not None else None
        is_same = found is base if found is None or base is None else found.same_content_as(base)
        return is_same and FileKey.of_opened(self.video).same_content_as(video)

    def close(self) -> None:
        """Close them."""
        self.video.close()
        if self.base is not None:
            self.base.close()


def open_files(root: str, task: Task) -> Opened:
    """
    The task's video and base face, opened, if all is still as it was decided on. Run in a lane.

    Raises:
        ChangedVideoError: it is not.
        AnchordError: it can't be opened.
    """
    with Folder(f"{root}/{task.pack}") as folder:
        if not is_as_decided(folder, task):
            raise ChangedVideoError("the video or its settings changed while it waited")
        stream = folder.open(task.settings.video)
        opened = Opened(stream, packs.base_face(folder, task.settings) if task.base else None)
    video = task.feed[0]
    if video is None or not opened.are(video, task.base):
        opened.close()
        raise ChangedVideoError("the video changed while it waited")
    return opened


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Runner:
    """
    Works off the *queue*.

    Args:
        known: what was last seen of the packs.
        queue: where tasks come from, and where packs go back to when they fail.
        lanes: where files are opened and written.
        executor: where tasks are worked on.
        verdicts: what becomes of a pack that failed.
        observer: told about progress.
        on_result: told what became of each task.
        most: so many tasks are begun; None: all.
        clock: seconds, never going back.
    """

    known: Known
    queue: Queue[Task]
    lanes: Lanes
    executor: Executor
    verdicts: Verdicts
    observer: Observer | None = None
    on_result: OnResult = count_nothing
    most: int | None = None
    clock: Callable[[], float] = time.monotonic
    written: int = field(default=0, init=False)
    #: How many tasks were begun.
    begun: int = field(default=0, init=False)
    # Pack -> its task, from leaving the queue to its end.
    _begun: dict[str, _Begun] = field(default_factory=dict, init=False)
    # How many of them are on their way to the executor.
    _opening: int = field(default=0, init=False)
    _is_stopping: bool = field(default=False, init=False)
    # Pack -> its video, and how often a worker was lost over it.
    _losses: dict[str, tuple[FileKey | None, int]] = field(default_factory=dict, init=False)

    @property
    def is_busy(self) -> bool:
        """Whether a task is under way; of those on their way to the executor none is, once it stops."""
        return len(self._begun) > (self._opening if self._is_stopping else 0)

    @property
    def is_spent(self) -> bool:
        """Whether as many tasks were begun as may be."""
        return self.most is not None and self.begun >= self.most

    def tick(self) -> None:
        """Begin tasks while the executor has places."""
        while self._opening < self.executor.places() and not self.is_spent:
            now_s = self.clock()
            if (turn := self.queue.start_next(now_s=now_s)) is None:
                return
            task, queued_s = turn
            self._begun[task.pack] = _Begun(task, queued_s, now_s)
            self.begun += 1
            self._opening += 1
            self.lanes.submit(task.pack, "open", partial(open_files, self.known.root, task))

    def stop(self) -> None:
        """Begin nothing more; what the executor has goes on."""
        self._is_stopping = True

    def stepped(self, stepped: Stepped) -> None:
        """Take in what a step of a task gave."""
        found, begun = stepped.result, self._begun[stepped.key]
        if stepped.step == "open":
            self._opening -= 1
            if isinstance(found, Opened):
                if self._is_stopping:  # nobody takes it any more, which is not the pack's fault
                    found.close()
                    del self._begun[stepped.key]
                else:
                    self._submit(begun.task, found)
                return
        if isinstance(found, Delivered):
            self._written(begun, found)
        elif isinstance(found, AnchordError):
            self._fail(begun.task, found)

    def finished(self, message: Finished) -> None:
        """The executor is done with a task."""
        if self.observer:
            self.observer.finished(message.task.pack)
        if isinstance(message.outcome, Draft):
            step = partial(deliver, self.known.root, message.task, message.outcome)
            self.lanes.submit(message.task.pack, "deliver", step)
        else:
            self._fail(message.task, message.outcome)

    def progressed(self, message: Progressed) -> None:
        """So many frames of a task's video are decoded."""
        if self.observer:
            self.observer.progressed(message.task.pack, message.done, message.expected)

    def _submit(self, task: Task, files: Opened) -> None:
        log.debug("extraction_started", pack=task.pack, video=task.settings.video, reason=task.reason)
        if self.observer:
            self.observer.working(task.pack, self.queue.length)
        self.executor.submit(task, files.video, files.base)

    def _written(self, begun: _Begun, made: Delivered) -> None:
        task, quality, elapsed_s = begun.task, made.quality, self.clock() - begun.began_s
        del self._begun[task.pack]
        self.written += 1
        self._losses.pop(task.pack, None)
        self.known.wrote(task.pack, made.output)
        if task.feed[0] is not None:
            self.known.confirm(task.pack, task.feed[0])
        self.queue.finish(task.pack)
        self.on_result("written", elapsed_s, quality.coverage)
        names = {"pack": task.pack, "video": task.settings.video}
        log.info(
            "timeline_written",
            **names,
            frames=made.frame_count,
            samples=quality.samples,
            faces=quality.faces,
            coverage=round(quality.coverage, 4),
            longest_gap_ms=quality.longest_gap_ms,
            face_height=quality.face_height,
            warnings=[warning.code for warning in quality.warnings],
            bytes=made.byte_count,
            reason=task.reason,
            queued_s=round(begun.queued_s, 3),
            elapsed_s=round(elapsed_s, 3),
        )
        for warning in quality.warnings:
            log.warning("video_warned", **names, code=warning.code, advice=warning.message)

    def _fail(self, task: Task, error: AnchordError) -> None:
        """Judge how a task ended, unless it was about a video that is another one by now."""
        del self._begun[task.pack]
        look = self.known.seen.get(task.pack)
        if isinstance(error, ChangedVideoError) or look is None or look.feed != task.feed:
            log.info("video_changed", pack=task.pack, video=task.settings.video)
            self.on_result("changed")
            self.queue.unsettle(task.pack)
        elif isinstance(error, WorkerError) and not isinstance(error, WorkerStartError | WorkerKilledError):
            self._lose(task, error)
        else:
            self.verdicts.fail(task.pack, error)

    def _lose(self, task: Task, error: WorkerError) -> None:
        """The worker was lost over this video: try once more, then leave the video alone."""
        video, losses = self._losses.get(task.pack, (task.feed[0], 0))
        losses = losses + 1 if video == task.feed[0] else 1
        self._losses[task.pack] = (task.feed[0], losses)
        if losses < _LOSSES:
            self.verdicts.fail(task.pack, error)
        else:
            self.verdicts.park(task.pack, VideoError(f"{error}, {losses} times; left alone until it changes"))
