"""
Bounds for what strangers wrote, JSON or TOML, held before any parser sees it.

The parsers recurse with each level of nesting and end with RecursionError after some thousands; Python
refuses integers of more than 4,300 digits with a ValueError of its own. Neither is worth a thought
further in, so what goes beyond any sensible file is refused here, by passes that neither recurse nor take
more than time in proportion to its length.
"""

from __future__ import annotations

import re
import reprlib

from anchord.errors import FileError

#: A manifest nests four deep, a timeline five.
MOST_LEVELS = 32
#: The longest number that means something has some twenty digits.
MOST_DIGITS = 64

# Strings and comments of both languages. One that is never closed ends with its line or with the file, so
# that nothing is gone over twice: 60 kB of unclosed strings took 34 s. The parser refuses them afterwards.
_QUOTED = re.compile(
    rb'"""(?:[^\\]|\\.)*?(?:"{3,5}|\Z)'
    rb"|'''.*?(?:'{3,5}|\Z)"
    rb'|"(?:[^"\\\n]|\\.)*+"?'
    rb"|'[^'\n]*+'?"
    rb"|\#[^\n]*+",
    re.DOTALL,
)
_BRACKETS = re.compile(rb"(?P<open>[\[{])|[\]}]")
_NUMBER = re.compile(rb"[0-9][0-9_]{%d}" % MOST_DIGITS)
# What ends a dotted key of TOML, each part of which nests as a bracket does.
_BETWEEN_KEYS = re.compile(rb"[=,:\n\[\]{}]")

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _brief.maxlong = 80
_brief.maxlevel = 2


def check_bounds(content: bytes, what: str) -> None:
    """
    See that no parser can be led astray by *content*.

    Args:
        content: JSON or TOML, as read.
        what: the file's path, for messages.

    Raises:
        FileError: it nests too deep, or holds a number without end.
    """
    bare = _QUOTED.sub(b'"', content)
    level = 0
    for bracket in _BRACKETS.finditer(bare):
        level = level + 1 if bracket["open"] else max(0, level - 1)
        if level > MOST_LEVELS:
            raise FileError(f"{what}: nests more than {MOST_LEVELS} levels deep; mend it")
    if _NUMBER.search(bare):
        raise FileError(f"{what}: holds a number of more than {MOST_DIGITS} digits; mend it")
    if any(key.count(b".") >= MOST_LEVELS for key in _BETWEEN_KEYS.split(bare)):
        raise FileError(f"{what}: holds a key of more than {MOST_LEVELS} parts; mend it")


def brief(value: object) -> str:
    """A value for a message: as Python writes it, cut where it is long or nests."""
    return _brief.repr(value)
