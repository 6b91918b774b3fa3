"""What is drawn lies where it should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.preview.drawing import boxed, decoded, feathered, jpeg, laid_over, written
from anchord.sprites.warp import packed


def canvas() -> np.ndarray:
    return np.zeros((200, 300, 3), np.uint8)


def middle(lit: np.ndarray) -> tuple[float, float]:
    y, x = np.nonzero(lit)
    return float(x.mean()) + 0.5, float(y.mean()) + 0.5


@pytest.mark.parametrize("is_dashed", [True, False])
@pytest.mark.parametrize("roll", [0, 30, -90, 180])
def test_a_box_lies_around_its_middle(roll: float, is_dashed: bool) -> None:
    made = canvas()
    boxed(made, (150, 100, 80, 40, roll), (255, 255, 255), is_dashed=is_dashed)
    assert middle(made[..., 0] > 100) == pytest.approx((150, 100), abs=1.5)
    turned = roll % 180 != 0
    high, wide = (float(np.ptp(axis)) for axis in np.nonzero(made[..., 0] > 100))
    assert (high > 46) == turned
    if roll == -90:
        assert (wide, high) == pytest.approx((40, 80), abs=3)


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 5))
def test_a_box_beyond_all_bounds_draws_what_can_be_seen_of_it(
    place: tuple[float, float, float, float, float],
) -> None:
    boxed(canvas(), place, (255, 255, 255))
    laid_over(
        canvas(), np.ones((8, 8, 3), np.float32), np.ones((8, 8), np.float32), (*place[:2], 30, 20, place[4])
    )


@pytest.mark.parametrize("roll", [0, 45])
def test_a_sprite_lies_on_its_middle_as_large_as_it_should(roll: float) -> None:
    made = canvas()
    sprite = np.full((30, 60, 3), 200, np.float32)
    laid_over(made, sprite, np.ones((30, 60), np.float32), (120.0, 90.0, 40.0, 20.0, roll))
    lit = made[..., 0] > 100
    assert middle(lit) == pytest.approx((120, 90), abs=0.6)
    assert lit.sum() == pytest.approx(40 * 20, rel=0.06)


def test_where_a_sprite_is_clear_the_picture_stays() -> None:
    made = canvas()
    made[:] = 77
    laid_over(made, np.zeros((20, 20, 3), np.float32), np.zeros((20, 20), np.float32), (100, 100, 50, 50, 10))
    assert (made == 77).all()


def test_a_mask_is_soft_and_runs_out_at_the_rim() -> None:
    soft = feathered(np.ones((40, 60), np.float32), 8)
    assert soft[20, 30] == pytest.approx(1)
    assert soft[0, 30] == pytest.approx(0.5 / 8)
    assert (feathered(np.ones((5, 5), np.float32), 0) == 1).all()


def test_pictures_that_are_none_are_left_out() -> None:
    assert decoded(b"no picture") is None
    assert decoded(b"") is None
    grey = decoded(packed(np.full((4, 6), 9.0)))
    assert grey is not None
    assert grey.shape == (4, 6, 4)
    assert grey[0, 0].tolist() == [9, 9, 9, 255]


def test_letters_beyond_the_font_do_not_end_the_work() -> None:
    made = canvas()
    assert written(made, "Zoë – 名前 \U0001f600", (5, 50), (255, 255, 255)) > 20
    assert made.any()
    assert jpeg(made, 60).startswith(b"\xff\xd8\xff")
