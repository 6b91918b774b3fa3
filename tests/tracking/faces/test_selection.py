"""The same face for the whole clip."""

from __future__ import annotations

import numpy as np

from anchord.tracking.faces.mesh import Landmarks
from anchord.tracking.faces.selection import Choice

SIZE = (512, 640)


def face(x: float, y: float, height: float) -> Landmarks:
    spread = np.random.default_rng(1).uniform(-0.5, 0.5, (478, 2))
    spread[0], spread[1] = (0, -0.5), (0, 0.5)
    return spread * height + (x, y)


def test_the_largest_and_most_central_face_is_chosen() -> None:
    faces = [face(60, 300, 200), face(256, 320, 200), face(400, 500, 120)]
    assert Choice(size=SIZE).of(faces, time_ms=0) == 1


def test_it_stays_chosen_when_another_is_larger_for_a_moment() -> None:
    choice = Choice(size=SIZE)
    assert choice.of([face(200, 300, 200), face(420, 300, 150)], time_ms=0) == 0
    assert choice.of([face(430, 300, 320), face(205, 301, 200)], time_ms=100) == 1


def test_another_face_is_no_stand_in() -> None:
    choice = Choice(size=SIZE)
    choice.of([face(100, 300, 150)], time_ms=0)
    assert choice.of([face(400, 300, 150)], time_ms=100) is None
    assert choice.of([], time_ms=200) is None
    assert choice.of([face(104, 298, 150)], time_ms=300) == 0


def test_who_comes_back_elsewhere_after_a_while_is_taken_up() -> None:
    choice = Choice(size=SIZE)
    choice.of([face(100, 300, 150)], time_ms=0)
    assert choice.of([face(350, 300, 150)], time_ms=2000) == 0
