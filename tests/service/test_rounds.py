"""Rounds of all packs: what brings a pack to notice when no event does, and whose root it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from anchord.errors import AnchordError, RootError
from anchord.service.keeper import Place
from anchord.service.lanes import LATE_S, Stepped
from anchord.service.queue import Queue
from anchord.service.reconciler import LookDue, Reconciler
from anchord.service.rounds import RoundDue, Rounds
from anchord.service.timers import Timers
from anchord.service.verdicts import Verdicts
from anchord.service.watching.debounce import Debounce, Settled
from anchord.service.watching.scanner import Known
from anchord.service.watching.watcher import Watcher
from anchord.settings import Settings, WatchSettings
from tests.service.running import wait_until


class Rig:
    """Rounds over a real root, with a clock moved by hand and lanes that run when they are told to."""

    def __init__(self, root: Path, **watch: Any) -> None:
        self.now_s = 1000.0
        self.steps: list[tuple[str, str, Callable[[], object]]] = []
        self.hung: dict[str, float] = {}
        self.timers, self.known = Timers(), Known()
        lanes: Any = self
        queue: Queue[Any] = Queue(self.timers)
        settings = WatchSettings(**watch)
        self.watcher = Watcher(settings=settings, wake=lambda: None)
        self.reconciler = Reconciler(
            settings=Settings(),
            known=self.known,
            queue=queue,
            debounce=Debounce(2.0, self.timers),
            timers=self.timers,
            lanes=lanes,
            verdicts=Verdicts(known=self.known, queue=queue, timers=self.timers, clock=self.clock),
            look_at=self.watcher.look,
            clock=self.clock,
        )
        self.rounds = Rounds(
            place=Place(root=root),
            settings=settings,
            is_watching=True,
            known=self.known,
            reconciler=self.reconciler,
            watcher=self.watcher,
            lanes=lanes,
            timers=self.timers,
            wake=lambda: None,
            clock=self.clock,
        )

    def clock(self) -> float:
        return self.now_s

    # What lanes have.

    def submit(self, key: str, name: str, call: Callable[[], object]) -> None:
        self.steps.append((key, name, call))

    def is_busy_with(self, key: str) -> bool:
        return any(step[0] == key for step in self.steps)

    def late(self) -> dict[str, float]:
        return self.hung

    def tell_defect(self, error: Exception) -> None:
        raise AssertionError("a defect") from error

    # What the loop does.

    def run(self) -> None:
        """Run every step that is ready, but those that hang."""
        while ready := [step for step in self.steps if step[0] not in self.hung]:
            key, name, call = ready[0]
            self.steps.remove(ready[0])
            result: object
            try:
                result = call()
            except AnchordError as error:
                result = error
            (self.reconciler if name in ("look", "decide") else self.rounds).stepped(
                Stepped(key, name, result)
            )

    def turn(self, seconds: float) -> list[object]:
        """Let time go by; what was due meanwhile."""
        until_s, due = self.now_s + seconds, []
        self.run()
        while (wait_s := self.timers.wait_s(now_s=self.now_s)) is not None and self.now_s + wait_s <= until_s:
            self.now_s += wait_s
            due.append(self.timers.pop_due(now_s=self.now_s))
            match due[-1]:
                case RoundDue() as what:
                    self.rounds.do(what)
                case LookDue(pack):
                    self.reconciler.look(pack)
                case Settled(pack):
                    self.reconciler.settled(pack)
                case _:
                    pass
            self.run()
        self.now_s = until_s
        return due


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "avatars"
    for pack in ("cats", "dogs"):
        (made / pack).mkdir(parents=True)
    return made


@pytest.fixture
def rigs() -> Iterator[list[Rig]]:
    made: list[Rig] = []
    yield made
    for rig in made:
        rig.rounds.close()


def opened(root: Path, rigs: list[Rig], **watch: Any) -> Rig:
    rig = Rig(root, **watch)
    rigs.append(rig)
    assert rig.rounds.open() == len([name for name in os.listdir(root) if not name.startswith(".")])
    rig.run()
    return rig


def test_every_pack_is_seen_at_the_start_and_leftovers_are_gone(root: Path, rigs: list[Rig]) -> None:
    (root / "cats" / ".anchord-tmp-0123").write_text("x")
    rig = opened(root, rigs)
    assert rig.known.seen.keys() == {"cats", "dogs"}
    assert os.listdir(root / "cats") == []
    assert rig.rounds.rescans == 1
    assert not rig.rounds.is_under_way


def test_what_no_event_told_of_is_found_within_rescan_s_and_makes_events_distrusted(
    root: Path, rigs: list[Rig]
) -> None:
    """As a change through a mount of which this kernel hears nothing."""
    rig = opened(root, rigs, rescan_s=60)
    rig.turn(10.0)
    events = rig.watcher.events
    assert events is not None
    rig.watcher.events = None  # deaf for a moment
    (root / "cats" / "idle.webm").write_text("x")
    rig.watcher.events = events
    events.take(100)
    wait_until(lambda: not events.take(100)[0])
    assert rig.rounds.missed_by_watch == 0
    rig.turn(65.0)
    assert rig.known.seen["cats"].feed[0] is not None
    assert rig.rounds.missed_by_watch == 1
    assert rig.watcher.mode == "inotify+poll"
    due = rig.turn(11.0)
    assert due.count(RoundDue("poll")) >= 2  # from now on every poll_s


def test_a_change_that_an_event_told_of_is_nobodys_fault(root: Path, rigs: list[Rig]) -> None:
    rig = opened(root, rigs, rescan_s=60)
    rig.turn(58.0)
    (root / "cats" / "idle.webm").write_text("x")
    wait_until(lambda: rig.watcher.events is not None and rig.watcher.events.has_more)
    rig.rounds.heard()
    rig.turn(30.0)
    assert rig.rounds.missed_by_watch == 0
    assert rig.watcher.mode == "inotify"


def test_a_pack_that_hangs_does_not_keep_a_round_from_ending(root: Path, rigs: list[Rig]) -> None:
    rig = opened(root, rigs, rescan_s=60)
    rig.turn(59.5)
    real, rig.reconciler.look_at = rig.reconciler.look_at, lambda *_: pytest.fail("it hangs")
    rig.timers.set(RoundDue("scan"), at_s=rig.now_s)
    rig.rounds.do(RoundDue("scan"))
    root_step = rig.steps.pop(0)
    rig.rounds.stepped(Stepped(root_step[0], root_step[1], root_step[2]()))
    (sweep_key, _, _) = rig.steps[0]
    rig.hung = {sweep_key: 10 * LATE_S}  # its first pack does not answer
    rig.reconciler.look_at = real
    rig.rounds.relieve()
    rig.run()
    rig.rounds.relieve()
    assert not rig.rounds.is_under_way
    assert rig.rounds.rescans >= 2


def test_a_root_that_goes_is_waited_for_and_nothing_is_thrown(root: Path, rigs: list[Rig]) -> None:
    rig = opened(root, rigs, poll_s=5)
    with structlog.testing.capture_logs() as logs:
        shutil.rmtree(root)
        rig.timers.set(RoundDue("scan"), at_s=rig.now_s)
        rig.turn(20.0)
        assert "cannot be read" in rig.rounds.lost_because
        (root / "mice").mkdir(parents=True)
        rig.turn(6.0)
    assert rig.rounds.lost_because == ""
    assert rig.known.seen.keys() == {"mice"}
    assert [log["event"] for log in logs].count("root_lost") == 1
    assert "root_found" in [log["event"] for log in logs]


def test_another_root_is_taken_before_the_old_one_is_given_free(
    root: Path, rigs: list[Rig], tmp_path: Path
) -> None:
    rig = opened(root, rigs)
    other = tmp_path / "other"
    (other / "mice").mkdir(parents=True)
    rig.rounds.reload(Place(root=other), WatchSettings())
    rig.turn(1.0)
    assert rig.known.seen.keys() == {"mice"}
    assert (other / ".anchord.lock").exists()
    assert not (root / ".anchord.lock").exists()
    rig.rounds.reload(Place(root=tmp_path / "gone"), WatchSettings())
    rig.turn(1.0)
    assert rig.rounds.lost_because
    assert (other / ".anchord.lock").exists()  # still kept, for it may be asked for again


def test_a_root_that_cannot_be_read_at_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RootError, match="cannot be read"):
        Rig(tmp_path / "gone").rounds.open()


def test_lost_events_ask_for_a_round_but_not_for_one_after_the_other(root: Path, rigs: list[Rig]) -> None:
    rig = opened(root, rigs)
    events = rig.watcher.events
    assert events is not None
    before = rig.rounds.rescans
    for _ in range(50):
        events.overflowed()
        rig.rounds.heard()
        rig.turn(0.1)
    assert 6 <= rig.rounds.rescans - before <= 11


def test_a_moved_pack_is_no_longer_listened_to(root: Path, rigs: list[Rig], tmp_path: Path) -> None:
    rig = opened(root, rigs)
    (root / "cats").rename(tmp_path / "away")
    rig.timers.set(RoundDue("scan"), at_s=rig.now_s)
    rig.turn(2.0)
    events = rig.watcher.events
    assert events is not None
    assert events.packs() == {"dogs"}
    assert "cats" not in rig.known.seen


def test_of_many_packs_a_round_looks_at_some_and_at_all_when_events_were_lost(
    root: Path, rigs: list[Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """New ones and those that are gone are seen in each round: the root itself is listed."""
    for number in range(8):
        (root / f"more{number}").mkdir()
    rig = opened(root, rigs, rescan_s=60, probe_s=3600)
    rig.rounds._rota.most = 4
    looked: list[str] = []
    real = Rounds._is_still

    def is_still(rounds: Rounds, pack: str) -> bool:
        looked.append(pack)
        return real(rounds, pack)

    monkeypatch.setattr(Rounds, "_is_still", is_still)
    seen: set[str] = set()
    for _ in range(3):
        looked.clear()
        rig.turn(61.0)
        assert len(looked) == 4
        seen |= set(looked)
    assert seen == set(os.listdir(root)) - {".anchord.lock"}
    (root / "new").mkdir()
    (root / "more0").rmdir()
    rig.turn(61.0)
    assert "new" in rig.known.seen
    assert "more0" not in rig.known.seen
    assert rig.watcher.events is not None
    rig.watcher.events.overflowed()
    looked.clear()
    rig.rounds.heard()
    rig.turn(5.0)
    assert set(looked) == rig.known.seen.keys()
