"""A part's motion into its anchor."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from anchord.tracking.anchors import anchor_track, curve, placement, tight_box
from anchord.tracking.faces.mesh import PARTS
from anchord.tracking.motion.similarity import Complex, Similarities

MOUTH = PARTS["mouth"].tight
MIDDLE = 250 + 400j


def face(mouth_open: float = 0.0) -> Complex:
    shape = np.full(478, 250 + 300j)
    angle = np.linspace(0, 2 * np.pi, len(MOUTH), endpoint=False)
    shape[list(MOUTH)] = MIDDLE + 40 * np.cos(angle) + 1j * (10 + mouth_open) * np.sin(angle)
    return shape


def motions(count: int, scale: float = 1.0, angle: float = 0.0, shift: complex = 0) -> Similarities:
    return Similarities(
        a=np.full(count, scale * np.exp(1j * angle)), b=np.full(count, shift + 0j, np.complex128)
    )


def track(motion: Similarities, size: tuple[int, int] = (512, 640), target: tuple[int, int] = (512, 640)):  # type: ignore[no-untyped-def]
    box = tight_box(motion.of(face()), motion, MOUTH)
    return anchor_track(curve(motion, box.middle), box, 1.5, placement(size, target, "contain"))


def test_the_box_is_the_tight_box_times_the_padding() -> None:
    still = track(motions(3))
    assert still.size[0] == pytest.approx([80 * 1.5, 20 * 1.5], rel=0.01)
    assert still.centre[0] == pytest.approx([250, 400], abs=0.1)


@hypothesis.settings(deadline=None, max_examples=30)
@hypothesis.given(st.floats(-40, 40), st.floats(0.5, 2))
def test_turning_the_picture_turns_the_roll_and_enlarging_it_the_size(degrees: float, scale: float) -> None:
    motion = Similarities(
        a=np.array([1, scale * np.exp(1j * np.radians(degrees))], complex), b=np.zeros(2, complex)
    )
    found = track(motion)
    assert found.roll[1] - found.roll[0] == pytest.approx(degrees, abs=1e-6)
    assert found.size[1] / found.size[0] == pytest.approx([scale, scale])


def test_an_open_mouth_neither_moves_nor_resizes_the_anchor() -> None:
    """It opens in one sample of five."""
    motion = motions(10)
    shut = np.stack([face()] * 10)
    speaking = np.stack([face(30.0 if index % 5 == 0 else 0.0) for index in range(10)])
    assert tight_box(speaking, motion, MOUTH) == tight_box(shut, motion, MOUTH)


@pytest.mark.parametrize(
    ("fit", "scale", "offset"),
    [
        ("contain", (1.0, 1.0), (0.0, 180.0)),
        ("cover", (16 / 9 * 1.0, 16 / 9 * 1.0), (-(640 * 16 / 9 - 640) / 2, 0.0)),
        ("fill", (1.0, 16 / 9), (0.0, 0.0)),
    ],
)
def test_a_wide_video_in_a_square_target(
    fit: str, scale: tuple[float, float], offset: tuple[float, float]
) -> None:
    where = placement((640, 360), (640, 640), fit)  # type: ignore[arg-type]
    if fit == "contain":
        offset = (0.0, 140.0)
    assert where.scale == pytest.approx(scale)
    assert where.offset == pytest.approx(offset)


def test_roll_does_not_jump_by_a_full_turn() -> None:
    angles = np.radians(np.linspace(170, 190, 9))
    motion = Similarities(a=np.exp(1j * angles), b=np.zeros(9, complex))
    assert np.abs(np.diff(track(motion).roll)).max() < 5


EYES = PARTS["eyes"].tight


def eyes(opening: float) -> Complex:
    """Two eyes, 100 px wide both; the upper lids go up with *opening*."""
    shape = np.full(478, 250 + 300j)
    shape[list(EYES)] = 200 + 300j
    shape[EYES[0]], shape[EYES[1]] = 200 + 304j, 300 + 304j
    shape[EYES[2]] = 250 + 1j * (304 - opening)
    shape[list(EYES[3:])] = 250 + 304j
    return shape


def test_the_eyes_box_is_that_of_open_eyes_however_long_they_are_shut() -> None:
    seldom_open = np.stack([eyes(14.0 if index % 5 == 0 else 1.0) for index in range(20)])
    always_open = np.stack([eyes(14.0)] * 20)
    assert tight_box(seldom_open, motions(20), EYES, least=0.1) == tight_box(
        always_open, motions(20), EYES, least=0.1
    )


@hypothesis.settings(deadline=None, max_examples=30)
@hypothesis.given(st.lists(st.floats(0, 30), min_size=1, max_size=12), st.floats(0.05, 0.2))
def test_the_eyes_box_is_never_a_slit(openings: list[float], least: float) -> None:
    clip = np.stack([eyes(opening) for opening in openings])
    box = tight_box(clip, motions(len(openings)), EYES, least=least)
    assert box.height >= least * box.width * (1 - 1e-9)
    assert box.width == pytest.approx(100)
