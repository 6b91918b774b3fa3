"""
What the packs below the root look like, and which of them look different from before.

The truth that file events are only hints of: one look at every pack costs a few system calls each,
and no file is read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from anchord import packs
from anchord.atomic import remove_leftovers
from anchord.errors import RootError
from anchord.packs import FeedKey, FileKey
from anchord.settings import DEFAULT_VIDEO


class RootKey(NamedTuple):
    """Which folder the root really is: it may be a link, be made again or be mounted over."""

    path: str
    device: int
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What one look found, compared with the one before."""

    new: list[str]
    changed: list[str]
    gone: list[str]


@dataclass(slots=True)
class Survey:
    """
    Remembers what every pack's files looked like.

    Args:
        root: the avatars root, as it was given: links in it are followed anew at each look.
    """

    root: Path
    seen: dict[str, FeedKey] = field(default_factory=dict, init=False)
    # Pack -> the name of its video, where that is not the default.
    _videos: dict[str, str] = field(default_factory=dict, init=False)
    # Pack -> the video whose content its timeline was made from.
    _confirmed: dict[str, FileKey] = field(default_factory=dict, init=False)

    def root_key(self) -> RootKey:
        """
        Which folder the root is at this moment.

        Raises:
            RootError: it can't be read.
        """
        try:
            path = self.root.resolve(strict=True)
            status = path.stat()
            if not os.access(path, os.R_OK | os.X_OK):
                raise PermissionError(13, "not readable by this user")
        except OSError as error:
            raise RootError(
                f"{self.root}: avatars root cannot be read: {error.strerror}; create it, give anchord's user "
                "the right to read it, or name another with --root or root = in anchord.toml"
            ) from error
        return RootKey(str(path), status.st_dev, status.st_ino)

    def look(self) -> Differences:
        """
        Look at every pack.

        Raises:
            RootError: the root can't be read; nothing is forgotten then.
        """
        new: list[str] = []
        changed: list[str] = []
        found = packs.find_packs(self.root)
        for pack in found:
            key = packs.feed_key(pack.folder, self.video(pack.id))
            before = self.seen.get(pack.id)
            if before != key:
                (new if before is None else changed).append(pack.id)
                self.seen[pack.id] = key
        gone = self.seen.keys() - {pack.id for pack in found}
        for pack_id in gone:
            self.forget(pack_id)
        return Differences(new=new, changed=changed, gone=sorted(gone))

    def look_at(self, pack_id: str) -> FeedKey | None:
        """What one pack's files look like now; None where it is gone."""
        folder = self.root / pack_id
        if not folder.is_dir():
            self.forget(pack_id)
            return None
        self.seen[pack_id] = packs.feed_key(str(folder), self.video(pack_id))
        return self.seen[pack_id]

    def video(self, pack_id: str) -> str:
        """The name of a pack's video, as far as it is known."""
        return self._videos.get(pack_id, DEFAULT_VIDEO)

    def name_video(self, pack_id: str, video: str) -> None:
        """Look at this file of the pack from now on."""
        if video == DEFAULT_VIDEO:
            self._videos.pop(pack_id, None)
        else:
            self._videos[pack_id] = video

    def confirm(self, pack_id: str, video: FileKey) -> None:
        """This video was found to have the content that the pack's timeline was made from."""
        self._confirmed[pack_id] = video

    def is_confirmed(self, pack_id: str, video: FileKey) -> bool:
        """Whether just this video was confirmed, whatever its time says."""
        return self._confirmed.get(pack_id) == video

    def forget(self, pack_id: str) -> None:
        """The pack is gone."""
        self.seen.pop(pack_id, None)
        self._videos.pop(pack_id, None)
        self._confirmed.pop(pack_id, None)

    def forget_all(self) -> None:
        """Everything is to be looked at anew."""
        self.seen.clear()
        self._videos.clear()
        self._confirmed.clear()

    def clean(self) -> int:
        """Delete the temporary files that a killed anchord left; how many there were."""
        return sum(remove_leftovers(pack.folder) for pack in packs.find_packs(self.root))
