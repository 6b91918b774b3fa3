"""Each line of docs/formats.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from anchord.errors import VideoError
from tests.formats import Made, Row, each, off, read


@pytest.mark.parametrize(("_title", "row", "make"), each(), ids=[title for title, *_ in each()])
def test_what_becomes_of_a_file(_title: str, row: Row, make: Callable[[], Made], tmp_path: Path) -> None:
    made = make()
    if row.refused:
        with pytest.raises(VideoError, match=row.refused):
            read(made.content, tmp_path / "idle")
        return
    seen, facts = read(made.content, tmp_path / "idle")
    assert len(seen) == facts.frame_count == row.frames * (1 + bool(facts.size_changes))
    assert tuple(warning.code for warning in facts.warnings) == row.warnings
    assert made.first is not None
    assert seen[0][1].shape == made.first.shape
    assert off(seen[0][1], made.first) < row.off
