"""A demuxer must not see what lies behind a video."""

from __future__ import annotations

import os
from pathlib import Path

from anchord.tracking.video.front import Front


def test_a_file_seems_to_end_where_its_front_does(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"0123456789")
    with file.open("rb") as stream:
        front = Front(stream, 6)
        assert front.read(4) == b"0123"
        assert front.tell() == 4
        assert front.read(4) == b"45"
        assert front.read(4) == b""
        assert front.seek(-1, os.SEEK_END) == 5
        assert front.read(100) == b"5"
        assert front.seek(8) == 8
        assert front.read(1) == b""
        assert front.seek(1) == 1
        assert front.seek(1, os.SEEK_CUR) == 2
        assert front.read(1) == b"2"
