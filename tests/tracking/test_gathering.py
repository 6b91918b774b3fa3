"""What is kept of a long clip is small, and what is worked out with it takes little more."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from anchord.tracking.faces.mediapipe import Face
from anchord.tracking.faces.mesh import PARTS
from anchord.tracking.gathering import Gathered
from anchord.tracking.motion import occlusion, registration
from anchord.tracking.sampling import Sampled

SAMPLES = 1000


def samples(count: int = SAMPLES, *, faceless: int = 0) -> Iterator[Sampled]:
    """As they come: each with arrays of its own, that nobody else holds."""
    chance = np.random.default_rng(1)
    mean = chance.uniform(100, 400, (478, 2))
    for index in range(count):
        face = Face(landmarks=mean + chance.normal(0, 0.2, mean.shape), pose=(1.0, 2.0, index))
        texture = chance.normal(0, 1, (len(occlusion.POINTS), 2)).astype(np.float32)
        has_face = index >= faceless
        yield Sampled(
            index=index,
            time_ms=33.0 * index,
            is_extra=False,
            face=face if has_face else None,
            texture=texture if has_face else None,
            is_seen=has_face,
        )


def most_bytes(work: Callable[[], object]) -> float:
    """So many bytes are held at once while something is done, more than before."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work()
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return most


def test_landmarks_and_textures_come_out_as_they_went_in() -> None:
    gathered, went_in = Gathered(), list(samples(20, faceless=3))
    gathered.take(went_in)
    faces = [sample for sample in went_in if sample.face is not None]
    assert gathered.clip.shape == (17, 478)
    for row, sample in zip(gathered.clip, faces, strict=True):
        assert sample.face is not None
        assert np.abs(row - sample.face.landmarks @ (1, 1j)).max() < 1e-4
    for texture, sample in zip(gathered.textures, faces, strict=True):
        assert sample.texture is not None
        assert (texture == sample.texture).all()
    assert [sample.index for sample in gathered.frames] == list(range(20))
    assert [sample.face is not None for sample in gathered.frames] == [index >= 3 for index in range(20)]
    assert gathered.frames[5].face is not None
    assert gathered.frames[5].face.pose == (1.0, 2.0, 5)


def test_who_wants_the_faces_keeps_them() -> None:
    gathered = Gathered(with_faces=True)
    gathered.take(samples(5))
    assert all(sample.face is not None and len(sample.face.landmarks) == 478 for sample in gathered.frames)


def test_a_sample_costs_little_more_than_its_numbers() -> None:
    """3.8 kB of landmarks and 2 of texture; the rest is the sample itself, and room to grow."""
    gathered = Gathered()
    assert most_bytes(lambda: gathered.take(samples())) / SAMPLES < 8_000


@pytest.mark.parametrize("part", PARTS)
def test_what_is_worked_out_of_a_clip_takes_less_than_the_clip(part: str) -> None:
    gathered = Gathered()
    gathered.take(samples(2 * SAMPLES))
    clip, textures = gathered.clip, gathered.textures

    def plate(count: int) -> float:
        return most_bytes(lambda: registration.plate_motion(clip[:count]))

    def covered(count: int) -> float:
        return most_bytes(lambda: occlusion.covered(textures[:count], clip[:count], part))

    # A part is the same whatever the length, since rows are worked off some at a time.
    for of in (plate, covered):
        assert (of(2 * SAMPLES) - of(SAMPLES)) / SAMPLES < 5_000
