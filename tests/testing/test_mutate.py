"""A constant is changed where it is used, and put back."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from bench.mutate import multiplied


@dataclass(frozen=True, slots=True)
class Tuning:
    span_ms: float = 40.0
    keyframes: int = 5


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A module with constants, and one that has imported them by name."""
    made = []
    for name in ("anchord.made_up", "anchord.made_up_too"):
        room: Any = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, room)
        made.append(room)
    made[0].TUNING, made[0].WIDE = Tuning(), (0.5, 2)
    made[1].TUNING = made[0].TUNING
    return made[0], made[1]


def test_a_field_of_a_record_is_changed_wherever_it_was_imported(rooms: tuple[Any, Any]) -> None:
    one, two = rooms
    with multiplied(one, "TUNING.keyframes", 0.5) as (before, after):
        assert (before, after) == (5, 2)
        assert one.TUNING == two.TUNING == Tuning(keyframes=2)
    assert one.TUNING == two.TUNING == Tuning()


def test_a_constant_of_a_module_is_changed_too(rooms: tuple[Any, Any]) -> None:
    one, _ = rooms
    with multiplied(one, "WIDE", 2):
        assert one.WIDE == (1.0, 4)
    assert one.WIDE == (0.5, 2)


def test_what_is_no_number_is_refused(rooms: tuple[Any, Any]) -> None:
    one, _ = rooms
    one.NAME = "mouth"
    with pytest.raises(SystemExit, match="no number"), multiplied(one, "NAME", 2):
        raise AssertionError("never reached")
