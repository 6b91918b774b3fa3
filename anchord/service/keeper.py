"""
The avatars root itself: taken, watched, and listed. Each call may hang with its disk, so it runs in a lane.

The root may be a link, be made again, be mounted over, or be gone for a while; it is followed here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import structlog

from anchord import packs
from anchord.service import lock
from anchord.service.watching.watcher import RootKey, Watcher, root_key
from anchord.shard import Shard

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where this daemon's packs lie.

    Args:
        root: the avatars root, as it was given: links in it are followed anew each time.
        depth: 1 where packs lie in it, 2 where they lie in its folders.
        shard: which of them are this daemon's.
    """

    root: Path
    depth: int = 1
    shard: Shard = packs.ALL


@dataclass(frozen=True, slots=True)
class Listed:
    """This daemon's packs, and whether the root is another folder than before."""

    root: RootKey
    ids: set[str]
    is_other: bool


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Keeper:
    """
    Keeps the root for this daemon alone.

    Args:
        watcher: hears of changes in it.
        is_watching: whether it does.
    """

    watcher: Watcher
    is_watching: bool
    _lock: lock.Lock | None = field(default=None, init=False)
    _locked: tuple[RootKey, Shard] | None = field(default=None, init=False)

    def look_through(self, place: Place) -> Listed:
        """
        Take the root, watch it, and list its packs.

        Raises:
            RootError: it can't be read, or another daemon keeps packs of it.
        """
        key = root_key(place.root)
        is_other = (key, place.shard) != self._locked
        if is_other or self._lock is None or not self._lock.is_current():
            self._take(key, place.shard)
        root = Path(key.path)
        if self.is_watching:
            is_other = self.watcher.follow(key) or is_other
            # Heard first and listed afterwards: what comes between is then seen twice.
            self.watcher.listen_to_groups(packs.groups(root) if place.depth > 1 else ())
        found = packs.pack_ids(root, follow=False, depth=place.depth)
        return Listed(key, {pack for pack in found if place.shard.has(pack)}, is_other)

    def release(self) -> None:
        """Give it free."""
        if self._lock:
            self._lock.release()

    def _take(self, key: RootKey, shard: Shard) -> None:
        # One process has one lock on a file, however often it opened it: of the same root another shard can
        # only be had by giving the first one free.
        if self._locked and self._locked[0] == key and self._lock and self._lock.is_current():
            self._lock.release()
            self._lock = self._locked = None
        # The new one first: where it can't be had, the old one is still ours.
        taken = lock.Lock(Path(key.path), shard)
        if self._lock:
            self._lock.release()
        self._lock, self._locked = taken, (key, shard)
        if taken.unheld_because:
            log.warning("root_unlocked", root=key.path, reason=taken.unheld_because)
