"""
Which packs of a shared root are this daemon's: a part of all ids, by a number that is made of each. Pure.

Each id has a place on a line; a shard is a piece of the line. So two divisions of it, such as 2/8 and 1/4,
overlap just where the same packs are in both, which is what a lock on the piece can tell.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from anchord.errors import SettingsError

_PLACES = 1 << 32
_MOST = 1024


class Shard(NamedTuple):
    """The *number*-th of *total* pieces; 1 of 1 is the whole."""

    number: int = 1
    total: int = 1

    @classmethod
    def of(cls, text: str, source: str = "") -> Shard:
        """
        The shard that is written so: ``"2/8"``; all of it where *text* is empty.

        Raises:
            SettingsError: *source* says something that is none.
        """
        if not text:
            return cls()
        number, slash, count = text.partition("/")
        if slash and number.isdecimal() and count.isdecimal() and len(text) < 12:
            shard = cls(int(number), int(count))
            if 1 <= shard.number <= shard.total <= _MOST:
                return shard
        raise SettingsError(
            f"{source}: shard = {text[:40]!r}: must be a number and how many there are, such as '2/8', "
            f"at most {_MOST}"
        )

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    @property
    def is_all(self) -> bool:
        """Whether every pack is in it."""
        return self.total == 1

    @property
    def piece(self) -> tuple[int, int]:
        """Its first place, and the first one after it."""
        return (self.number - 1) * _PLACES // self.total, self.number * _PLACES // self.total

    def has(self, pack: str) -> bool:
        """Whether a pack is in it."""
        if self.is_all:
            return True
        first, end = self.piece
        # A checksum spreads names evenly, and is the same everywhere and for ever.
        return first <= zlib.crc32(pack.encode(errors="surrogateescape")) < end
