"""Order, retries and parking."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anchord.service.queue import FIRST_PAUSE_S, LONGEST_PAUSE_S, Queue, RetryDue
from anchord.service.timers import Timers


def fresh() -> Queue[str]:
    return Queue(Timers())


def add(queue: Queue[str], pack: str, *, now_s: float = 0.0, is_backlog: bool = False) -> None:
    """The task of a pack is its name in capitals."""
    queue.add(pack, pack.upper(), now_s=now_s, is_backlog=is_backlog)


def order(queue: Queue[str], now_s: float = 0.0) -> list[str]:
    packs = []
    while turn := queue.start_next(now_s=now_s):
        packs.append(turn[0].lower())
        queue.finish(packs[-1])
    return packs


def test_a_pack_has_one_task_that_waits_and_one_that_is_worked_on() -> None:
    queue = fresh()
    for task in ("first", "second", "last"):
        queue.add("cats", task, now_s=1.0)
    assert queue.start_next(now_s=3.0) == ("last", 2.0)
    queue.add("cats", "again", now_s=3.0)  # touched again while it is worked on
    assert queue.start_next(now_s=3.0) is None
    queue.working.discard("cats")
    assert queue.start_next(now_s=3.0) == ("again", 0.0)


def test_several_packs_can_be_worked_on_at_a_time() -> None:
    queue = fresh()
    add(queue, "cats")
    add(queue, "dogs")
    assert [queue.start_next(now_s=0.0), queue.start_next(now_s=0.0)] == [("CATS", 0.0), ("DOGS", 0.0)]
    assert queue.working == {"cats", "dogs"}


def test_a_new_video_does_not_wait_behind_a_long_backlog() -> None:
    queue = fresh()
    for number in range(5):
        add(queue, f"old{number}", is_backlog=True)
    add(queue, "new")
    assert order(queue) == ["new", "old0", "old1", "old2", "old3", "old4"]


def test_a_stream_of_new_videos_does_not_starve_the_backlog() -> None:
    queue = fresh()
    add(queue, "old", is_backlog=True)
    for number in range(10):
        add(queue, f"new{number}")
    assert order(queue).index("old") == 4


def test_a_pack_that_changes_all_the_time_does_not_starve_the_others() -> None:
    queue = fresh()
    add(queue, "busy")
    for number in range(3):
        add(queue, f"old{number}", is_backlog=True)
    worked = []
    while turn := queue.start_next(now_s=0.0):
        worked.append(turn[0].lower())
        queue.finish(worked[-1])
        if len(worked) < 8:
            add(queue, "busy")
    assert set(worked[:5]) == {"busy", "old0", "old1", "old2"}


def test_pauses_grow_without_end_but_not_without_limit() -> None:
    queue, now_s, pauses = fresh(), 0.0, []
    for _ in range(12):
        add(queue, "cats", now_s=now_s)
        assert queue.start_next(now_s=now_s) is not None
        pause_s = queue.retry("cats", now_s=now_s, reason="disk full")
        pauses.append(pause_s)
        assert queue.timers.wait_s(now_s=now_s) == pause_s
        now_s += pause_s
        assert queue.timers.pop_due(now_s=now_s) == RetryDue("cats")
        queue.due("cats")
    assert pauses[0] == FIRST_PAUSE_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    queue.finish("cats")
    assert queue.retry("cats", now_s=now_s, reason="again") == FIRST_PAUSE_S


def test_what_changes_begins_with_a_short_pause_again_and_loses_its_old_task() -> None:
    queue = fresh()
    for _ in range(3):
        queue.retry("cats", now_s=0.0, reason="disk full")
    queue.changed("cats")
    assert not queue.retries
    assert queue.timers.wait_s(now_s=0.0) is None
    assert queue.retry("cats", now_s=0.0, reason="disk full") == FIRST_PAUSE_S
    add(queue, "dogs")
    queue.changed("dogs")
    assert queue.start_next(now_s=0.0) is None


def test_a_parked_pack_is_left_alone_until_its_files_differ() -> None:
    queue = fresh()
    add(queue, "cats")
    queue.start_next(now_s=0.0)
    queue.park("cats", key="bad file", reason="not a video")
    assert queue.is_parked("cats", "bad file")
    assert not queue.is_parked("cats", "other file")
    assert queue.parked["cats"].reason == "not a video"
    add(queue, "cats", now_s=1.0)
    assert not queue.parked
    assert order(queue) == ["cats"]


def test_what_changed_under_way_is_handed_back_once() -> None:
    queue = fresh()
    add(queue, "cats")
    queue.start_next(now_s=0.0)
    queue.unsettle("cats")
    assert not queue.working
    assert [queue.pop_unsettled(), queue.pop_unsettled()] == ["cats", None]


class QueueAgainstAModel(RuleBasedStateMachine):
    """Whatever happens, no pack is lost, doubled or worked on twice at a time."""

    PACKS = st.sampled_from(["cats", "dogs", "mice", "rats"])

    def __init__(self) -> None:
        super().__init__()
        self.queue = fresh()
        self.now_s = 0.0
        self.queued: set[str] = set()
        self.working: set[str] = set()
        self.parked: set[str] = set()
        self.retrying: dict[str, float] = {}

    @rule(pack=PACKS, is_backlog=st.booleans())
    def add(self, pack: str, is_backlog: bool) -> None:
        add(self.queue, pack, now_s=self.now_s, is_backlog=is_backlog)
        self.queued.add(pack)
        self.parked.discard(pack)
        self.retrying.pop(pack, None)

    @rule(seconds=st.floats(0, 2000))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def start(self) -> None:
        turn = self.queue.start_next(now_s=self.now_s)
        if turn is None:
            assert self.queued <= self.working
        else:
            pack = turn[0].lower()
            assert pack in self.queued - self.working
            self.queued.discard(pack)
            self.working.add(pack)

    @precondition(lambda self: self.working)
    @rule(pack=PACKS, how=st.sampled_from(["finish", "park", "retry", "unsettle"]))
    def end(self, pack: str, how: str) -> None:
        if pack not in self.working:
            return
        self.working.discard(pack)
        if how == "finish":
            self.queue.finish(pack)
        elif how == "unsettle":
            self.queue.unsettle(pack)
            assert self.queue.pop_unsettled() == pack
        elif how == "park":
            self.queue.park(pack, key=1, reason="bad")
            self.parked |= {pack} - self.queued
        else:
            pause_s = self.queue.retry(pack, now_s=self.now_s, reason="full")
            assert FIRST_PAUSE_S <= pause_s <= LONGEST_PAUSE_S
            if pack not in self.queued:
                self.retrying[pack] = self.now_s + pause_s

    @rule(pack=PACKS)
    def forget(self, pack: str) -> None:
        self.queue.forget(pack)
        self.queued.discard(pack)
        self.parked.discard(pack)
        self.retrying.pop(pack, None)

    @invariant()
    def agrees_with_the_model(self) -> None:
        assert sorted(self.queue.queued) == sorted(self.queued)
        assert self.queue.working == self.working
        assert set(self.queue.parked) == self.parked
        assert {pack: retry.at_s for pack, retry in self.queue.retries.items()} == self.retrying
        assert all(self.queue.timers.is_set(RetryDue(pack)) for pack in self.retrying)


TestQueueAgainstAModel = QueueAgainstAModel.TestCase
