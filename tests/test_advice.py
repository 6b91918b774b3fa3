"""Every warning has its advice, wherever it is told of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from anchord import timeline
from anchord.advice import WARNINGS

HOUSE = Path(__file__).parents[1] / "anchord"


def codes(room: Path) -> Iterator[str]:
    """The codes with which a room makes warnings, which stand in it as they are."""
    for call in ast.walk(ast.parse(room.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "VideoWarning":
            (code,) = (word.value for word in call.keywords if word.arg == "code")
            for said in (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,):
                assert isinstance(said, ast.Constant), f"{room}:{call.lineno}"
                yield str(said.value)


def test_the_table_has_just_the_codes_that_are_warned_of() -> None:
    warned = {code for room in (HOUSE / "tracking").rglob("*.py") for code in codes(room)}
    assert warned == set(WARNINGS)


def test_the_schema_has_just_these_codes() -> None:
    schema = timeline.schema()["$defs"]["VideoWarning"]["properties"]["code"]
    assert schema["enum"] == list(WARNINGS)


def test_advice_is_a_part_of_a_sentence() -> None:
    for advice in WARNINGS.values():
        for text in advice:
            assert text[0].islower()
            assert not text.endswith(".")
