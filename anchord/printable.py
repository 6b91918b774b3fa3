"""Names and messages that others chose, made fit for a terminal, a log line or a JSON file."""

from __future__ import annotations

import re

# What moves a cursor, breaks a line or turns the direction of reading: C0, DEL, C1, the separators
# U+2028 and U+2029, marks and isolates of bidirectional text, and the surrogates that stand for bytes
# which are no UTF-8 (PEP 383).
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""
    *text* with everything escaped that would not show as itself: ``\x1b``, ``\u202e``.

    A byte that is no UTF-8 shows as that byte, ``\xff``. What comes back is always valid Unicode.
    """
    return _UNPRINTABLE.sub(_escaped, text)


def json_line(text: str) -> str:
    """A rendered JSON *text* in which no character can break the line or move a cursor; it means the same."""
    # Such characters stand in JSON only inside strings, where this is how they are written.
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code in (0x09, 0x0A, 0x0D):
        return {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}[code]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
