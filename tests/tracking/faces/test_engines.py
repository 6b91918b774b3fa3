"""Whatever runs the model's networks: the same faces."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from anchord.demo.film import breathing, even_times_ms, film
from anchord.errors import SettingsError
from anchord.model import checked_model
from anchord.tracking.faces import Face, FaceFinder
from anchord.tracking.faces import finder as room
from testing.stills import PEOPLE, still

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[FaceFinder, FaceFinder]]:
    with contextlib.ExitStack() as opened:
        yield tuple(
            opened.enter_context(contextlib.closing(FaceFinder(checked_model(), threads=1, engine=engine)))
            for engine in ("litert", "mediapipe")
        )  # type: ignore[misc]


def found(finder: FaceFinder, picture: Picture) -> list[Face]:
    faces = finder.submit(lambda: finder.find(np.ascontiguousarray(picture))).result()
    return sorted(faces, key=lambda face: float(face.landmarks[0, 0]))


def assert_same(
    both: tuple[FaceFinder, FaceFinder], picture: Picture, count: int | None = None, *, within: float = 0.0007
) -> None:
    """*within* so much of the distance of the eyes' corners: 0.1 px where that is 150 px."""
    one, other = (found(finder, picture) for finder in both)
    assert len(one) == len(other)
    assert count is None or len(one) == count
    for face, same in zip(one, other, strict=True):
        # On clips of real people 0.02 to 0.03 px in the mean. The detector sees 128 px: the larger a picture
        # is, the more a difference of rounding there moves what is cut out for the mesh.
        off = np.sqrt(((face.landmarks - same.landmarks) ** 2).sum(axis=1).mean())
        assert off < within * np.hypot(*(same.landmarks[263] - same.landmarks[33]))
        assert np.abs(np.subtract(face.signals, same.signals)).max() < 0.02
        if within < 0.001:
            assert np.abs(np.subtract(face.pose, same.pose)).max() < 0.5


@pytest.mark.parametrize("name", PEOPLE)
def test_of_each_portrait(name: str, both: tuple[FaceFinder, FaceFinder]) -> None:
    assert_same(both, still(name).pixels[40:540, 100:600], 1)


def test_of_a_moving_face(both: tuple[FaceFinder, FaceFinder]) -> None:
    for _, picture in film(breathing, times_ms=even_times_ms(5, 2)):
        assert_same(both, picture, 1)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_of_a_turned_picture_wide_or_high(quarters: int, both: tuple[FaceFinder, FaceFinder]) -> None:
    picture = still("astronaut").pixels
    wide = np.pad(picture, ((0, 0), (picture.shape[1], picture.shape[1]), (0, 0)), mode="edge")
    assert_same(both, np.rot90(wide, quarters), within=0.01)


def test_of_two_faces_and_of_one_that_is_cut(both: tuple[FaceFinder, FaceFinder]) -> None:
    picture = still("astronaut").pixels
    assert_same(both, np.concatenate([picture, still("lisa").pixels], axis=1), 2, within=0.01)
    assert_same(both, picture[:, : picture.shape[1] // 2], within=0.01)


def test_of_no_face(both: tuple[FaceFinder, FaceFinder]) -> None:
    assert_same(both, np.full((240, 320, 3), 90, np.uint8), 0)
    assert_same(both, np.zeros((2, 2, 3), np.uint8), 0)


def test_auto_takes_the_first_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert room.engine_of("auto") == "mediapipe"
    there = {"ai_edge_litert"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in there else None)
    assert room.engine_of("auto") == "litert"
    with pytest.raises(SettingsError, match=r"worker\.engine = 'mediapipe': mediapipe is not installed"):
        room.engine_of("mediapipe")
    there.clear()
    with pytest.raises(SettingsError, match="mediapipe or ai_edge_litert is not installed"):
        room.engine_of("auto")
