"""Bounds for what strangers wrote, before any parser sees it."""

from __future__ import annotations

import json

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from anchord.errors import FileError
from anchord.parsing import MOST_DIGITS, MOST_LEVELS, brief, check_bounds

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(values)
def test_whatever_a_sensible_file_holds_passes(value: object) -> None:
    check_bounds(json.dumps(value).encode(), "manifest.json")


@pytest.mark.parametrize(
    "content",
    [
        b"[" * (MOST_LEVELS + 1),
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[{" * 100_000,
        b"a = " + b"{b = " * 40 + b"1" + b"}" * 40,
        b'"x\n' + b"[" * 50,  # a string ends with its line
        b"a." * 50 + b"b = 1",
        b"a = " + b"9" * (MOST_DIGITS + 2),
        b"a = " + b"9_9" * 40,
        b"[" + b"1" * 5000 + b"]",
        b"0." + b"1" * 5000,
    ],
)
def test_what_goes_beyond_any_sensible_file_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(FileError, match=r"me/anchord\.toml: (nests|holds)"):
        check_bounds(content, "me/anchord.toml")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"note": "[" * 1000, "hash": "9" * 1000, "quote": '\\"' + "{" * 100}).encode(),
        b"# " + b"[" * 1000 + b"\na = 1",
        b"a = '''\n" + b"[" * 1000 + b"\n'''",
        b'a = """\n' + b"{" * 1000 + b'\\"\n"""',
        b"a = '" + b"9" * 1000 + b"'",
        b"[packs." + b'"' + b"." * 100 + b'"]\nsample_rate = 1',
        b"]" * 1000,
        b"a = 3.141592653589793",
        b"'" + b"[" * 1000,  # what is never closed no parser goes into
    ],
)
def test_what_stands_in_strings_and_comments_does_not_count(content: bytes) -> None:
    check_bounds(content, "file")


@given(st.text(alphabet="[]{}\"'#\\\n.=a1", max_size=200))
def test_what_passes_no_parser_recurses_on(text: str) -> None:
    """However strings and brackets are mixed, what is let through parses or is a plain error."""
    try:
        check_bounds(text.encode(), "file")
    except FileError:
        return
    for parse in (json.loads, tomli.loads):
        try:
            parse(text)
        except RecursionError:
            pytest.fail("it recursed")
        except ValueError:
            pass


def test_a_value_in_a_message_is_short() -> None:
    nested: object = 1
    for _ in range(200):
        nested = [nested]
    for value in ("x" * 10_000, nested, list(range(10_000)), 10**1000):
        assert len(brief(value)) < 500
