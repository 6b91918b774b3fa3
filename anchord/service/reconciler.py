"""
From touches to tasks: what changed, whether it stands still, and whether its timeline is stale.

What is to be done for a pack is decided once, here, and travels with its task; later steps only ask
whether it is still true.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from typing import TypeAlias

import structlog

from anchord import packs
from anchord.errors import AnchordError, FileError, MachineError, NoInputError, VideoError
from anchord.files import FileKey, Folder
from anchord.service.lanes import Lanes, Stepped
from anchord.service.queue import Queue
from anchord.service.timers import Timers
from anchord.service.verdicts import Verdicts
from anchord.service.watching.debounce import Debounce
from anchord.service.watching.scanner import Known, Look, Names, look_at
from anchord.settings import PackSettings, Settings
from anchord.worker.executor import Task

# All events of so long are one look.
_LOOK_AFTER_S = 0.05
_LONGEST_QUIET_S = 86_400.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LookDue:
    """A pack was touched a moment ago."""

    pack: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The pack is not as it was, or other files of it are meant than were looked at."""

    names: Names
    look: Look | None


@dataclass(frozen=True, slots=True)
class UpToDate:
    """The timeline is that of the video; *read* where the video was read to find out."""

    read: FileKey | None


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no video; *hint* is what a person may want to know, empty where nothing hints at one."""

    reason: str
    is_hint: bool


Decision: TypeAlias = Task | Unsettled | UpToDate | Missing


def decide(
    root: str, pack: str, settings: Settings, names: Names, before: Look, confirmed: FileKey | None
) -> Decision:
    """
    What is to be done for a pack that has settled. Run in a lane.

    Args:
        root: the avatars root's path.
        pack: its id.
        settings: the daemon's.
        names: which of its files were looked at.
        before: how they looked when it was touched last.
        confirmed: the video that was read last and found to be that of the timeline.

    Raises:
        AnchordError: its files say or hold something that can't be worked with, or can't be read now.
    """
    path = f"{root}/{pack}"
    with Folder(path) as folder:
        chosen = packs.chosen(settings, pack, folder)
        wanted = _names(chosen)
        look = look_at(path, wanted)
        if wanted != names or look is None or look.matter != before.matter:
            return Unsettled(wanted, look)
        if look.trouble:
            raise MachineError(look.trouble)
        video = look.feed[0]
        if video is None:
            return _missing(folder, chosen)
        folder.check_output(chosen.output)
        stale = packs.staleness(folder, chosen, video)
        if stale is None or (stale.unless_sha256 and video == confirmed):
            return UpToDate(None)
        packs.check_size(f"{path}/{chosen.video}", video, settings.limits.max_bytes)
        try:
            stream = _opened(folder, chosen.video)
        except NoInputError:
            return Missing(f"{chosen.video} is a link that leads nowhere", is_hint=True)
        with stream:
            if not FileKey.of_opened(stream).same_content_as(video):
                return Unsettled(wanted, look_at(path, wanted))
            sha256 = packs.digest(stream, f"{path}/{chosen.video}")
        if sha256 == stale.unless_sha256:
            packs.confirm(folder, chosen.output)
            return UpToDate(video)
        base, base_sha256 = packs.base_key(folder, chosen)
    return Task(
        pack=pack,
        settings=chosen,
        limits=settings.limits,
        feed=look.feed,
        sha256=sha256,
        reason=stale.reason,
        owner=video.owner,
        base=base,
        base_sha256=base_sha256,
    )


def _everything(_task: Task) -> bool:
    """What is stale is made anew."""
    return True


def _names(chosen: PackSettings) -> Names:
    return Names(chosen.video, chosen.output, chosen.is_stand_in, chosen.base)


def _missing(folder: Folder, chosen: PackSettings) -> Missing:
    reason = packs.missing_video(folder, chosen)
    return Missing(reason, is_hint="video" in chosen.origins or "; " in reason)


def _opened(folder: Folder, video: str) -> BufferedReader:
    try:
        return folder.open(video)
    except FileError as error:
        raise VideoError(str(error)) from error


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Reconciler:
    """
    Finds the packs that need work and puts their tasks into the *queue*.

    Args:
        settings: may be replaced at any time.
        known: what was last seen of the packs.
        queue: where tasks go.
        debounce: holds packs until they stand still.
        timers: gets a ``LookDue`` for each touched pack.
        lanes: where looks and decisions run.
        verdicts: what becomes of a pack that can't be worked on.
        look_at: looks at a pack: id, path, names, the look before. Called in a lane.
        is_wanted: whether a task is to be done; what is not wanted is left as it is.
        clock: seconds, never going back.
    """

    settings: Settings
    known: Known
    queue: Queue[Task]
    debounce: Debounce
    timers: Timers
    lanes: Lanes
    verdicts: Verdicts
    look_at: Callable[[str, str, Names, Look | None], Look | None]
    is_wanted: Callable[[Task], bool] = _everything
    clock: Callable[[], float] = time.monotonic
    #: Timelines that were found to be as they should, and those that were not wanted.
    up_to_date: int = field(default=0, init=False)
    unwanted: int = field(default=0, init=False)
    # Packs that were there at the start and were not touched since.
    _backlog: set[str] = field(default_factory=set, init=False)
    # Pack -> what was last said about its missing video.
    hints: dict[str, str] = field(default_factory=dict, init=False)

    def touch(self, pack: str) -> None:
        """Something in *pack* may have changed: look at it in a moment."""
        if packs.is_pack_name(pack[pack.rfind("/") + 1 :]):
            self._backlog.discard(pack)
            self.timers.set_by(LookDue(pack), at_s=self.clock() + _LOOK_AFTER_S)

    def look(self, pack: str) -> None:
        """Look at a pack now; the answer comes back through :meth:`looked`."""
        self.lanes.submit(pack, "look", partial(self.look_now, pack))

    def look_now(self, pack: str) -> Look | None:
        """
        What a pack looks like. Run in a lane.

        Raises:
            MachineError: it can't be looked at.
        """
        return self.look_at(
            pack, f"{self.known.root}/{pack}", self.known.names(pack), self.known.seen.get(pack)
        )

    def looked(self, pack: str, found: Look | AnchordError | None, *, is_first: bool = False) -> bool:
        """
        Take in a look at a pack; whether anything that matters is not as it was.

        Args:
            pack: its id.
            found: the look; None where the pack is gone.
            is_first: the pack was there before the daemon was, so that what has been left alone for long
                needs no further wait.
        """
        if isinstance(found, AnchordError):
            if pack not in self.queue.retries:  # else its pause goes on: events alone do not shorten it
                self.verdicts.fail(pack, found)
            return False
        before = self.known.seen.get(pack)
        if found is None:
            self.forget(pack)
            return before is not None
        self.known.seen[pack] = found
        is_changed = before is None or before.matter != found.matter
        if not is_changed and before is not None and before.output == found.output:
            return False
        if is_changed:
            self.queue.changed(pack)
            if is_first:
                self._backlog.add(pack)
            self.debounce.touch(pack, at_s=self.clock(), quiet_s=self._quiet_s(found) if is_first else 0.0)
        elif pack not in self.debounce.held:
            # The timeline was deleted or replaced. Whoever does that for ever does not hold up the rest.
            self.debounce.touch(pack, at_s=self.clock())
        return is_changed

    def settled(self, pack: str) -> None:
        """Nothing was heard of the pack for long enough: look whether it really stands still, and decide."""
        before = self.known.seen.get(pack)
        if before is None:
            self.debounce.forget(pack)
            return
        if self.queue.is_parked(pack, before.content):
            self.debounce.forget(pack)
            return
        step = partial(
            decide,
            self.known.root,
            pack,
            self.settings,
            self.known.names(pack),
            before,
            self.known.confirmed(pack),
        )
        self.lanes.submit(pack, "decide", step)

    def is_expecting(self, pack: str) -> bool:
        """Whether changes in *pack* are known of already, and being waited out or looked at."""
        return (
            pack in self.debounce.held or self.timers.is_set(LookDue(pack)) or self.lanes.is_busy_with(pack)
        )

    def again(self, pack: str) -> None:
        """A pack's pause is over."""
        self.queue.due(pack)
        (self.settled if pack in self.known.seen else self.look)(pack)

    def decided(self, pack: str, found: Decision | AnchordError) -> None:
        """Take in what was decided for a pack."""
        if isinstance(found, Unsettled):
            self._unsettled(pack, found)
            return
        self.debounce.forget(pack)
        if not isinstance(found, AnchordError):
            log.debug("pack_settled", pack=pack)
        if not isinstance(found, Missing):
            self.hints.pop(pack, None)
        match found:
            case AnchordError():
                self.verdicts.fail(pack, found)
            case Task() if not self.is_wanted(found):
                self.unwanted += 1
                self.queue.finish(pack)
            case Task():
                self._queue_up(pack, found)
            case UpToDate(read):
                self.up_to_date += 1
                if read is not None:
                    self.known.confirm(pack, read)
                log.debug("pack_up_to_date", pack=pack)
                self.queue.finish(pack)
            case Missing(reason, is_hint):
                self.queue.forget(pack)  # nothing to do until there is one
                if is_hint and self.hints.get(pack) != reason:
                    self.verdicts.hint(pack, reason)
                if is_hint:
                    self.hints[pack] = reason

    def _queue_up(self, pack: str, task: Task) -> None:
        look = self.known.seen.get(pack)
        self.queue.add(
            pack,
            task,
            now_s=self.clock(),
            is_backlog=pack in self._backlog,
            changed_s=look.changed_s if look else 0.0,
        )

    def tick(self) -> None:
        """Hold back what turned out to have changed while it was worked on."""
        while (pack := self.queue.pop_unsettled()) is not None:
            self.debounce.touch(pack, at_s=self.clock())
            self.look(pack)

    def forget(self, pack: str) -> None:
        """The pack is gone."""
        self.known.forget(pack)
        self.debounce.forget(pack)
        self.queue.forget(pack)
        self.hints.pop(pack, None)
        self._backlog.discard(pack)
        self.timers.cancel(LookDue(pack))

    def forget_all(self) -> None:
        """Look at everything anew, as at the start."""
        self.known.forget_all()
        self.queue.unpark_all()
        self.hints.clear()

    def stepped(self, stepped: Stepped) -> None:
        """Take in what a step of a pack gave."""
        found = stepped.result
        if stepped.step == "look":
            assert found is None or isinstance(found, Look | AnchordError)
            self.looked(stepped.key, found)
        else:
            assert isinstance(found, Task | Unsettled | UpToDate | Missing | AnchordError)
            self.decided(stepped.key, found)

    def _unsettled(self, pack: str, found: Unsettled) -> None:
        self.known.name(pack, found.names)
        if found.look is None:
            self.forget(pack)
            return
        self.known.seen[pack] = found.look
        quiet_s = self._quiet_s(found.look) if pack in self._backlog else 0.0
        self.debounce.touch(pack, at_s=self.clock(), quiet_s=quiet_s)

    def _quiet_s(self, look: Look) -> float:
        """For how long nothing has changed in a pack, by the change times of its files."""
        return min(max(time.time() - look.changed_s, 0.0), _LONGEST_QUIET_S)
