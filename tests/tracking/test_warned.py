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
from testing.stills import EYES_AT, EYES_PX, PEOPLE, still

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
    person = SPOILT[turned][0](still(name).pixels)
    file = encode(
        tmp_path / "idle.mp4", [(100.0 * index, person) for index in range(30)], codec="libx264", fps=10
    )
    assert codes(file, finder) & {"upside_down", "tilted"} == SPOILT[turned][1]


def in_sunglasses(picture: Picture) -> Picture:
    covered = picture.copy()
    for side in (-0.335, 0.335):
        at = (round(EYES_AT[0] + side * EYES_PX), round(EYES_AT[1] + 0.03 * EYES_PX))
        axes = (round(0.27 * EYES_PX), round(0.21 * EYES_PX))
        cv2.ellipse(covered, at, axes, 0, 0, 360, (22, 20, 20), -1, cv2.LINE_AA)
    return covered


def behind_hair(picture: Picture) -> Picture:
    covered = picture.copy()
    right = np.array([EYES_AT[0] - 0.335 * EYES_PX, EYES_AT[1]])
    strand = [(-0.3, -1.1), (0.35, -1.1), (0.28, -0.2), (0.2, 0.35), (-0.1, 0.6), (-0.35, 0.3)]
    cv2.fillPoly(covered, [(right + EYES_PX * np.array(strand)).astype(np.int32)], (34, 24, 20), cv2.LINE_AA)
    return covered


# Dark hair before dark skin is not told from it.
@pytest.mark.parametrize(
    ("name", "cover"),
    [(name, cover) for name in PEOPLE for cover in (None, in_sunglasses)]
    + [(name, behind_hair) for name in ("astronaut", "admiral", "lisa")],
)
def test_eyes_that_are_covered_all_the_time_are_named(
    name: str, cover: Callable[[Picture], Picture] | None, tmp_path: Path, finder: FaceFinder
) -> None:
    picture = still(name).pixels.astype(np.uint8)
    picture = cover(picture) if cover else picture
    pictures = [(100.0 * index, picture) for index in range(6)]
    file = encode(tmp_path / "idle.mp4", pictures, codec="libx264", fps=10)
    with file.open("rb") as stream:
        made = extract(stream, file.name, ExtractSettings(sample_rate=1), Limits(), finder)
    assert ("eyes_covered" in {warning.code for warning in made.quality.warnings}) == (cover is not None)
