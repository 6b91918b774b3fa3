"""A room is broken in each place at once only, and its text stays Python."""

from __future__ import annotations

import ast

from bench.mutants import mutants, room_tests

ROOM = '''
"""A docstring is left alone."""
from __future__ import annotations

LIMIT = 3


def room(a: int | None = None, *, b: bool = False) -> str | None:
    """So is this."""
    if a is None and not b:
        raise ValueError("a text, too")
    print(a + 1)
    return "x" if a < LIMIT else f"{a}" + "y"
'''


def broken() -> list[str]:
    content = ROOM.encode()
    return [(content[: m.start] + m.text.encode() + content[m.end :]).decode() for m in mutants(ROOM)]


def test_each_mutant_is_another_program_and_no_type_or_text_is_touched() -> None:
    texts = broken()
    assert len(set(texts)) == len(texts) == 12
    for text in texts:
        ast.parse(text)
        assert text != ROOM
        assert "a: int | None" in text
        assert "-> str | None" in text
        assert "a text, too" in text or "pass" in text


def test_what_is_broken() -> None:
    changes = {m.text for m in mutants(ROOM)}
    assert {
        "4",
        "True",
        "(a is not None)",
        "(b)",
        "((a is None) or (not b))",
        "pass",
        "((a) - (1))",
        "2",
        "return None",
    } <= changes
    assert "(a <= LIMIT)" in changes


def test_a_room_has_the_room_tests_its_name() -> None:
    assert room_tests("service/queue.py") == ["tests/service/test_queue.py"]
    assert room_tests("guard.py") == ["tests/test_errors.py"]
