"""Short films, and a cluster's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchord.demo.film import encode, even_times_ms, film
from tests.cluster.running import Cluster


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of the sample film."""
    return encode(tmp_path_factory.mktemp("film") / "idle.webm", film(times_ms=even_times_ms(30, 0.5)))


@pytest.fixture(scope="session")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of it, which take a worker one or two."""
    return encode(tmp_path_factory.mktemp("film") / "idle.webm", film(times_ms=even_times_ms(30, 2)))


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """Nothing runs yet."""
    return Cluster(tmp_path)
