"""What can't be a piece of a video."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchord.tracking.video.wholeness import is_foreign


@pytest.mark.parametrize(
    ("tail", "verdict"),
    [
        (b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n", True),
        (b"<html><body>502 Bad Gateway</body></html>\n" * 1000, True),
        (bytes(8), True),
        (bytes(15), True),
        (bytes(3), False),  # perhaps the front of a box's length
        (bytes(16), False),
        (bytes(4096), False),
        (b"\xa3\x81", False),
        (b"text, then \x00", False),
        (b"x" * 65_537, False),
    ],
)
def test_text_and_a_few_zeros_are_foreign(tmp_path: Path, tail: bytes, verdict: bool) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"video" + tail)
    with file.open("rb") as stream:
        assert is_foreign(stream, 5, 5 + len(tail)) is verdict
