"""
Like failures as one line with a count: a full disk fails every pack for the same reason.

Pure: time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# So many of a kind are told one by one, then so long they are only counted.
TOLD_SINGLY = 5
WINDOW_S = 60.0


@dataclass(slots=True)
class RateLimit:
    """Tells which failures are told on their own, and how many were not."""

    # Kind -> when its window ends, and how many came in it.
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict, init=False)

    def is_told(self, kind: str, *, now_s: float) -> bool:
        """Count one failure of this *kind*; whether it is told on its own."""
        ends_s, count = self._windows.get(kind, (now_s + WINDOW_S, 0))
        if ends_s <= now_s and count <= TOLD_SINGLY:  # of an ended window nothing is left to tell
            ends_s, count = now_s + WINDOW_S, 0
        self._windows[kind] = (ends_s, count + 1)
        return count < TOLD_SINGLY

    def pop_counts(self, *, now_s: float) -> dict[str, int]:
        """Kind -> how many were not told on their own, of the windows that have ended."""
        ended = [kind for kind, (ends_s, _) in self._windows.items() if ends_s <= now_s]
        counts = {kind: self._windows.pop(kind)[1] - TOLD_SINGLY for kind in ended}
        return {kind: count for kind, count in counts.items() if count > 0}

    def wait_s(self, *, now_s: float) -> float | None:
        """Seconds until a count is due; None if none ever will be."""
        due = [ends_s for ends_s, count in self._windows.values() if count > TOLD_SINGLY]
        return max(0.0, min(due) - now_s) if due else None
