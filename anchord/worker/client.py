"""
The parent's end of one worker process: a job goes in, its answer comes out, and it may be killed.

A process of its own, started afresh (never forked from this one, which has threads), so that a decoder
that crashes, hangs or grows takes down its job only. Everything here blocks and has a deadline; one
thread calls it, and any other may ``stop`` it.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from io import BufferedReader
from types import TracebackType
from typing import Literal

from anchord.errors import WorkerError, WorkerKilledError, WorkerStartError
from anchord.printable import printable
from anchord.settings import WorkerSettings
from anchord.sprite_set import SpriteSet
from anchord.worker import protocol
from anchord.worker.child import COMMAND, Child
from anchord.worker.cpu_time import CpuTime
from anchord.worker.endings import how_it_ended
from anchord.worker.prints import Prints
from anchord.worker.protocol import Assembler
from anchord.worker.sandbox.layers import most_threads

# The first start after an installation loads 300 MiB from the disk.
_START_S = 120.0
# A worker that closed its channel may take so long to end.
_LAST_WORDS_S = 2.0
# Between looks at what no descriptor tells of: its end, its threads, its CPU time.
_LOOK_S = 1.0
_PIECE = 64 << 10
_AT_WORK = "while it worked on this video"

# A worker looks at so many frames at once if it was not told how many.
_FRAMES_UNASKED = 4

# As the same errors have in this process.
_EXIT_STATUS = {"ModelError": 69, "SettingsError": 78}


def ignore(_line: str) -> None:
    """Nobody reads what it prints."""


def take_no_notice(_memory_mb: int) -> None:
    """It is alone, and held by its own limit."""


class Worker:
    """
    One worker process, started at once. The kernel ends it with the thread that started it.

    Args:
        settings: what it may use.
        tell: gets the lines that it prints, as long as they are few.
        on_memory: told once a second what it holds, MiB.
        command: what is started.

    Raises:
        WorkerStartError: it can't be started now.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        tell: Callable[[str], None] = ignore,
        on_memory: Callable[[int], None] = take_no_notice,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.settings = settings
        self._on_memory = on_memory
        self.layers: dict[str, str] = {}
        self.is_ready = False
        self._killed_for = ""
        self._is_stopped = False
        self._hears = True
        self._look_at_s = 0.0
        self._cpu: CpuTime | None = None
        self._child = Child(settings, command)
        self._assembler = Assembler(protocol.SHORT_MESSAGE_BYTES)
        self._prints = Prints(self._child.stderr, tell)
        self._poll = select.poll()
        self._poll.register(self._child.channel, select.POLLIN)
        self._poll.register(self._child.stderr, select.POLLIN)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def wait_ready(self) -> None:
        """
        Wait until it has its libraries, its model and its sandbox; ``layers`` says then what holds it in.

        Raises:
            WorkerStartError: it never will, or ended.
        """
        if self.is_ready:
            return
        try:
            answer = self._answer(
                time.monotonic() + _START_S, f"over the {_START_S:.0f} s that a start may take"
            )
            match answer:
                case protocol.Ready(sandbox=layers):
                    self.layers = {name: printable(state) for name, state in layers.items()}
                    self.is_ready = True
                case protocol.Unfit(error=name, message=message):
                    self.end()
                    unfit = WorkerStartError(printable(message))
                    unfit.exit_status = _EXIT_STATUS[name]
                    raise unfit
                case _:
                    raise WorkerError("it answered before it was ready")
        except WorkerStartError:
            raise
        except WorkerError as error:
            raise self._loss(error, "before it was ready") from error

    def work(
        self,
        job: protocol.Job,
        video: BufferedReader,
        base: BufferedReader | None = None,
        *,
        on_progress: Callable[[int, int], None],
    ) -> bytes:
        """
        What it says is the timeline of a video.

        Args:
            job: what is to be done.
            video: the open file, which is passed on and stays the caller's.
            base: the open picture of the base face, if there is one; as the video.
            on_progress: called with frames decoded and frames expected (0: unknown).

        Raises:
            VideoError: what it says is wrong with the video.
            WorkerStartError: it ended before it was ready.
            WorkerKilledError: it was ended from outside.
            WorkerError: it ended, took too long, or broke the protocol; it is gone then.
        """
        outcome = self._outcome(job, [video] if base is None else [video, base], on_progress)
        if isinstance(outcome, protocol.Extracted):
            return outcome.content
        raise outcome.as_error() if isinstance(outcome, protocol.Failed) else self._not_asked_for()

    def draw(
        self,
        job: protocol.SpriteJob,
        videos: Sequence[BufferedReader],
        *,
        on_progress: Callable[[int, int], None],
    ) -> SpriteSet:
        """
        What it says are the pictures of a pack.

        Args:
            job: what is to be done.
            videos: the idle clip's open file, and the speech clip's where the job names one.
            on_progress: called with frames decoded and frames expected (0: unknown).

        Raises:
            AnchordError: as :meth:`work`.
        """
        outcome = self._outcome(job, videos, on_progress)
        if isinstance(outcome, protocol.Drawn):
            return outcome.made
        raise outcome.as_error() if isinstance(outcome, protocol.Failed) else self._not_asked_for()

    def _outcome(
        self,
        job: protocol.AnyJob,
        files: Sequence[BufferedReader],
        on_progress: Callable[[int, int], None],
    ) -> protocol.Extracted | protocol.Drawn | protocol.Failed:
        self.wait_ready()
        try:
            return self._conversation(job, files, on_progress)
        except WorkerError as error:
            raise self._loss(error, _AT_WORK) from error

    def _not_asked_for(self) -> WorkerError:
        return self._loss(WorkerError("it answers what it was not asked"), _AT_WORK)

    @property
    def is_gone(self) -> bool:
        """Whether it was ended here, after which it is of no use."""
        return self._child.status is not None

    def check_quiet(self) -> None:
        """
        See that it is still there and has said nothing since its last answer; before it is used again.

        Raises:
            WorkerError: it ended, or spoke without being asked; it is gone then.
        """
        try:
            self._listen(0)
            self._check_quiet()
        except WorkerError as error:
            raise self._loss(error, "while it had nothing to do") from error

    def rest(self, wake: int, seconds: float) -> Literal["woken", "idle"]:
        """
        Keep an eye on it while there is nothing to do.

        Args:
            wake: a descriptor; as soon as it can be read, there is something to do.
            seconds: how long, at most.

        Raises:
            WorkerError: it ended, or spoke without being asked.
        """
        ends_at_s = time.monotonic() + seconds
        self._poll.register(wake, select.POLLIN)
        try:
            while (left_s := ends_at_s - time.monotonic()) > 0:
                if wake in self._listen(left_s):
                    return "woken"
                self._check_quiet()
            return "idle"
        except WorkerError as error:
            raise self._loss(error, "while it had nothing to do") from error
        finally:
            self._poll.unregister(wake)

    def stop(self, why: str) -> None:
        """End the process now, from any thread; whoever waits for its answer hears that it was killed."""
        if not self.is_gone:
            self._is_stopped, self._killed_for = True, self._killed_for or why
            self._child.kill()

    def end(self, why: str = "") -> None:
        """
        End it and all it started, now. Only the thread that uses it may.

        There is nothing in it that could be lost, so nothing is asked of it first.
        """
        self._killed_for = self._killed_for or why
        self._child.end()

    def _conversation(
        self,
        job: protocol.AnyJob,
        files: Sequence[BufferedReader],
        on_progress: Callable[[int, int], None],
    ) -> protocol.Extracted | protocol.Drawn | protocol.Failed:
        timeout_s = self.settings.timeout_s
        ends_at_s = time.monotonic() + timeout_s
        self._check_quiet()
        self._send(job, files)
        self._assembler.max_bytes = protocol.longest_answer(job)
        # It may go through a video three times: for a face, for the base face's head, for the first frame's.
        most = len(files) * job.limits.max_frames
        for _ in range(3 * most + 2):
            answer = self._answer(ends_at_s, f"over worker.timeout_s = {timeout_s:g}")
            if isinstance(answer, protocol.Ready | protocol.Unfit):
                raise WorkerError("it was ready before, and says it again")
            if answer.number != job.number:
                raise WorkerError(f"it answers job {answer.number}, and {job.number} was asked for")
            if not isinstance(answer, protocol.Progress):
                if not self._assembler.is_empty:
                    raise WorkerError("it goes on after its answer")
                self._cpu = None
                return answer
            if answer.done > most:
                raise WorkerError(f"it decoded {answer.done} frames of {most} allowed")
            on_progress(answer.done, answer.expected)
        raise WorkerError("it talks without end")

    def _check_quiet(self) -> None:
        if not self._assembler.is_empty:
            raise WorkerError("it spoke without being asked")
        if not self._hears or self._child.is_dead:
            raise WorkerError("")

    def _send(self, job: protocol.AnyJob, files: Sequence[BufferedReader]) -> None:
        message = protocol.encode(job)
        try:
            sent = socket.send_fds(self._child.channel, [message], [file.fileno() for file in files])
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it has ended, which is what will be heard next
        # A job is smaller than any socket's buffer, and the one before was answered.
        if sent < len(message):
            raise WorkerError("it does not take its job")
        self._cpu = CpuTime(self.pid, self.settings.cpu_s)

    def _answer(self, ends_at_s: float, why_late: str) -> protocol.Answer:
        while (message := self._assembler.pop()) is None:
            if not self._hears:
                raise WorkerError("")
            left_s = ends_at_s - time.monotonic()
            if left_s <= 0:
                raise WorkerError(why_late)
            self._listen(left_s)
        return protocol.decode_answer(message)

    def _listen(self, seconds: float) -> set[int]:
        """
        Take in what comes, for so long at most; the descriptors that had something.

        Raises:
            WorkerError: it is over a limit.
        """
        found = {descriptor for descriptor, _ in self._poll.poll(min(seconds, _LOOK_S) * 1000)}
        if self._child.channel.fileno() in found:
            self._hear()
        if self._child.stderr in found and not self._prints.read():
            self._poll.unregister(self._child.stderr)
        now_s = time.monotonic()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + _LOOK_S
            self._look(is_silent=self._child.channel.fileno() not in found)
        return found

    def _hear(self) -> None:
        try:
            piece = self._child.channel.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self._assembler.feed(piece)
        if not piece:
            self._hears = False
            self._poll.unregister(self._child.channel)

    def _look(self, *, is_silent: bool) -> None:
        if is_silent and self._child.is_dead:
            # What it started may hold its channel open, so that its end is not heard.
            self._hears = False
        if self._cpu and self._cpu.is_over():
            raise WorkerError(f"over worker.cpu_s = {self.settings.cpu_s}")
        most = most_threads(self.settings.threads or _FRAMES_UNASKED)
        if (threads := self._child.threads) > most:
            raise WorkerError(f"it has {threads} threads, and {most} are the most allowed")
        self._on_memory(self._child.memory_mb)

    def _loss(self, error: WorkerError, when: str) -> WorkerError:
        """What to say of a worker that is of no more use, which is gone after this."""
        why = str(error)
        if not why:
            # It has nothing more to say; given time to end by itself, its status says why.
            self._hear_last_words()
            why = "" if self._child.is_dead else "it closed its channel, but did not end"
        was_stopped = self._is_stopped
        self.end(why)
        status = self._child.end()
        how = how_it_ended(
            status, cpu_s=self.settings.cpu_s, killed_for=self._killed_for, last_line=self._prints.tail
        )
        said = f"the worker {how} {when}"
        if not self.is_ready:
            return WorkerStartError(said)
        if was_stopped or (status == -signal.SIGKILL and not self._killed_for):
            return WorkerKilledError(said)
        return WorkerError(said)

    def _hear_last_words(self) -> None:
        ends_at_s = time.monotonic() + _LAST_WORDS_S
        poll = select.poll()
        poll.register(self._child.stderr, select.POLLIN)
        with contextlib.suppress(WorkerError):
            while time.monotonic() < ends_at_s and not self._child.is_dead:
                if poll.poll(10) and not self._prints.read():
                    poll.unregister(self._child.stderr)
            while poll.poll(0) and self._prints.read():
                pass
