"""When a pack stands still."""

from __future__ import annotations

from anchord.service.timers import Timers
from anchord.service.watching.debounce import Debounce, Settled


def test_a_busy_pack_does_not_hold_back_a_quiet_one() -> None:
    """Packs settle on their own; the one quiet longest comes first."""
    timers = Timers()
    debounce = Debounce(settle_s=2.0, timers=timers)
    debounce.touch("cats", at_s=0.0)
    debounce.touch("dogs", at_s=0.5)
    debounce.touch("cats", at_s=1.0)
    assert timers.pop_due(now_s=2.4) is None
    assert timers.pop_due(now_s=3.0) == Settled("dogs")
    assert timers.pop_due(now_s=3.0) == Settled("cats")
    assert timers.pop_due(now_s=3.0) is None


def test_what_has_been_quiet_for_long_needs_no_further_wait() -> None:
    timers = Timers()
    debounce = Debounce(settle_s=2.0, timers=timers)
    debounce.touch("old", at_s=100.0, quiet_s=3600.0)
    debounce.touch("fresh", at_s=100.0, quiet_s=0.5)
    assert timers.pop_due(now_s=100.0) == Settled("old")
    assert timers.wait_s(now_s=100.0) == 1.5
    assert debounce.pop_restless(now_s=100.0) == {}


def test_a_pack_that_never_stands_still_is_told_of_when_that_has_doubled() -> None:
    timers = Timers()
    debounce = Debounce(settle_s=2.0, timers=timers)
    told = []
    for second in range(300):
        debounce.touch("cats", at_s=float(second))
        assert timers.pop_due(now_s=second + 1.0) is None
        told += list(debounce.pop_restless(now_s=float(second)).values())
    assert told == [61.0, 123.0, 247.0]


def test_a_forgotten_pack_never_settles() -> None:
    timers = Timers()
    debounce = Debounce(settle_s=2.0, timers=timers)
    debounce.touch("cats", at_s=0.0)
    debounce.forget("cats")
    assert timers.pop_due(now_s=100.0) is None
    assert not debounce.held
