"""From touches to the queue: what changed, whether it stands still, and whether its timeline is stale."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from anchord import packs
from anchord.errors import AnchordError, RootError, SettingsError
from anchord.packs import FeedKey
from anchord.service import lock
from anchord.service.lookout import Lookout
from anchord.service.schedule import Schedule
from anchord.service.settle import Settler
from anchord.service.survey import Survey
from anchord.settings import Settings, pack_settings

# A pack that has not stood still for so long is reported, and again each time that has doubled.
_RESTLESS_S = 60.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Intake:
    """
    Finds the packs that need work and puts them into the *schedule*.

    Args:
        settings: may be replaced at any time.
        survey: what the packs look like.
        schedule: where stale packs go.
        report: gets the id of a pack in which something may have changed, from another thread.
        on_overflow: called from another thread when file events were lost.
        park: called with a pack whose settings can't be obeyed.
        clock: seconds, never going back.
    """

    settings: Settings
    survey: Survey
    schedule: Schedule
    report: Callable[[str], None]
    on_overflow: Callable[[], None]
    park: Callable[[str, FeedKey, AnchordError], None]
    is_watching: bool = True
    clock: Callable[[], float] = time.monotonic
    lookout: Lookout = field(init=False)
    settler: Settler = field(init=False)
    is_root_lost: bool = field(default=False, init=False)
    rescans: int = field(default=0, init=False)
    #: Changes that no file event told of: how good the watch is.
    missed_by_watch: int = field(default=0, init=False)
    _lock: lock.Lock | None = field(default=None, init=False)
    _rescan_at_s: float = field(default=0.0, init=False)
    _told_restless_s: dict[str, float] = field(default_factory=dict, init=False)
    # Packs that were there at the start and were not touched since.
    _backlog: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.settler = Settler(settle_s=self.settings.watch.settle_s)
        self.lookout = Lookout(settings=self.settings.watch, report=self.report, on_overflow=self.on_overflow)

    def open(self) -> None:
        """
        Take the root, watch it, and touch every pack.

        Raises:
            RootError: the root can't be read, or another daemon keeps it.
        """
        # Watched first and looked through afterwards: what happens between is then seen twice.
        self._follow_root()
        self.survey.clean()
        self._look(is_first=True)

    def close(self) -> None:
        """Stop watching, and give the root free."""
        self.lookout.close()
        if self._lock:
            self._lock.release()

    def reload(self, settings: Settings, root: Path) -> None:
        """Look at everything anew, by other settings."""
        if root != self.survey.root or settings.watch.mode != self.settings.watch.mode:
            self.lookout.lose_root()
        self.settings = settings
        self.survey.root = root
        self.survey.forget_all()
        self.settler.settle_s = settings.watch.settle_s
        self.lookout.settings = settings.watch
        self.rescan_soon()

    def rescan_soon(self) -> None:
        """Look at all packs at the next tick."""
        self._rescan_at_s = 0.0

    def tick(self, now_s: float) -> None:
        """Look at all packs when it is time to, and queue what has settled."""
        if self.is_watching and (now_s >= self._rescan_at_s or self.lookout.tick(now_s)):
            self._rescan()
        while settled := self.settler.pop_settled(now_s=now_s):
            with structlog.contextvars.bound_contextvars(pack=settled):
                self._settled(settled)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until ``tick`` has something to do; None if it never will."""
        waits = [self.settler.wait_s(now_s=now_s)]
        if self.is_watching:
            waits += [max(0.0, self._rescan_at_s - now_s), self.lookout.wait_s(now_s)]
        return min((wait for wait in waits if wait is not None), default=None)

    def touch(self, pack: str) -> None:
        """Something in *pack* may have changed."""
        if pack.startswith("."):
            return
        self._backlog.discard(pack)
        self.survey.look_at(pack)
        self.settler.touch(pack, at_s=self.clock())

    def _follow_root(self) -> bool:
        """Watch and lock the root, which may be another folder than before; whether it is."""
        root = self.survey.root_key()
        is_other = self._lock is None or (self.is_watching and self.lookout.needs(root))
        if is_other:
            if self._lock:
                self._lock.release()
            self._lock = lock.Lock(Path(root.path))
            if self.is_watching:
                self.lookout.watch(root)
        return is_other

    def _rescan(self) -> None:
        try:
            is_other = self._follow_root()
            self._look(is_first=False)
        except RootError as error:
            if not self.is_root_lost:
                log.error("root_lost", error=str(error))
            self.is_root_lost = True
            self.lookout.lose_root()
            self._rescan_at_s = self.clock() + self.settings.watch.poll_s
            return
        if self.is_root_lost or is_other:
            log.info("root_found", packs=len(self.survey.seen), mode=self.lookout.mode)
        self.is_root_lost = False
        self._tell_restless()

    def _look(self, *, is_first: bool) -> None:
        now_s, now = self.clock(), time.time()
        found = self.survey.look()
        self._rescan_at_s = self.clock() + self.lookout.interval_s
        self.rescans += 1
        for pack in found.new + found.changed:
            # At the start, files left alone for long need no further wait; ctime can't be faked.
            changed_at = max((file.ctime_ns for file in self.survey.seen[pack] if file), default=0) / 1e9
            quiet_s = min(max(now - changed_at, 0.0), 86_400.0) if is_first else 0.0
            self.settler.touch(pack, at_s=now_s - quiet_s)
        for pack in found.gone:
            self._forget(pack)
        if is_first:
            self._backlog = set(found.new)
        elif self.lookout.mode == "inotify":
            self.missed_by_watch += len(found.new) + len(found.changed)

    def _forget(self, pack: str) -> None:
        self._told_restless_s.pop(pack, None)
        self._backlog.discard(pack)
        self.settler.forget(pack)
        self.schedule.forget(pack)

    def _settled(self, pack: str) -> None:
        """Nothing was heard of the pack for long enough: look whether it really stands still."""
        before = self.survey.seen.get(pack)
        folder = self.survey.root / pack
        error = settings = None
        try:
            settings = pack_settings(self.settings, pack, folder)
            self.survey.name_video(pack, settings.video)
        except SettingsError as refused:
            error = refused
        feed = self.survey.look_at(pack)
        if feed is None:
            self._forget(pack)
            if not self.survey.root.is_dir():
                self.rescan_soon()  # a pack that goes is the last that is heard of a root that goes
            return
        if feed != before:
            # Another video than was looked at so far, or events were lost: wait once more.
            self.settler.touch(pack, at_s=self.clock())
            return
        self.settler.forget(pack)
        self._told_restless_s.pop(pack, None)
        if self.schedule.is_parked(pack, feed):
            return
        log.debug("pack_settled")
        if settings is None:
            assert error is not None
            self.park(pack, feed, error)
        elif (video := feed[0]) is None:
            self.schedule.forget(pack)  # nothing to do until there is one
        elif (stale := packs.staleness(folder, settings, video)) is None or (
            stale.unless_sha256 and self.survey.is_confirmed(pack, video)
        ):
            log.debug("pack_up_to_date")
            self.schedule.finish(pack)
        else:
            self.schedule.add(pack, now_s=self.clock(), is_backlog=pack in self._backlog)

    def _tell_restless(self) -> None:
        restless = self.settler.restless(now_s=self.clock(), longer_than_s=_RESTLESS_S)
        for pack, changing_s in restless.items():
            if changing_s > 2 * self._told_restless_s.get(pack, 0.0):
                self._told_restless_s[pack] = changing_s
                log.warning("pack_still_changing", pack=pack, changing_s=round(changing_s))
