"""Nobody is forgotten, however many there are; and what can't be heard of is looked at each time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anchord.service.watching.rota import Rota


@given(count=st.integers(1, 40), most=st.integers(1, 15))
def test_everyone_has_a_turn_within_as_many_rounds_as_it_takes(count: int, most: int) -> None:
    rota, packs = Rota(most), {f"pack{n}": None for n in range(count)}
    rounds = -(-count // most)
    looked = [rota.pick(packs, packs, ()) for _ in range(4 * rounds)]
    assert all(len(each) <= most for each in looked)
    for begin in range(len(looked) - rounds):
        # One round more, since a turn may begin anywhere in one.
        assert {pack for each in looked[begin : begin + rounds + 1] for pack in each} == set(packs)


def test_the_new_and_the_silent_are_looked_at_each_time_and_the_gone_are_not() -> None:
    rota = Rota(1)
    seen = dict.fromkeys(("gone", "a", "b", "silent"))
    first = rota.pick({"a", "b", "silent", "new"}, seen, ["silent"])
    assert first == ["new", "silent"]  # it was the turn of one that is gone
    assert rota.pick({"a", "b", "silent", "new"}, seen | {"new": None}, ["silent"]) == ["silent", "a"]
