"""
What packs look like, without reading a file: the truth that file events only are hints of.

One look costs a system call for the folder and one for each file that feeds a timeline; a file that was
not there can only have come if its folder has changed since.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from anchord.errors import AnchordError, MachineError, fault, reason
from anchord.files import FileKey, Folder
from anchord.guard import guarded
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.packs import FeedKey
from anchord.settings import DEFAULT_BASE, DEFAULT_OUTPUT, DEFAULT_VIDEO, FILE_NAME

# A folder changed twice within one tick of its file system's clock looks as if it had changed once; FAT
# has ticks of two seconds.
_TICK_NS = 3_000_000_000
# How long one turn of a sweep may take before others get theirs.
_SLICE_S = 0.05


class Names(NamedTuple):
    """Which files of a pack are looked at."""

    video: str = DEFAULT_VIDEO
    output: str = DEFAULT_OUTPUT
    #: Nothing names the video, and it is not the default one: another may come and be meant.
    is_stand_in: bool = False
    #: Empty where the manifest names none that can be opened.
    base: str = DEFAULT_BASE


class FolderKey(NamedTuple):
    """Which folder a pack is, and who may do what in it."""

    device: int
    inode: int
    mode: int
    owner: int
    group: int


class Look(NamedTuple):
    """What a pack looks like."""

    feed: FeedKey
    output: FileKey | None
    folder: FolderKey
    #: When an entry of the folder last came or went, ns.
    changed_ns: int
    #: The same where such an entry may be the video that is looked for, else 0.
    listed_ns: int = 0
    #: Why it could not be looked at whole; empty: it could.
    trouble: str = ""

    @property
    def matter(self) -> tuple[object, ...]:
        """What of it decides about the timeline; while that stays the same, nothing has to be done."""
        return (self.feed, self.folder, self.listed_ns, self.trouble)

    @property
    def content(self) -> tuple[object, ...]:
        """What of it a person must change before a parked pack is looked at again."""
        in_the_way = stat.S_IFMT(self.output.mode) if self.output else 0
        return (self.feed, self.listed_ns, in_the_way)

    @property
    def changed_s(self) -> float:
        """When one of its files last changed in any way, seconds since 1970; that can't be faked."""
        return max((file.ctime_ns for file in self.feed if file), default=0) / 1e9


def look_at(folder: str, names: Names, before: Look | None = None) -> Look | None:
    """
    What the pack in *folder* looks like; None where there is none.

    Args:
        folder: its path.
        names: which files are meant.
        before: an earlier look, which saves some of the work.

    Raises:
        MachineError: not even the folder can be looked at.
    """
    try:
        status = os.stat(folder)  # noqa: PTH116  10,000 packs: a Path object costs more than the call
    except OSError as error:
        if fault(error) == "machine":
            raise MachineError(f"{folder}: cannot be looked at: {reason(error)}") from error
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    place = FolderKey(status.st_dev, status.st_ino, status.st_mode, status.st_uid, status.st_gid)
    changed_ns = status.st_mtime_ns
    is_same = (
        before is not None
        and not before.trouble
        and before.folder == place
        and before.changed_ns == changed_ns
        and time.time_ns() - changed_ns > _TICK_NS
    )
    was = before.feed if before is not None and is_same else None
    try:
        feed = (
            None if was and was[0] is None else _key(folder, names.video),
            None if was and was[1] is None else _key(folder, FILE_NAME),
            None if was and was[2] is None else _key(folder, MANIFEST_NAME),
            None if not names.base or (was and was[3] is None) else _key(folder, names.base),
        )
        # Whoever replaces or deletes it changes the folder.
        output = before.output if before is not None and is_same else _key(folder, names.output)
    except OSError as error:
        trouble = f"{error.filename or folder}: cannot be looked at: {reason(error)}"
        return Look((None, None, None, None), None, place, changed_ns, trouble=trouble)
    listed_ns = changed_ns if feed[0] is None or names.is_stand_in else 0
    return Look(feed, output, place, changed_ns, listed_ns)


def _key(folder: str, name: str) -> FileKey | None:
    try:
        status = os.stat(f"{folder}/{name}", follow_symlinks=False)  # noqa: PTH116
    except OSError as error:
        if fault(error) == "machine":
            raise
        return None
    if stat.S_ISLNK(status.st_mode):
        with Folder(folder) as opened:
            return opened.look(name)
    return FileKey.of(status)


