"""What may become of a damaged film, judged by a decoder that forgives nothing."""

from __future__ import annotations

from functools import cache

import av

from tests.torture.films import films, pictures
from tests.torture.mutations import Mutant
from tests.torture.rig import Outcome

# Damage that takes frames away, or puts others in: the result must then have them all, or be none.
_CHANGES_LENGTH = ("cut", "cut out", "zeros", "twice", "splice", "insert", "append")


@cache
def _whole(film: str) -> list[tuple[float, str]]:
    return pictures(films()[film])


def complaint(mutant: Mutant, outcome: Outcome) -> str | None:
    """What is wrong with the outcome; None if nothing is."""
    if outcome.ended:
        # Allowed, where it is named; the caller counts them.
        return None if " by " in outcome.ended or " status " in outcome.ended else "ended without a reason"
    if outcome.timeline is None:
        is_known = outcome.error in ("VideoError", "IncompleteVideoError") or (
            # A length in it says that the rest takes gigabytes.
            outcome.error == "WorkerError" and "needs more memory than worker.memory_mb" in outcome.message
        )
        return None if is_known and outcome.message.startswith("idle.webm: ") else f"{outcome}"
    count = outcome.timeline.source.frame_count
    whole = _whole(mutant.film)
    try:
        found = pictures(mutant.content)
        if found == whole:
            return None  # the damage is where nothing is kept
        found = pictures(mutant.content, is_strict=True)
    except (av.FFmpegError, ValueError) as error:
        return f"a timeline of {count} frames, though a strict decoder says: {error}"
    if count < len(found):
        return f"a timeline of {count} frames, though there are {len(found)}"
    if mutant.kind in _CHANGES_LENGTH and count < len(whole):
        return f"a timeline of {count} frames of {len(whole)}"
    return None
