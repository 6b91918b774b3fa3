"""Which of a file's video tracks a player shows, and which of them browsers can play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Codecs that every browser of the day decodes; of others it depends on the machine, or none does.
IN_BROWSERS = frozenset(("vp8", "vp9", "av1", "h264"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """
    A video track.

    Args:
        codec: its name; None where FFmpeg knows none.
        is_enabled: not switched off in the track's header.
        is_picture: a cover or a thumbnail, not a film.
    """

    codec: str | None
    is_enabled: bool
    is_picture: bool


def shown_track(tracks: Sequence[Track]) -> int | None:
    """
    The index of the track that a player shows; None where there is no film.

    The first that is switched on among those that browsers can play; where they play none, among all. If
    none is switched on, the first.
    """
    films = [i for i, track in enumerate(tracks) if track.codec is not None and not track.is_picture]
    playable = [i for i in films if tracks[i].codec in IN_BROWSERS] or films
    enabled = [i for i in playable if tracks[i].is_enabled] or playable
    return enabled[0] if enabled else None
