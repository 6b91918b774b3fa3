"""The quick part of ``make accuracy``: a few films, held to the same budget."""

from __future__ import annotations

import pytest

from bench.accuracy import measured
from testing import budget
from testing.figures import Figures
from testing.films import FILMS
from testing.product import face_finder

_QUICK = tuple(film for film in FILMS if film.is_quick)
_RATES = [3, 1]


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, int], Figures]:
    with face_finder() as finder:
        return measured(_QUICK, _RATES, finder)


# Making the films takes most of two minutes on a fresh clone, where two cores are free.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rate", _RATES)
@pytest.mark.parametrize("film", [film.name for film in _QUICK])
def test_every_figure_stays_within_its_budget(
    film: str, rate: int, found: dict[tuple[str, int], Figures]
) -> None:
    assert budget.left({(film, rate): found[film, rate]}, budget.read()) == []


def test_the_budget_names_films_that_exist() -> None:
    """A film that was renamed would leave lines behind that nobody is held to."""
    assert {film for film, _, _ in budget.read()} == {film.name for film in FILMS}
