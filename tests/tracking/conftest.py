"""The real model, loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anchord.model import checked_model
from anchord.tracking.faces import FaceFinder


@pytest.fixture(scope="session")
def finder() -> Iterator[FaceFinder]:
    made = FaceFinder(checked_model())
    yield made
    made.close()
