"""
The only loop and the only clock: touches, answers and signals come in through one inbox.

Nothing here reads a video. A pack's way: touched, settled, found stale, queued, handed to the
worker, its answer checked and written.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias

import structlog

from anchord import __version__, packs, timeline
from anchord.atomic import remove_leftovers, write_atomically
from anchord.errors import (
    AnchordError,
    ChangedVideoError,
    NoInputError,
    RootError,
    SettingsError,
    VideoError,
    WorkerError,
)
from anchord.packs import FileKey, Pack
from anchord.service import jobs
from anchord.service.schedule import Schedule
from anchord.service.settle import Settler
from anchord.service.watch import Watch
from anchord.service.worker import Ended, Printed, Report, Worker, how_it_ended
from anchord.settings import DEFAULT_VIDEO, PackSettings, Settings, pack_settings

FeedKey: TypeAlias = tuple[FileKey | None, ...]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Touched:
    """Something in a pack may have changed."""

    pack: str


@dataclass(frozen=True, slots=True)
class Signalled:
    """The process was asked to stop."""

    number: int


class Observer(Protocol):
    """Somebody who watches the work, such as a progress bar."""

    def working(self, pack: str, queued: int) -> None:
        """A pack is worked on, so many more wait."""

    def progressed(self, done: int, expected: int) -> None:
        """So many frames of its video are decoded."""


@dataclass(slots=True, kw_only=True)
class _Running:
    """The one job that the worker has."""

    pack: Pack
    settings: PackSettings
    feed: FeedKey
    video: FileKey
    reason: str
    number: int
    queued_s: float
    started_s: float


@dataclass(slots=True, kw_only=True)
class Daemon:
    """
    Keeps the timelines of all packs below *root* up to date.

    Args:
        settings: the daemon's settings; its root is not used.
        root: the avatars root.
        once: end when nothing is left to do, instead of watching.
        observer: told about progress.
        clock: seconds, never going back.
    """

    settings: Settings
    root: Path
    once: bool = False
    observer: Observer | None = None
    clock: Callable[[], float] = time.monotonic
    written: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)
    _inbox: SimpleQueue[Touched | Signalled | Report] = field(default_factory=SimpleQueue, init=False)
    _settler: Settler = field(init=False)
    _schedule: Schedule = field(default_factory=Schedule, init=False)
    _worker: Worker | None = field(default=None, init=False)
    _running: _Running | None = field(default=None, init=False)
    _numbers: int = field(default=0, init=False)
    # Pack -> what its files looked like when it was last touched, and its video's name.
    _seen: dict[str, FeedKey] = field(default_factory=dict, init=False)
    _videos: dict[str, str] = field(default_factory=dict, init=False)
    # Pack -> the video found to have the content its timeline was made from, whatever its time says.
    _same: dict[str, FileKey] = field(default_factory=dict, init=False)
    _known: set[str] = field(default_factory=set, init=False)
    _rescan_at_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._settler = Settler(settle_s=self.settings.watch.settle_s)

    def run(self) -> None:
        """
        Work until stopped by a signal, or, with ``once``, until all is done.

        Raises:
            RootError: the root can't be read at the start.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            # Nothing else is safe here: a handler may interrupt any line.
            signal.signal(number, lambda number, _frame: self._inbox.put(Signalled(number)))
        self.root = self.root.resolve()
        # Watched first and looked through afterwards: what happens between is then seen twice.
        watch = None if self.once else self._watch()
        try:
            self._scan()
            log.info(
                "daemon_started",
                version=__version__,
                root=str(self.root),
                packs=len(self._seen),
                settle_s=self.settings.watch.settle_s,
            )
            stopped_by = self._loop()
            log.info("daemon_stopped", signal=stopped_by, written=self.written, failed=self.failed)
        finally:
            if watch:
                watch.close()
            if self._worker:
                self._worker.kill()

    def _watch(self) -> Watch | None:
        try:
            return Watch(self.root, lambda pack: self._inbox.put(Touched(pack)))
        except RootError as error:
            log.error("watch_failed", error=str(error))
            return None

    def _loop(self) -> str | None:
        while True:
            try:
                message: Touched | Signalled | Report | None = self._inbox.get(timeout=self._wait_s())
            except Empty:
                message = None
            match message:
                case Touched(pack):
                    self._touch(pack)
                    continue  # only with every touch counted is what looks settled settled
                case Signalled(number):
                    return signal.Signals(number).name
                case Printed(line=line):
                    log.debug("worker_printed", line=line)
                case None:
                    pass
                case _:
                    self._answered(message)
            now_s = self.clock()
            if now_s >= self._rescan_at_s and not self.once:
                self._rescan()
            while settled := self._settler.pop_settled(now_s=now_s):
                self._settled(settled)
            if self._running and now_s - self._running.started_s > self.settings.worker.timeout_s:
                self._time_out()
            self._start_next()
            if self.once and not self._running and not len(self._settler) and not self._schedule.queued:
                return None

    def _wait_s(self) -> float:
        now_s = self.clock()
        waits = [
            self._rescan_at_s - now_s,
            self._settler.wait_s(now_s=now_s),
            self._schedule.wait_s(now_s=now_s),
        ]
        if self._running:
            waits.append(self._running.started_s + self.settings.worker.timeout_s - now_s)
        return max(0.0, min(wait for wait in waits if wait is not None))

    # -- what changed ---------------------------------------------------------------------------

    def _scan(self) -> None:
        """Touch every pack whose files are not as they were last seen."""
        now_s, now = self.clock(), time.time()
        self._rescan_at_s = now_s + self.settings.watch.rescan_s
        found = set()
        for pack in packs.find_packs(self.root):
            found.add(pack.id)
            key = packs.feed_key(pack, self._videos.get(pack.id, DEFAULT_VIDEO))
            if self._seen.get(pack.id) == key:
                continue
            is_first = pack.id not in self._seen
            self._seen[pack.id] = key
            # Files that were left alone before this start need no further wait; ctime can't be faked.
            quiet_s = now - max((file.ctime_ns for file in key if file), default=0) / 1e9
            self._settler.touch(pack.id, at_s=now_s - min(max(quiet_s, 0.0), 86_400.0) if is_first else now_s)
            if is_first and not self._known:
                remove_leftovers(pack.folder)
        self._known = found
        for gone in self._seen.keys() - found:
            self._forget(gone)

    def _rescan(self) -> None:
        try:
            self._scan()
        except RootError as error:
            log.error("root_unreadable", error=str(error))

    def _forget(self, pack: str) -> None:
        for memory in (self._seen, self._videos, self._same):
            memory.pop(pack, None)
        self._settler.forget(pack)
        self._schedule.forget(pack)

    def _touch(self, pack: str) -> None:
        if pack.startswith("."):
            return
        folder = Pack(id=pack, folder=self.root / pack)
        self._seen[pack] = packs.feed_key(folder, self._videos.get(pack, DEFAULT_VIDEO))
        self._settler.touch(pack, at_s=self.clock())

    def _settled(self, name: str) -> None:
        """Nothing was heard of the pack for long enough: look whether it really stands still."""
        pack = Pack(id=name, folder=self.root / name)
        if not pack.folder.is_dir():
            self._forget(name)
            return
        with structlog.contextvars.bound_contextvars(pack=name):
            feed = packs.feed_key(pack, self._videos.get(name, DEFAULT_VIDEO))
            if self._schedule.is_parked(name, feed):
                return
            try:
                settings = pack_settings(self.settings, name, pack.folder)
            except SettingsError as error:
                log.warning("pack_parked", error=str(error))
                self.failed += 1
                self._schedule.park(name, key=feed, reason=str(error))
                return
            self._videos[name] = settings.video
            key = packs.feed_key(pack, settings.video)
            if key != self._seen.get(name):
                # Another video than was looked at so far, or events were lost: wait once more.
                self._seen[name] = key
                self._settler.touch(name, at_s=self.clock())
                return
            if self._schedule.is_parked(name, key):
                return
            log.debug("pack_settled")
            self._queue_if_stale(pack, settings, key)

    def _queue_if_stale(self, pack: Pack, settings: PackSettings, key: FeedKey) -> None:
        video = key[0]
        if video is None:
            self._schedule.forget(pack.id)  # no video: nothing to do until there is one
            return
        stale = packs.staleness(pack, settings, video)
        if stale is None or (stale.unless_sha256 and self._same.get(pack.id) == video):
            log.debug("pack_up_to_date")
            self._schedule.finish(pack.id)
            return
        self._schedule.add(pack.id, now_s=self.clock(), is_new=pack.id not in self._same)

    # -- work -----------------------------------------------------------------------------------

    def _start_next(self) -> None:
        while not self._running and (started := self._schedule.start_next(now_s=self.clock())):
            name, queued_s = started
            pack = Pack(id=name, folder=self.root / name)
            with structlog.contextvars.bound_contextvars(pack=name):
                try:
                    self._start(pack, queued_s)
                except NoInputError:
                    self._schedule.forget(name)
                    self._schedule.finish(name)
                except AnchordError as error:
                    self._fail(name, self._seen.get(name, ()), error)

    def _start(self, pack: Pack, queued_s: float) -> None:
        """Hand the pack's video to the worker, unless its timeline turns out to be good."""
        settings = pack_settings(self.settings, pack.id, pack.folder)
        feed = packs.feed_key(pack, settings.video)
        packs.output_file(pack.folder, settings.output)
        with packs.open_inside(pack.folder, settings.video) as stream:
            video = FileKey.of_opened(stream)
            stale = packs.staleness(pack, settings, video)
            if stale is None:
                self._schedule.finish(pack.id)
                return
            if self._worker is None:
                self._worker = Worker(self._inbox.put, threads=self.settings.worker.threads)
                log.debug("worker_started", pid=self._worker.pid)
            self._numbers += 1
            job = jobs.Job(
                number=self._numbers,
                video=settings.video,
                settings=settings.extract,
                limits=self.settings.limits,
                unless_sha256=stale.unless_sha256,
            )
            self._worker.submit(job, stream)
        self._running = _Running(
            pack=pack,
            settings=settings,
            feed=feed,
            video=video,
            reason=stale.reason,
            number=job.number,
            queued_s=queued_s,
            started_s=self.clock(),
        )
        log.debug("extraction_started", video=settings.video, reason=stale.reason)
        if self.observer:
            self.observer.working(pack.id, self._schedule.queued)

    def _answered(self, answer: Report) -> None:
        running = self._running
        if isinstance(answer, Ended):
            if self._worker is None or answer.pid != self._worker.pid:
                return
            self._worker = None
            answer = jobs.Failed(
                number=running.number if running else 0,
                error="WorkerError",
                message=f"the worker {how_it_ended(answer.status)} while it worked on this video",
            )
        if isinstance(answer, jobs.Failed) and answer.number == -1:
            raise answer.as_error()
        if running is None or getattr(answer, "number", None) != running.number:
            return
        if isinstance(answer, jobs.Progress):
            if self.observer:
                self.observer.progressed(answer.done, answer.expected)
            return
        self._running = None
        name = running.pack.id
        with structlog.contextvars.bound_contextvars(pack=name, video=running.settings.video):
            try:
                match answer:
                    case jobs.Failed():
                        raise answer.as_error()
                    case jobs.Unchanged():
                        log.debug("pack_up_to_date")
                    case jobs.Extracted(content=content):
                        self._write(running, content)
            except ChangedVideoError:
                log.info("video_changed")
                self._schedule.finish(name)
                self._touch(name)
            except AnchordError as error:
                self._fail(name, running.feed, error)
            else:
                self._same[name] = running.video
                self._schedule.finish(name)

    def _write(self, running: _Running, content: bytes) -> None:
        try:
            made = timeline.decode(content)
        except ValueError as error:
            raise WorkerError(f"the worker's timeline makes no sense: {error}") from error
        video = packs.feed_key(running.pack, running.settings.video)[0]
        if video is None or not video.same_content_as(running.video):
            raise ChangedVideoError("the video changed while it was read")
        write_atomically(packs.output_file(running.pack.folder, running.settings.output), content)
        self.written += 1
        quality = made.quality
        log.info(
            "timeline_written",
            frames=made.source.frame_count,
            samples=quality.samples,
            faces=quality.faces,
            coverage=round(quality.coverage, 4),
            longest_gap_ms=quality.longest_gap_ms,
            face_height=quality.face_height,
            warnings=[warning.code for warning in quality.warnings],
            bytes=len(content),
            reason=running.reason,
            queued_s=round(running.queued_s, 3),
            elapsed_s=round(self.clock() - running.started_s, 3),
        )
        for warning in quality.warnings:
            log.warning("video_warned", code=warning.code, advice=warning.message)

    def _fail(self, pack: str, feed: FeedKey, error: AnchordError) -> None:
        """Park the pack or try it again, as the error says, and tell why."""
        self.failed += 1
        if not error.is_environment:
            event = "video_refused" if isinstance(error, VideoError) else "pack_parked"
            log.warning(event, error=str(error))
            self._schedule.park(pack, key=feed, reason=str(error))
        else:
            retry_s = self._schedule.retry(pack, now_s=self.clock(), reason=str(error))
            log.error("pack_failed", error=str(error), retry_s=retry_s)

    def _time_out(self) -> None:
        assert self._worker is not None
        self._worker.kill()  # its end is then reported like any other
