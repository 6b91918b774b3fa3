"""What the cluster's wing logs stands in the table of events, with its level and its keys."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from anchord.log import EVENTS

WING = Path(__file__).parents[2] / "anchord/cluster"


def logged(room: Path) -> list[tuple[str, str, set[str]]]:
    """Event, level and keys of each call of a room's log."""
    found = []
    for node in ast.walk(ast.parse(room.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log"), attr=level),
                args=[ast.Constant(value=str(name))],
                keywords=keywords,
            ):
                keys = {keyword.arg for keyword in keywords if keyword.arg}
                found.append((name, "error" if level == "exception" else level, keys))
    return found


@pytest.mark.parametrize("room", sorted(WING.glob("*.py")), ids=lambda room: room.name)
def test_every_event_is_as_the_table_says(room: Path) -> None:
    for name, level, keys in logged(room):
        assert (level, keys) == (EVENTS[name][0], set(EVENTS[name][2])), name


def test_the_rooms_do_log() -> None:
    """So that a log of another name is not passed over."""
    assert len([event for room in WING.glob("*.py") for event in logged(room)]) > 10
