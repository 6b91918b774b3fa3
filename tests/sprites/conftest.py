"""The repository's own faces as a maker of sprites sees them, and sprites made of a short film."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import pytest

from anchord.model import checked_model
from anchord.settings import ExtractSettings, Limits
from anchord.sprite_set import VISEMES, SpriteSet
from anchord.sprites import blend
from anchord.sprites.inside import Inside, inside_of
from anchord.sprites.lips import Mouth, relaxed, shaped
from anchord.sprites.make import Source, make
from anchord.sprites.visemes import SHAPES
from anchord.sprites.warp import Floats, Points
from anchord.tracking.faces import FaceFinder
from anchord.tracking.faces.mesh import OVAL
from testing.stills import still
from tests.films import small_film

#: A closed mouth, an open smile, a beard, dark skin, glasses, a painting.
FACES = ("admiral", "astronaut", "beard", "dark", "spectacled", "lisa")


@functools.cache
def face(name: str) -> tuple[Floats, Points]:
    """Pixels and landmarks of a face that fills the picture."""
    found = still(name)
    return found.pixels.astype(np.float32), np.asarray(found.mesh[:, :2], np.float64)


def inside(name: str) -> Inside:
    """The inner mouth of a face."""
    pixels, marks = face(name)
    return inside_of(pixels, marks, pixels, marks, relaxed(marks))


@functools.cache
def masked(name: str) -> tuple[Mouth, Floats]:
    """A face's mouth, ready to be moved, and its mask for all visemes."""
    pixels, marks = face(name)
    size = (pixels.shape[1], pixels.shape[0])
    loose = Mouth(pixels=pixels, points=marks, still=np.zeros((0, 2)), inside=inside(name))
    rims = [np.vstack(shaped(loose, shape).all()) for shape in SHAPES.values()]
    mask = blend.mouth_mask(marks, [marks[list(OVAL)]], rims, size)
    still_points = blend.edge_of(mask, np.vstack(rims))
    return Mouth(pixels=pixels, points=marks, still=still_points, inside=loose.inside), mask


@pytest.fixture(scope="session")
def finder() -> Iterator[FaceFinder]:
    made = FaceFinder(checked_model())
    yield made
    made.close()


@pytest.fixture(scope="session")
def made(finder: FaceFinder) -> SpriteSet:
    """Of a second of the sample film."""
    with small_film().open("rb") as stream:
        source = Source(stream=stream, name="idle.webm", limits=Limits(), finder=finder)
        return make(source, None, ExtractSettings(), visemes=VISEMES, with_preview=True)
