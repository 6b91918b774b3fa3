"""Each pack is in just one shard of a division, and two shards touch just where they have packs in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.errors import SettingsError
from anchord.shard import Shard

shards = st.integers(1, 64).flatmap(lambda total: st.builds(Shard, st.integers(1, total), st.just(total)))


@given(pack=st.text(), total=st.integers(1, 1024))
def test_every_pack_is_in_one_shard(pack: str, total: int) -> None:
    assert sum(Shard(number, total).has(pack) for number in range(1, total + 1)) == 1


@given(pack=st.text(), one=shards, other=shards)
def test_who_has_a_pack_in_common_has_places_in_common(pack: str, one: Shard, other: Shard) -> None:
    if one.has(pack) and other.has(pack):
        assert max(one.piece[0], other.piece[0]) < min(one.piece[1], other.piece[1])


def test_names_that_are_counted_up_spread_evenly() -> None:
    for names in ([f"pack{n}" for n in range(8000)], [f"{n:02x}/{n:08d}" for n in range(8000)]):
        counts = [sum(map(Shard(number, 8).has, names)) for number in range(1, 9)]
        assert sum(counts) == 8000
        assert all(850 < count < 1150 for count in counts), counts


def test_a_name_that_is_no_text_is_in_one_too() -> None:
    assert Shard(1, 2).has("\udcff") != Shard(2, 2).has("\udcff")


@pytest.mark.parametrize("text", ["2/8", "1/1", "1024/1024"])
def test_a_shard_reads_as_it_is_written(text: str) -> None:
    assert str(Shard.of(text)) == text


@pytest.mark.parametrize("text", ["0/8", "9/8", "8", "a/b", "1/1025", "-1/2", "1/2/3", "1/", "9" * 50])
def test_what_is_no_shard_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"anchord.toml: shard = .*such as '2/8'"):
        Shard.of(text, "anchord.toml")


def test_no_word_means_all() -> None:
    assert Shard.of("").is_all
