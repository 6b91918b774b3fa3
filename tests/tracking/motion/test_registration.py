"""Landmarks say where, pixels say exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anchord.tracking.faces.mesh import eyes_across
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.registration import carried, glued, one_face, placed, plate_motion
from anchord.tracking.motion.similarity import Complex, Similarities

MIDDLE = 260 + 300j


def eyes_of(plate: Complex) -> float:
    return abs(eyes_across(plate))


def face() -> Complex:
    spread = np.random.default_rng(5).uniform(-100, 100, (478, 2))
    shape = spread[:, 0] + 1j * spread[:, 1] + MIDDLE
    shape[33], shape[263] = MIDDLE - 50, MIDDLE + 50
    return shape


def sway(count: int = 40) -> Similarities:
    phase = 2 * np.pi * np.arange(count) / count
    a = (1 + 0.02 * np.sin(phase)) * np.exp(1j * 0.05 * np.cos(phase))
    return Similarities(
        a=np.asarray(a, np.complex128), b=MIDDLE - a * MIDDLE + 12 * np.sin(phase) + 5j * np.cos(phase)
    )


def clip(motion: Similarities, noise_px: float, seed: int = 1) -> Complex:
    """Landmarks that err together, as a model's do."""
    wander = np.random.default_rng(seed).normal(0, noise_px, (len(motion.a), 2))
    return np.asarray(motion.of(face()) + (wander[:, 0] + 1j * wander[:, 1])[:, None])


def links(motion: Similarities, to: int = 0, **how: float) -> list[Link]:
    agree, noise, turned = how.get("agree", 0.9), how.get("noise", 0.001), how.get("turned", 0.0)
    return [
        Link(
            later=i,
            earlier=to,
            motion=motion[i].after(motion[to].inverse()),
            agree=agree,
            sigma=noise,
            start=complex(motion[to].of(np.array([MIDDLE]))[0]),
            end=complex(motion[i].of(np.array([MIDDLE]))[0]),
            spread=noise,
            turned=turned,
        )
        for i in range(len(motion.a))
        if i != to
    ]


def looseness_px(found: Similarities, true: Similarities, plate: Complex) -> float:
    """Rms distance of where the plate's middle goes from where it should, but for a constant."""
    middle = plate.mean()
    at = true.inverse().after(found)
    off = at.a * middle + at.b
    return float(np.sqrt((np.abs(off - off.mean()) ** 2).mean()))


def test_links_take_the_landmarks_errors_out() -> None:
    true = sway()
    plate, by_landmarks = plate_motion(clip(true, 0.5))
    found = glued(eyes_of(plate), by_landmarks, np.arange(40), complex(plate.mean()), links(true))
    assert looseness_px(by_landmarks, true, plate) > 0.3
    assert looseness_px(found, true, plate) < 0.01


def test_without_links_it_goes_by_the_landmarks() -> None:
    plate, by_landmarks = plate_motion(clip(sway(), 0.5))
    assert glued(eyes_of(plate), by_landmarks, np.arange(40), MIDDLE, []) is by_landmarks


def test_links_on_which_few_features_agree_do_not_count() -> None:
    true = sway()
    plate, by_landmarks = plate_motion(clip(true, 0.5))
    wrong = Similarities(a=true.a, b=true.b + 30 * np.arange(40))
    found = glued(eyes_of(plate), by_landmarks, np.arange(40), MIDDLE, links(wrong, agree=0.1))
    assert looseness_px(found, true, plate) < looseness_px(by_landmarks, true, plate) * 1.01


def test_a_few_wrong_links_are_outvoted() -> None:
    true = sway()
    plate, by_landmarks = plate_motion(clip(true, 0.5))
    measured = links(true) + links(true, to=20) + links(true, to=30)
    stray = measured[10]
    measured[10] = replace(stray, motion=Similarities(a=stray.motion.a, b=stray.motion.b + 8))
    found = glued(eyes_of(plate), by_landmarks, np.arange(40), MIDDLE, measured)
    assert looseness_px(found, true, plate) < 0.15


def test_where_pixels_can_not_be_followed_there_is_no_jump() -> None:
    """The correction fades; it does not end."""
    true = sway()
    plate, by_landmarks = plate_motion(clip(true, 0.0))
    off = Similarities(a=by_landmarks.a, b=by_landmarks.b + 1.5)
    measured = [link for link in links(true) if link.later < 20]
    found = glued(eyes_of(plate), off, np.arange(40), MIDDLE, measured)
    at = off.inverse().after(found)
    steps = np.abs(np.diff(at.a * MIDDLE + at.b))
    assert steps.max() < 0.5


def test_samples_without_a_face_are_skipped_by_name() -> None:
    true = sway()
    samples = np.delete(np.arange(40), [7, 8, 9])
    plate, by_landmarks = plate_motion(clip(true[samples], 0.5))
    measured = [link for link in links(true) if link.later in samples]
    found = glued(eyes_of(plate), by_landmarks, samples, MIDDLE, measured)
    assert looseness_px(found, true[samples], plate) < 0.01


def test_what_is_hidden_goes_with_the_other_part() -> None:
    eyes = sway()
    mouth = Similarities(a=eyes.a, b=eyes.b + 3)
    lost = Similarities(a=mouth.a, b=mouth.b + np.where((np.arange(40) > 9) & (np.arange(40) < 20), 25, 0))
    hidden = (np.arange(40) > 9) & (np.arange(40) < 20)
    found = carried(np.linspace(0, 3900, 40), hidden, lost, eyes)
    assert np.abs(found.of(np.array([MIDDLE])) - mouth.of(np.array([MIDDLE]))).max() == pytest.approx(
        0, abs=0.2
    )


def test_a_links_word_counts_less_the_more_the_face_has_turned() -> None:
    true = sway()
    plate, by_landmarks = plate_motion(clip(true, 0.5))
    wrong = Similarities(a=true.a, b=true.b + 0.2 * np.arange(40))
    middle = complex(plate.mean())
    loose = [
        looseness_px(
            glued(eyes_of(plate), by_landmarks, np.arange(40), middle, links(wrong, turned=turned)),
            true,
            plate,
        )
        for turned in (0.0, 0.05, 0.2)
    ]
    assert loose[0] > 1.2 * loose[1] > 1.5 * loose[2]


def test_where_turn_and_scale_are_known_the_links_say_the_place() -> None:
    true = sway()
    plate, by_landmarks = plate_motion(clip(true, 0.5))
    known = by_landmarks.with_turn(true.a * (by_landmarks.a[0] / true.a[0]), about=complex(plate.mean()))
    found = placed(eyes_of(plate), known, np.arange(40), links(true))
    assert looseness_px(known, true, plate) > 0.3
    assert looseness_px(found, true, plate) < 0.05
    assert placed(eyes_of(plate), known, np.arange(40), []) is known


def test_a_face_has_one_turn_and_one_scale_and_a_blink_hardly_shrinks_it() -> None:
    eyes = sway()
    mouth = Similarities(a=eyes.a, b=eyes.b + 3)
    np.testing.assert_allclose(one_face(eyes, mouth), eyes.a)
    blinking = Similarities(a=eyes.a * 0.99, b=eyes.b)
    np.testing.assert_allclose(np.abs(one_face(blinking, mouth)), np.abs(eyes.a) * 0.99**0.8)
