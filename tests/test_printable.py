"""Names of strangers on a terminal and in a log line."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.printable import json_line, printable

anything = st.text(alphabet=st.characters(codec=None))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("ada", "ada"),
        ("Zoë 猫 🙂", "Zoë 猫 🙂"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31mred", "\\x9b31mred"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("a\u2028b\x85c", "a\\u2028b\\x85c"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), "caf\\xe9"),
    ],
)
def test_what_does_not_show_as_itself_is_escaped(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@given(anything)
def test_nothing_that_is_shown_moves_a_cursor_or_breaks_a_line(text: str) -> None:
    shown = printable(text)
    assert len((shown + ".").splitlines()) == 1
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(letter) for letter in shown} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip
    shown.encode()
    assert printable(shown) == shown


@given(st.dictionaries(anything, anything))
def test_a_json_line_is_one_line_and_means_the_same(event: dict[str, str]) -> None:
    line = json_line(json.dumps(event, ensure_ascii=False))
    assert len((line + ".").splitlines()) == 1
    line.encode()
    assert json.loads(line) == event
