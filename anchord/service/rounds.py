"""Rounds of packs: at the start, every ``rescan_s``, after lost events, and of those that change silently."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from anchord.atomic import remove_leftovers
from anchord.errors import AnchordError
from anchord.service.keeper import Keeper, Listed, Place
from anchord.service.lanes import Lanes, Stepped
from anchord.service.reconciler import Reconciler
from anchord.service.timers import Timers
from anchord.service.watching.rota import Rota
from anchord.service.watching.scanner import Known, Look, Sweep, is_still
from anchord.service.watching.watcher import ROOT, STORM_S, Watcher
from anchord.settings import WatchSettings

# Packs that are taken from the events in one turn of the loop.
_TAKEN = 200
# After lost events all packs are looked at; not more often than this, and not for more than a quarter of the
# time, whatever goes on losing them.
_RESCAN_AT_MOST_S = 0.5
_RESCAN_SHARE = 0.25
_LET_END_S = 0.3
# An event is late by milliseconds; what none has come for by then was changed without one.
_MISSED_AFTER_S = 2.0
# Polling pauses at least so many times as long as the last look at those packs took.
_PAUSE_OVER_LOOK = 20
_TURN = "/sweep/"

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RoundDue:
    """Something is due: scan, poll, probe, calm or missed."""

    what: str


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Rounds:
    """
    Brings every pack to the reconciler's notice, whether or not an event told of it.

    Args:
        place: the avatars root, and which of its packs; may be replaced.
        settings: may be replaced.
        is_watching: whether events are listened to, and rounds go on after the first.
        known: what was last seen of the packs.
        reconciler: gets the looks.
        watcher: hears of changes.
        lanes: where disks are asked.
        timers: gets each ``RoundDue``.
        wake: called when more events wait than one turn takes.
        clock: seconds, never going back.
    """

    place: Place
    settings: WatchSettings
    is_watching: bool
    known: Known
    reconciler: Reconciler
    watcher: Watcher
    lanes: Lanes
    timers: Timers
    wake: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    #: Why the root can't be read; empty: it can.
    lost_because: str = field(default="", init=False)
    rescans: int = field(default=0, init=False)
    #: Changes that no file event told of: how good the watch is.
    missed_by_watch: int = field(default=0, init=False)
    _keeper: Keeper = field(init=False)
    _sweep: Sweep | None = field(default=None, init=False)
    # Keys of the sweep's turns that have not come back, and a number for the next one.
    _turns: set[str] = field(default_factory=set, init=False)
    _turn_numbers: int = field(default=0, init=False)
    # How long the last round took that looked at all packs, and whether the one under way is such a one.
    _swept_s: float = field(default=0.0, init=False)
    _is_all_looked_at: bool = field(default=True, init=False)
    _sweep_began_s: float = field(default=0.0, init=False)
    _is_first: bool = field(default=True, init=False)
    # Whether the next round looks at every pack; else whose turn it is.
    _is_all_due: bool = field(default=True, init=False)
    _rota: Rota = field(default_factory=Rota, init=False)
    # Packs in which a look found a change that no event has told of so far, and their devices.
    _untold: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._keeper = Keeper(watcher=self.watcher, is_watching=self.is_watching)

    def open(self) -> int:
        """
        Take the root, watch it, and begin to look at every pack; how many there are.

        Raises:
            RootError: it can't be read, or another daemon keeps it.
        """
        found = self._keeper.look_through(self.place)
        self._listed(found)
        if self.is_watching:
            self.timers.set(RoundDue("probe"), at_s=self.clock())
        return len(found.ids)

    def close(self) -> None:
        """Stop watching, and give the root free."""
        self.watcher.close()
        self._keeper.release()

    def reload(self, place: Place, settings: WatchSettings) -> None:
        """Look at everything anew, by other settings."""
        if settings.mode != self.settings.mode or place.depth != self.place.depth:
            self.watcher.depth = place.depth
            self.lanes.submit(ROOT, "forget", self.watcher.lose_root)
        self.place, self.settings, self.watcher.settings = place, settings, settings
        self.reconciler.forget_all()
        self._is_first = True
        self.timers.set(RoundDue("scan"), at_s=self.clock())

    @property
    def is_under_way(self) -> bool:
        """Whether a round of all packs goes on."""
        return self._sweep is not None

    def do(self, due: RoundDue) -> None:
        """Do what is due."""
        match due.what:
            case "scan":
                self._follow()
            case "poll":
                self._poll()
            case "probe":
                self.lanes.submit(ROOT, "probe", self.watcher.probe)
            case "calm":
                self._listen_again()
            case "missed":
                self._judge_untold()

    def stepped(self, stepped: Stepped) -> None:
        """Take in what a step gave."""
        match stepped.step:
            case "sweep":
                self._swept(stepped)
            case "root":
                self._followed(stepped.result)
            case "probe":
                if stepped.result is True:
                    self._scan_soon()
                self.timers.set(RoundDue("probe"), at_s=self.clock() + self.settings.probe_s)
            case _:
                pass  # the root is listened to again, or was forgotten

    def heard(self) -> None:
        """Take some of the touched packs from the events; the rest of the loop has its turn between."""
        events = self.watcher.events
        if events is None:
            return
        touched, is_all = events.take(_TAKEN)
        for pack in touched:
            if pack.endswith("/") or pack == ROOT:
                self._list_soon()  # a group has come or gone
            elif self.place.shard.has(pack):
                self._untold.pop(pack, None)
                self.reconciler.touch(pack)
        if is_all:
            # Events were lost, or somebody is deleting the root with all that is in it: let him end.
            self._scan_soon(after_s=_LET_END_S)
        if events.muted:
            self.timers.set_by(RoundDue("calm"), at_s=self.clock() + STORM_S)
        if events.has_more:
            self.wake()

    def relieve(self) -> None:
        """Go on without a pack that does not answer."""
        late = self.lanes.late()
        if self._sweep is not None and self._turns and all(key in late for key in self._turns):
            self._saw_all(self._sweep.take())  # of the packs before the one that hangs
            if self._sweep.is_done:
                self._end_sweep()
            else:
                self._next_turn()

    def unanswering(self) -> dict[str, float]:
        """Packs whose disk or mount does not answer, and for how many seconds."""
        late = self.lanes.late()
        found = {key: late_s for key, late_s in late.items() if key and not key.startswith("/")}
        longest_s = max((late_s for key, late_s in late.items() if key.startswith(_TURN)), default=0.0)
        if longest_s and self._sweep is not None:
            found |= dict.fromkeys(self._sweep.at, longest_s)
        return found

    def _followed(self, found: object) -> None:
        """Take in what became of the root."""
        if isinstance(found, Listed):
            if self.lost_because or found.is_other:
                self._is_all_due = True
                log.info("root_found", packs=len(found.ids), mode=self.watcher.mode)
            self.lost_because = ""
            self._listed(found)
            return
        assert isinstance(found, AnchordError)
        if not self.lost_because:
            log.error("root_lost", error=str(found))
        self.lost_because = str(found)
        self.watcher.lose_root()
        self.timers.set(RoundDue("scan"), at_s=self.clock() + self.settings.poll_s)

    def _listed(self, found: Listed) -> None:
        """Forget what is gone, and look at every pack, or at the new ones and some of the others."""
        self.known.root = found.root.path
        watched = self.watcher.events.packs() if self.watcher.events else set()
        for pack in (self.known.seen.keys() - found.ids) | (watched - found.ids):
            self._gone(pack)
        is_all, self._is_all_due = self._is_first or self._is_all_due, False
        self._is_all_looked_at = is_all
        self._begin_sweep(list(found.ids) if is_all else self._some_of(found.ids), is_whole=True)

    def _some_of(self, ids: set[str]) -> list[str]:
        seen = self.known.seen.keys()
        return self._rota.pick(ids, seen, self._polled() if self.watcher.polls_any(seen) else ())

    def _begin_sweep(self, ids: Sequence[str], *, is_whole: bool) -> None:
        self._sweep_began_s = self.clock()
        self._sweep = Sweep(
            packs=sorted(ids) if self._is_first else ids,
            is_still=self._is_still,
            look=self._first_look if self._is_first else self.reconciler.look_now,
            seen=self.known.seen.get,
            is_whole=is_whole,
            on_defect=self.lanes.tell_defect,
        )
        self._turns.clear()
        self._next_turn()

    def _is_still(self, pack: str) -> bool:
        """Whether a pack is as it was seen last, and heard. Run in a lane."""
        look, events = self.known.seen.get(pack), self.watcher.events
        return (
            look is not None
            and not self._is_first
            and (events is None or events.is_watched(pack))
            and is_still(f"{self.known.root}/{pack}", self.known.names(pack), look, now_ns=time.time_ns())
        )

    def _first_look(self, pack: str) -> Look | None:
        """Clean up what a killed daemon left, too. Run in a lane: a mount may hang here, and only here."""
        remove_leftovers(f"{self.known.root}/{pack}")
        return self.reconciler.look_now(pack)

    def _next_turn(self) -> None:
        assert self._sweep is not None
        # No pack's id begins so, and each turn has a key of its own: one that hangs holds up no other.
        self._turn_numbers += 1
        key = f"{_TURN}{self._turn_numbers}"
        self._turns.add(key)
        self.lanes.submit(key, "sweep", self._sweep.turn)

    def _swept(self, stepped: Stepped) -> None:
        """Take in one turn's looks."""
        if isinstance(stepped.result, list):
            self._saw_all(stepped.result)
        if self._sweep is None or stepped.key not in self._turns:
            return  # of an earlier sweep: its pack did not answer until now
        self._turns.discard(stepped.key)
        if not self._sweep.is_done:
            self._next_turn()
        elif not self._turns:
            self._end_sweep()

    def _saw_all(self, found: list[tuple[str, Look | AnchordError | None]]) -> None:
        for pack, look in found:
            # What goes on in a lane is newer than this look, or will be followed by another.
            if not self.lanes.is_busy_with(pack):
                self._saw(pack, look)

    def _saw(self, pack: str, look: Look | AnchordError | None) -> None:
        is_expected = self._is_first or self.reconciler.is_expecting(pack)
        is_changed = self.reconciler.looked(pack, look, is_first=self._is_first)
        if (
            is_changed
            and not is_expected
            and isinstance(look, Look)
            and not self.watcher.polls(pack, look.folder.device)
        ):
            # Did an event tell of it, or will one in a moment?
            self._untold[pack] = look.folder.device
            self.timers.set_by(RoundDue("missed"), at_s=self.clock() + _MISSED_AFTER_S)

    def _end_sweep(self) -> None:
        assert self._sweep is not None
        is_whole, self._sweep = self._sweep.is_whole, None
        now_s = self.clock()
        took_s = now_s - self._sweep_began_s
        if is_whole:
            self._is_first = False
            if self._is_all_looked_at:
                self._swept_s = took_s
            self.rescans += 1
        for pack, changing_s in self.reconciler.debounce.pop_restless(now_s=now_s).items():
            log.warning("pack_still_changing", pack=pack, changing_s=round(changing_s))
        if self.is_watching:
            self.timers.set_by(RoundDue("scan"), at_s=now_s + self.settings.rescan_s)
            if self.watcher.polls_any(self.known.seen.keys()):
                pause_s = max(self.settings.poll_s, _PAUSE_OVER_LOOK * took_s)
                self.timers.set(RoundDue("poll"), at_s=now_s + pause_s)

    def _polled(self) -> list[str]:
        """The packs in which things may change without an event."""
        polls = self.watcher.polls
        return [pack for pack, look in self.known.seen.items() if polls(pack, look.folder.device)]

    def _follow(self) -> None:
        if not self.lanes.is_busy_with(ROOT) and self._sweep is None:
            self.lanes.submit(ROOT, "root", partial(self._keeper.look_through, self.place))
        else:
            self.timers.set(RoundDue("scan"), at_s=self.clock() + _RESCAN_AT_MOST_S)

    def _poll(self) -> None:
        """Look at what may change silently; where packs may come and go so, at the whole root."""
        if self.watcher.is_root_silent:
            self._follow()
        elif self._sweep is None:
            self._begin_sweep(self._polled(), is_whole=False)
        else:
            self.timers.set(RoundDue("poll"), at_s=self.clock() + self.settings.poll_s)

    def _scan_soon(self, after_s: float = 0.0) -> None:
        """Look at all packs, but not all the time."""
        self._is_all_due = True
        self._list_soon(after_s)

    def _list_soon(self, after_s: float = 0.0) -> None:
        earliest_s = self._sweep_began_s + max(_RESCAN_AT_MOST_S, self._swept_s / _RESCAN_SHARE)
        self.timers.set_by(RoundDue("scan"), at_s=max(self.clock() + after_s, earliest_s))

    def _gone(self, pack: str) -> None:
        self.reconciler.forget(pack)
        self._untold.pop(pack, None)
        if self.watcher.events:
            self.watcher.events.unwatch(pack)

    def _listen_again(self) -> None:
        """A storm may be over: hear that folder again, and look at what happened meanwhile."""
        events = self.watcher.events
        if events is None:
            return
        for pack in events.pop_calm(time.monotonic()):
            if pack == ROOT or pack.endswith("/"):
                self.lanes.submit(ROOT, "listen", partial(self.watcher.listen, pack))
                self._scan_soon()
            else:
                self.reconciler.touch(pack)
        if events.muted:
            self.timers.set(RoundDue("calm"), at_s=self.clock() + STORM_S)

    def _judge_untold(self) -> None:
        """No event came for what a look had found: events are not to be trusted there."""
        untold, self._untold = self._untold, {}
        self.missed_by_watch += len(untold)
        for pack, device in untold.items():
            self.watcher.distrust(device, pack)
        self.timers.set_by(RoundDue("poll"), at_s=self.clock() + self.settings.poll_s)
