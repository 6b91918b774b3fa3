"""An empty avatars root."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "avatars"
    made.mkdir()
    return made
