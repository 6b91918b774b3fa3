"""
Bounds for what strangers wrote, JSON or TOML, held before any parser sees it.

The parsers recurse with each level of nesting and end with RecursionError after some thousands; Python
refuses integers of more than 4,300 digits with a ValueError of its own. Neither is worth a thought
further in, so what goes beyond any sensible file is refused here, by one pass that does not recurse.
"""

from __future__ import annotations

import re
import reprlib

from anchord.errors import FileError

#: A manifest nests four deep, a timeline five.
MOST_LEVELS = 32
#: The longest number that means something has some twenty digits.
MOST_DIGITS = 64

# Strings and comments, of both languages, are stepped over whole; of the rest only what nests or counts
# is looked at. A quote that is never closed matches alone, and the parser says so afterwards.
_TOKENS = re.compile(
    rb'(?P<skip>"""(?:[^\\]|\\.)*?"""'
    rb"|'''.*?'''"
    rb'|"(?:[^"\\\n]|\\.)*+"'
    rb"|'[^'\n]*+'"
    rb"|\#[^\n]*+)"
    rb"|(?P<open>[\[{])|(?P<close>[\]}])"
    rb"|(?P<digits>[0-9][0-9_]{%d,})" % MOST_DIGITS,
    re.DOTALL,
)

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
    level = 0
    for match in _TOKENS.finditer(content):
        match match.lastgroup:
            case "open":
                level += 1
                if level > MOST_LEVELS:
                    raise FileError(f"{what}: nests more than {MOST_LEVELS} levels deep; mend it")
            case "close":
                level = max(0, level - 1)
            case "digits":
                raise FileError(f"{what}: holds a number of more than {MOST_DIGITS} digits; mend it")
            case _:
                pass


def brief(value: object) -> str:
    """A value for a message: as Python writes it, cut where it is long or nests."""
    return _brief.repr(value)
