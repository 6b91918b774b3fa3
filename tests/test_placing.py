"""Where a sprite lies on a tracked face; that it is where the page lays it is tested beside the page."""

from __future__ import annotations

import msgspec
import pytest

from anchord.placing import placed, references
from anchord.reading import Curves, Values
from anchord.timeline import Anchor, Part, Reference, Sample, Timeline
from tests.test_timeline import made

STATICS: dict[Part, Values] = {"mouth": (256, 460, 160, 120, 0), "eyes": (256, 280, 232, 80, 0)}


def box(cx: float, cy: float, w: float, roll: float = 0) -> Anchor:
    return Anchor(x=cx - w / 2, y=cy - 10, w=w, h=20, cx=cx, cy=cy, roll=roll)


def film(*samples: tuple[Anchor, Anchor], status: str = "tracked") -> Timeline:
    """Mouth and eyes of samples 100 ms apart."""
    return made(
        [
            Sample(frame=i, time_ms=100.0 * i, status="tracked" if i else status, mouth=mouth, eyes=eyes)  # type: ignore[arg-type]
            for i, (mouth, eyes) in enumerate(samples)
        ]
    )


HERE = (box(258, 452, 125, 2), box(254, 283, 186, 2))
AWAY = (box(300, 500, 130, 8), box(310, 320, 190, 8))


def laid(timeline: Timeline, part: Part, time_ms: float) -> Values:
    curves = Curves.of(timeline)
    at = curves.at(part, time_ms)
    assert at
    return placed(at, references(timeline, curves, STATICS)[part], STATICS[part])


@pytest.mark.parametrize("part", ["mouth", "eyes"])
@pytest.mark.parametrize("order", [(AWAY, HERE), (HERE, AWAY)])
def test_where_the_face_is_nearest_to_the_base_face_a_sprite_lies_as_there(
    part: Part, order: tuple[tuple[Anchor, Anchor], ...]
) -> None:
    assert laid(film(*order), part, 100.0 * order.index(HERE)) == pytest.approx(STATICS[part])


@pytest.mark.parametrize(
    "away", [(box(258, 470, 125), box(254, 300, 186)), (box(258, 452, 125, 9), box(254, 283, 186, 9))]
)
def test_nearness_counts_the_way_down_and_the_turn(away: tuple[Anchor, Anchor]) -> None:
    assert laid(film(away, HERE), "mouth", 100) == pytest.approx(STATICS["mouth"])


def test_a_sample_that_saw_no_face_is_only_taken_where_there_is_no_other() -> None:
    assert laid(film(HERE, AWAY, status="held"), "mouth", 100)[:2] == pytest.approx((256, 460), abs=60)
    assert laid(film(HERE, AWAY, status="held"), "mouth", 0) != pytest.approx(STATICS["mouth"])


def test_what_the_timeline_says_of_the_reference_is_sure_however_far_off() -> None:
    told = msgspec.structs.replace(film(HERE, AWAY), reference=Reference(time_ms=100))
    assert laid(told, "mouth", 100) == pytest.approx(STATICS["mouth"])
    own = msgspec.structs.replace(told, reference=Reference(time_ms=0, mouth=box(100, 100, 65)))
    cx, cy, w, h, roll = laid(own, "mouth", 0)
    scale = 125 / 65
    assert (w, h, roll) == pytest.approx((160 * scale, 120 * scale, 2))
    assert (cx, cy) != pytest.approx((258, 452), abs=100)


def test_a_guess_that_is_far_off_leaves_the_sprite_on_the_tracked_middle() -> None:
    """Just a quarter of the static box is the most."""
    for dx, is_kept in ((40, True), (41, False)):
        lone = film((box(256 + dx, 460, 125), box(256, 280, 186)))
        assert laid(lone, "mouth", 0)[0] == pytest.approx(256 if is_kept else 256 + dx)
    for dy, is_kept in ((30, True), (31, False)):
        lone = film((box(256, 460 - dy, 125), box(256, 280, 186)))
        assert laid(lone, "mouth", 0)[1] == pytest.approx(460 if is_kept else 460 - dy)


def test_a_sprite_turns_and_grows_with_the_face_about_the_tracked_middle() -> None:
    still: Values = (110, 100, 40, 30, 5)
    [reference] = {references(film(HERE), Curves.of(film(HERE)), STATICS)["mouth"]}
    from_left = reference._replace(w=50, roll=0, dx=10, dy=0)
    assert placed((100, 100, 50, 9, 0), from_left, still) == pytest.approx(still)
    assert placed((100, 100, 100, 9, 90), from_left, still) == pytest.approx((100, 120, 80, 60, 95))


def test_a_box_without_a_width_divides_nothing() -> None:
    lone = film((box(256, 460, 0), box(256, 280, 186)))
    assert laid(lone, "mouth", 0)[2] == 0
