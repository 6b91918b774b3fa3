"""The same face in another light is brought back into this one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchord.sprites.colour import matched
from anchord.sprites.warp import Floats, blurred

EVERYWHERE = np.ones((80, 100), np.float32)
GAIN, OFFSET = st.floats(0.7, 1.4), st.floats(-25, 25)


def skin(seed: int = 1) -> Floats:
    """Something with slow shades and fine texture."""
    rng = np.random.default_rng(seed)
    shades = blurred(rng.normal(0, 1, (80, 100, 3)), 12) * 400
    return np.asarray(120 + shades + rng.normal(0, 4, (80, 100, 3)), np.float32)


@settings(max_examples=15, deadline=None)
@given(st.tuples(GAIN, GAIN, GAIN), st.tuples(OFFSET, OFFSET, OFFSET))
def test_gain_and_offset_of_each_channel_are_taken_out(
    gain: tuple[float, ...], offset: tuple[float, ...]
) -> None:
    to = skin()
    other = np.asarray(to * np.array(gain) + np.array(offset), np.float32)
    assert np.abs(matched(other, to, EVERYWHERE, 20) - to).mean() < 2.0


def test_light_from_one_side_is_taken_out_too() -> None:
    to = skin()
    slope = np.linspace(-14, 14, 100)[None, :, None]
    back = matched(np.asarray(to + slope, np.float32), to, EVERYWHERE, 18)
    assert np.abs(back - to).mean() < 0.4 * np.abs(slope).mean()


def test_what_is_no_skin_does_not_count_and_is_carried_along() -> None:
    """An open mouth in one picture and a shut one in the other must not darken the cheeks."""
    to = skin()
    other = np.asarray(0.8 * to + 10, np.float32)
    other[30:50, 40:60] = 20
    where = EVERYWHERE.copy()
    where[26:54, 36:64] = 0
    back = matched(other, to, where, 15)
    assert np.abs(back - to)[where > 0].mean() < 2.0
    assert back[35:45, 45:55].mean() < 60


def test_without_any_skin_it_stays_as_it_is() -> None:
    other = skin(2)
    assert matched(other, skin(), 0 * EVERYWHERE, 15) is other


def test_a_picture_as_noisy_as_the_other_keeps_its_strength() -> None:
    """By regression two noisy pictures of one thing would lose contrast."""
    rng = np.random.default_rng(3)
    to, other = (np.asarray(skin() + rng.normal(0, 12, (80, 100, 3)), np.float32) for _ in range(2))
    back = matched(other, to, EVERYWHERE, 20)
    assert float(np.std(back)) == pytest.approx(float(np.std(to)), rel=0.12)
