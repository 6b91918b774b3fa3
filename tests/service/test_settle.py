"""When a pack stands still."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from anchord.service.settle import Settler

PACKS = st.sampled_from(["cats", "dogs", "mice"])


def test_a_busy_pack_does_not_hold_back_a_quiet_one() -> None:
    """Packs settle on their own; the one quiet longest comes first."""
    settler = Settler(settle_s=2.0)
    settler.touch("cats", at_s=0.0)
    settler.touch("dogs", at_s=0.5)
    settler.touch("cats", at_s=1.0)
    assert settler.pop_settled(now_s=3.0) == "dogs"
    assert settler.pop_settled(now_s=3.0) == "cats"
    assert settler.pop_settled(now_s=3.0) is None


def test_a_pack_that_never_stands_still_is_never_settled_but_told_of() -> None:
    settler = Settler(settle_s=2.0)
    for second in range(100):
        settler.touch("cats", at_s=float(second))
        assert settler.pop_settled(now_s=second + 1.0) is None
    assert settler.restless(now_s=100.0, longer_than_s=60.0) == {"cats": 100.0}
    settler.forget("cats")
    assert settler.restless(now_s=100.0, longer_than_s=60.0) == {}


class SettlerAgainstAModel(RuleBasedStateMachine):
    """The settler does what a dictionary of last touches says."""

    def __init__(self) -> None:
        super().__init__()
        self.settler = Settler(settle_s=2.0)
        self.touched: dict[str, float] = {}
        self.now_s = 0.0

    @rule(seconds=st.floats(0, 3))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(pack=PACKS, ago_s=st.floats(0, 5))
    def touch(self, pack: str, ago_s: float) -> None:
        self.settler.touch(pack, at_s=self.now_s - ago_s)
        self.touched[pack] = self.now_s - ago_s

    @rule(pack=PACKS)
    def forget(self, pack: str) -> None:
        self.settler.forget(pack)
        self.touched.pop(pack, None)

    @rule()
    def pop(self) -> None:
        pack = self.settler.pop_settled(now_s=self.now_s)
        due = {pack for pack, at_s in self.touched.items() if at_s + 2.0 <= self.now_s}
        if pack is None:
            assert not due
        else:
            assert pack in due
            assert self.touched[pack] == min(self.touched.values())
            del self.touched[pack]

    @invariant()
    def waits_just_as_long_as_it_must(self) -> None:
        wait_s = self.settler.wait_s(now_s=self.now_s)
        if not self.touched:
            assert wait_s is None
        else:
            assert wait_s == max(0.0, min(self.touched.values()) + 2.0 - self.now_s)
        assert sorted(self.settler.held) == sorted(self.touched)


TestSettlerAgainstAModel = SettlerAgainstAModel.TestCase
