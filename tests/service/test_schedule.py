"""Order, retries and parking."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anchord.service.schedule import FIRST_PAUSE_S, LONGEST_PAUSE_S, Schedule


def order(schedule: Schedule, now_s: float = 0.0) -> list[str]:
    packs = []
    while turn := schedule.start_next(now_s=now_s):
        packs.append(turn[0])
        schedule.finish(turn[0])
    return packs


def test_one_job_at_a_time_and_one_place_in_the_queue_a_pack() -> None:
    schedule = Schedule()
    for _ in range(3):
        schedule.add("cats", now_s=1.0)
    assert schedule.start_next(now_s=3.0) == ("cats", 2.0)
    schedule.add("cats", now_s=3.0)  # touched again while it is worked on
    assert schedule.start_next(now_s=3.0) is None
    schedule.finish("cats")
    assert schedule.start_next(now_s=3.0) == ("cats", 0.0)
    schedule.finish("cats")
    assert schedule.start_next(now_s=3.0) is None


def test_a_new_video_does_not_wait_behind_a_long_backlog() -> None:
    schedule = Schedule()
    for number in range(5):
        schedule.add(f"old{number}", now_s=0.0, is_backlog=True)
    schedule.add("new", now_s=0.0)
    assert order(schedule) == ["new", "old0", "old1", "old2", "old3", "old4"]


def test_a_stream_of_new_videos_does_not_starve_the_backlog() -> None:
    schedule = Schedule()
    schedule.add("old", now_s=0.0, is_backlog=True)
    for number in range(10):
        schedule.add(f"new{number}", now_s=0.0)
    assert order(schedule).index("old") == 4


def test_a_pack_that_changes_all_the_time_does_not_starve_the_others() -> None:
    schedule = Schedule()
    schedule.add("busy", now_s=0.0)
    for number in range(3):
        schedule.add(f"old{number}", now_s=0.0, is_backlog=True)
    worked = []
    while turn := schedule.start_next(now_s=0.0):
        worked.append(turn[0])
        schedule.finish(turn[0])
        if len(worked) < 8:
            schedule.add("busy", now_s=0.0)
    assert set(worked[:5]) == {"busy", "old0", "old1", "old2"}


def test_pauses_grow_without_end_but_not_without_limit() -> None:
    schedule, now_s, pauses = Schedule(), 0.0, []
    schedule.add("cats", now_s=now_s)
    for _ in range(12):
        assert schedule.start_next(now_s=now_s) is not None
        pause_s = schedule.retry("cats", now_s=now_s, reason="disk full")
        pauses.append(pause_s)
        assert schedule.start_next(now_s=now_s + pause_s - 0.1) is None
        assert schedule.wait_s(now_s=now_s) == pause_s
        now_s += pause_s
    assert pauses[0] == FIRST_PAUSE_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    assert schedule.start_next(now_s=now_s) is not None
    schedule.finish("cats")
    schedule.add("cats", now_s=now_s)
    schedule.start_next(now_s=now_s)
    assert schedule.retry("cats", now_s=now_s, reason="again") == FIRST_PAUSE_S


def test_a_parked_pack_is_left_alone_until_its_files_differ() -> None:
    schedule = Schedule()
    schedule.add("cats", now_s=0.0)
    schedule.start_next(now_s=0.0)
    schedule.park("cats", key="bad file", reason="not a video")
    assert schedule.is_parked("cats", "bad file")
    assert not schedule.is_parked("cats", "other file")
    assert schedule.parked["cats"].reason == "not a video"
    schedule.add("cats", now_s=1.0)
    assert not schedule.parked
    assert order(schedule) == ["cats"]


class ScheduleAgainstAModel(RuleBasedStateMachine):
    """Whatever happens, no pack is lost, doubled or worked on twice at a time."""

    PACKS = st.sampled_from(["cats", "dogs", "mice", "rats"])

    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule()
        self.now_s = 0.0
        self.queued: set[str] = set()
        self.working: str | None = None
        self.parked: set[str] = set()
        self.retrying: dict[str, float] = {}

    @rule(pack=PACKS, is_backlog=st.booleans())
    def add(self, pack: str, is_backlog: bool) -> None:
        self.schedule.add(pack, now_s=self.now_s, is_backlog=is_backlog)
        self.queued.add(pack)
        self.parked.discard(pack)
        self.retrying.pop(pack, None)

    @rule(seconds=st.floats(0, 2000))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def start(self) -> None:
        turn = self.schedule.start_next(now_s=self.now_s)
        due = {pack for pack, at_s in self.retrying.items() if at_s <= self.now_s}
        self.queued |= due
        for pack in due:
            del self.retrying[pack]
        if turn is None:
            assert self.working is not None or not self.queued
        else:
            assert self.working is None
            assert turn[0] in self.queued
            self.queued.discard(turn[0])
            self.working = turn[0]

    @precondition(lambda self: self.working is not None)
    @rule()
    def finish(self) -> None:
        assert self.working
        self.schedule.finish(self.working)
        self.working = None

    @precondition(lambda self: self.working is not None)
    @rule()
    def park(self) -> None:
        assert self.working
        self.schedule.park(self.working, key=1, reason="bad")
        if self.working not in self.queued:
            self.parked.add(self.working)
        self.working = None

    @precondition(lambda self: self.working is not None)
    @rule()
    def retry(self) -> None:
        assert self.working
        pause_s = self.schedule.retry(self.working, now_s=self.now_s, reason="full")
        assert FIRST_PAUSE_S <= pause_s <= LONGEST_PAUSE_S
        if self.working not in self.queued:
            self.retrying[self.working] = self.now_s + pause_s
        self.working = None

    @rule(pack=PACKS)
    def forget(self, pack: str) -> None:
        self.schedule.forget(pack)
        self.queued.discard(pack)
        self.parked.discard(pack)
        self.retrying.pop(pack, None)

    @invariant()
    def agrees_with_the_model(self) -> None:
        assert sorted(self.schedule.queued) == sorted(self.queued)
        assert self.schedule.working == self.working
        assert set(self.schedule.parked) == self.parked
        assert {pack: retry.at_s for pack, retry in self.schedule.retries.items()} == self.retrying


TestScheduleAgainstAModel = ScheduleAgainstAModel.TestCase