def is_still(folder: str, names: Names, before: Look, *, now_ns: int) -> bool:
    """
    Whether the pack in *folder* certainly is as it was: what a round asks of each, so without a function call
    or an object more than that takes. Where the answer is no, :func:`look_at` says what is so.
    """
    if before.trouble or now_ns - before.changed_ns < _TICK_NS:
        return False
    try:
        status = os.stat(folder)  # noqa: PTH116
        if status.st_mtime_ns != before.changed_ns or before.folder != (
            status.st_dev,
            status.st_ino,
            status.st_mode,
            status.st_uid,
            status.st_gid,
        ):
            return False
        names_fed = (names.video, FILE_NAME, MANIFEST_NAME, names.base)
        for name, key in zip(names_fed, before.feed, strict=True):
            # What was not there can only have come by changing the folder; so does who replaces the output.
            if key is not None:
                status = os.stat(f"{folder}/{name}", follow_symlinks=False)  # noqa: PTH116
                if key != (
                    status.st_dev,
                    status.st_ino,
                    status.st_size,
                    status.st_mtime_ns,
                    status.st_ctime_ns,
                    status.st_uid,
                    status.st_mode,
                ):
                    return False
    except OSError:
        return False
    return True


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Sweep:
    """
    A look at many packs, in turns short enough that nothing waits for them.

    A pack that hangs holds up one turn and no other: another thread goes on with the rest.

    Args:
        packs: ids.
        is_still: whether one of them certainly is as it was.
        look: looks at one of them.
        seen: the last look at it: what is as it was is not told of.
        is_whole: they are all packs that there are.
        on_defect: told of mistakes of ours.
    """

    packs: Iterable[str]
    is_still: Callable[[str], bool]
    look: Callable[[str], Look | None]
    seen: Callable[[str], Look | None]
    is_whole: bool
    on_defect: Callable[[Exception], None] = lambda _error: None
    _left: deque[str] = field(init=False)
    _found: deque[tuple[str, Look | AnchordError | None]] = field(default_factory=deque, init=False)
    # Each turn under way -> the pack that it looks at in this moment.
    _at: dict[object, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._left = deque(self.packs)

    @property
    def at(self) -> set[str]:
        """Packs that are looked at in this moment, one for each turn that is under way."""
        return set(self._at.copy().values())

    @property
    def is_done(self) -> bool:
        """Whether no pack is left that no turn has taken up."""
        return not self._left

    def turn(self) -> list[tuple[str, Look | AnchordError | None]]:
        """Look at some packs; those that are not as they were, also of a turn that hangs at its next pack."""
        turn, ends_s = object(), time.monotonic() + _SLICE_S
        while self._left and time.monotonic() < ends_s:
            failed = guarded(partial(self._look_until, ends_s, turn), self.on_defect)
            if failed is not None:
                self._found.append((self._at[turn], failed))
        self._at.pop(turn, None)
        return self.take()

    def _look_until(self, ends_s: float, turn: object) -> None:
        """Look at one pack after the other; what one of them raises is the answer for the last begun."""
        while time.monotonic() < ends_s:
            try:
                pack = self._at[turn] = self._left.popleft()
            except IndexError:  # another thread took the last one
                return
            if self.is_still(pack):
                continue
            look = self.look(pack)
            if look is None or look != self.seen(pack):
                self._found.append((pack, look))

    def take(self) -> list[tuple[str, Look | AnchordError | None]]:
        """What was found and not taken yet. From any thread."""
        taken = []
        while True:
            try:
                taken.append(self._found.popleft())
            except IndexError:
                return taken


@dataclass(slots=True, eq=False, repr=False)
class Known:
    """What was last seen of each pack, and what is known of it besides."""

    #: The avatars root's path, links resolved.
    root: str = field(default="", init=False)
    seen: dict[str, Look] = field(default_factory=dict, init=False)
    # Pack -> which of its files are looked at, where not the default ones.
    _names: dict[str, Names] = field(default_factory=dict, init=False)
    # Pack -> the video that was read and found to be the one its timeline was made from.
    _confirmed: dict[str, FileKey] = field(default_factory=dict, init=False)

    def names(self, pack: str) -> Names:
        """Which of the pack's files are looked at, as far as is known."""
        return self._names.get(pack, _DEFAULT)

    def name(self, pack: str, names: Names) -> None:
        """Look at these files of the pack from now on."""
        if names == _DEFAULT:
            self._names.pop(pack, None)
        else:
            self._names[pack] = names

    def confirm(self, pack: str, video: FileKey) -> None:
        """This video was found to have the content that the pack's timeline was made from."""
        self._confirmed[pack] = video

    def confirmed(self, pack: str) -> FileKey | None:
        """The video that was confirmed last."""
        return self._confirmed.get(pack)

    def wrote(self, pack: str, output: FileKey) -> None:
        """The timeline there now is one that was just written: no change to be worked on."""
        if pack in self.seen:
            self.seen[pack] = self.seen[pack]._replace(output=output)

    def forget(self, pack: str) -> None:
        """The pack is gone."""
        self.seen.pop(pack, None)
        self._names.pop(pack, None)
        self._confirmed.pop(pack, None)

    def forget_all(self) -> None:
        """Everything is to be looked at anew."""
        self.seen.clear()
        self._names.clear()
        self._confirmed.clear()


_DEFAULT = Names()
