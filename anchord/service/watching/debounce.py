"""Touches and the time into settled packs. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field

from anchord.service.timers import Timers

# A pack that has not stood still for so long is reported, and again each time that has doubled.
_RESTLESS_S = 60.0


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing that matters in a pack has changed for long enough."""

    pack: str


@dataclass(slots=True, eq=False, repr=False)
class Debounce:
    """
    Hold each pack back until nothing that matters in it has changed for *settle_s* seconds.

    There is no longest wait, on purpose: a half-copied video is worse than a late one.

    Args:
        settle_s: may be replaced at any time.
        timers: gets a ``Settled`` for each pack.
    """

    settle_s: float
    timers: Timers
    # Pack -> time of the first touch since it last stood still, and for how long it was last told.
    _restless: dict[str, tuple[float, float]] = field(default_factory=dict, init=False)
    _held: set[str] = field(default_factory=set, init=False)

    def touch(self, pack: str, *, at_s: float, quiet_s: float = 0.0) -> None:
        """
        Note that something that matters in *pack* changed at *at_s* (monotonic clock).

        Args:
            pack: its id.
            at_s: when it was noticed.
            quiet_s: for so long nothing had changed in it then.
        """
        self._restless.setdefault(pack, (at_s, 0.0))
        self._held.add(pack)
        self.timers.set(Settled(pack), at_s=at_s + self.settle_s - quiet_s)

    def settled(self, pack: str) -> None:
        """*pack* is no longer held; whoever finds that it does not stand still after all touches it again."""
        self._held.discard(pack)

    def forget(self, pack: str) -> None:
        """*pack* stands still, or is gone."""
        self._held.discard(pack)
        self._restless.pop(pack, None)
        self.timers.cancel(Settled(pack))

    def pop_restless(self, *, now_s: float) -> dict[str, float]:
        """Packs that have kept changing for a minute, or twice as long as last told, and for how long, s."""
        found = {
            pack: now_s - since_s
            for pack, (since_s, told_s) in self._restless.items()
            if pack in self._held and now_s - since_s > max(_RESTLESS_S, 2 * told_s)
        }
        for pack, changing_s in found.items():
            self._restless[pack] = (self._restless[pack][0], changing_s)
        return found

    @property
    def held(self) -> set[str]:
        """The packs that are held back."""
        return self._held
