"""What is wrong with a film is named, and nothing else: portraits, spoilt in one way at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from anchord.demo.film import breathing, encode, even_times_ms, film
from anchord.settings import ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder
from testing.stills import PEOPLE, still

Picture = NDArray[np.uint8]


def upside_down(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[::-1, ::-1])


def on_its_side(picture: Picture) -> Picture:
    return np.ascontiguousarray(np.rot90(picture))


def blurred(picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)


def noisy(picture: Picture) -> Picture:
    noise = np.random.default_rng(int(picture.sum()) % 1000).normal(0, 25, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def dark(picture: Picture) -> Picture:
    return (picture * 0.2).astype(np.uint8)


def as_it_is(picture: Picture) -> Picture:
    return picture


SPOILT: dict[str, tuple[Callable[[Picture], Picture], set[str]]] = {
    "as it is": (as_it_is, set()),
    "upside down": (upside_down, {"upside_down"}),
    "on its side": (on_its_side, {"tilted"}),
    "blurred": (blurred, {"blurred"}),
    "noisy": (noisy, {"noisy"}),
    "dark": (dark, {"dark"}),
}
#: What this room is about; others may follow from it, as a face that is not found.
JUDGED = {"upside_down", "tilted", "blurred", "noisy", "dark"}


def codes(file: Path, finder: FaceFinder) -> set[str]:
    with file.open("rb") as stream:
        made = extract(stream, file.name, ExtractSettings(), Limits(), finder)
    return {warning.code for warning in made.quality.warnings} & JUDGED


@pytest.mark.parametrize("name", SPOILT)
def test_a_film_that_is_spoilt_is_named_so_and_not_otherwise(
    name: str, tmp_path: Path, finder: FaceFinder
) -> None:
    spoil, expected = SPOILT[name]
    pictures = ((time, spoil(picture)) for time, picture in film(breathing, times_ms=even_times_ms(12, 1.5)))
    file = encode(tmp_path / "idle.mp4", pictures, codec="libx264")
    assert codes(file, finder) == expected


@pytest.mark.parametrize("name", [name for name in PEOPLE if name != "astronaut"])
@pytest.mark.parametrize("turned", ["as it is", "upside down"])
def test_of_any_person_it_is_known_how_they_stand(
    name: str, turned: str, tmp_path: Path, finder: FaceFinder
) -> None:
    if (name, turned) == ("dark_spectacled", "upside down"):
        pytest.xfail("the one that passes for upright; see faces/upright.py")
    person = SPOILT[turned][0](still(name).pixels)
    file = encode(
        tmp_path / "idle.mp4", [(100.0 * index, person) for index in range(30)], codec="libx264", fps=10
    )
    assert codes(file, finder) & {"upside_down", "tilted"} == SPOILT[turned][1]
