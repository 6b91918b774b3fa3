"""One queue of due times."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from anchord.service.timers import Timers

THINGS = st.sampled_from(["scan", "probe", ("retry", "cats"), ("retry", "dogs")])
TIMES = st.floats(0, 100)


def test_what_is_due_longest_comes_first_and_once() -> None:
    timers = Timers()
    timers.set("late", at_s=2.0)
    timers.set("early", at_s=1.0)
    assert timers.wait_s(now_s=0.5) == 0.5
    assert [timers.pop_due(now_s=3.0) for _ in range(3)] == ["early", "late", None]
    assert timers.wait_s(now_s=3.0) is None


def test_what_is_set_a_million_times_takes_no_room() -> None:
    timers = Timers()
    for i in range(20_000):
        timers.set("scan", at_s=float(i))
    assert len(timers._soonest) < 200


class TimersAgainstAModel(RuleBasedStateMachine):
    """A dictionary of due times says the same."""

    def __init__(self) -> None:
        super().__init__()
        self.timers = Timers()
        self.due: dict[object, float] = {}
        self.now_s = 0.0

    @rule(what=THINGS, at_s=TIMES)
    def set(self, what: str, at_s: float) -> None:
        self.timers.set(what, at_s=at_s)
        self.due[what] = at_s

    @rule(what=THINGS, at_s=TIMES)
    def set_by(self, what: str, at_s: float) -> None:
        self.timers.set_by(what, at_s=at_s)
        self.due[what] = min(at_s, self.due.get(what, at_s))

    @rule(what=THINGS)
    def cancel(self, what: str) -> None:
        self.timers.cancel(what)
        self.due.pop(what, None)

    @rule(seconds=st.floats(0, 50))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def pop(self) -> None:
        what = self.timers.pop_due(now_s=self.now_s)
        if what is None:
            assert all(at_s > self.now_s for at_s in self.due.values())
        else:
            assert self.due.pop(what) <= min([self.now_s, *self.due.values()])

    @invariant()
    def agrees(self) -> None:
        assert all(self.timers.is_set(what) for what in self.due)
        soonest = min(self.due.values(), default=None)
        expected = None if soonest is None else max(0.0, soonest - self.now_s)
        assert self.timers.wait_s(now_s=self.now_s) == expected


TestTimersAgainstAModel = TimersAgainstAModel.TestCase
