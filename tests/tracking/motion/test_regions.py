"""A head that is known by its anchors alone is found again where it went."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.motion import tracker
from anchord.tracking.motion.regions import Region, RegionFollower, head_px
from testing.drawing import CHARACTERS, character
from testing.making import _moved
from testing.motions import Place

SIZE = (512, 640)
MIDDLES = {
    name: complex((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    for name, box in (("mouth", CHARACTERS["cat"].mouth), ("eyes", CHARACTERS["cat"].eyes))
}


def frame(x: float, roll_deg: float = 0.0) -> NDArray[np.uint8]:
    place = Place(x=x, roll_deg=roll_deg)
    return _moved(character("cat", 0.0, 0.0, 0.0), place.matrix(), SIZE, None)


def regions() -> dict[str, Region]:
    matrix = Place().matrix()
    found = {}
    for name, still in MIDDLES.items():
        x, y = matrix[:, :2] @ (still.real, still.imag) + matrix[:, 2]
        size = (130.0, 45.0) if name == "eyes" else (60.0, 25.0)
        found[name] = Region(middle=complex(x, y), width=size[0], height=size[1])
    return found


def follow(frames: list[NDArray[np.uint8]], base: NDArray[np.uint8] | None = None) -> RegionFollower:
    follower = RegionFollower(regions())
    across = head_px(follower.regions)
    if base is not None:
        follower.begin(tracker.shrunk(base, across))
    seen = [follower.add(tracker.shrunk(one, across), is_search=True) for one in frames]
    assert len(follower.motions) == sum(seen)
    return follower


def test_a_head_that_moves_and_turns_is_followed_to_a_fraction_of_a_pixel() -> None:
    follower = follow([frame(256 + 3 * i, 0.5 * i) for i in range(6)])
    eyes = follower.regions["eyes"].middle
    for i, motion in enumerate(follower.motions):
        matrix = Place(x=256 + 3 * i, roll_deg=0.5 * i).matrix()
        still = MIDDLES["eyes"]
        right = matrix[:, :2] @ (still.real, still.imag) + matrix[:, 2]
        assert abs(complex(motion.of(np.array([eyes]))[0]) - complex(*right)) < 0.3, i


def test_it_begins_where_the_base_face_is_found_in_the_first_frame() -> None:
    follower = follow([frame(256 + 25.0)], base=frame(256))
    assert abs(complex(follower.motions[0].b) - 25) < 0.5
    assert follower.pins["eyes"][0] == 0


def test_an_empty_picture_has_no_head_and_what_comes_back_is_found() -> None:
    wall = np.full((*SIZE[::-1], 3), 120, np.uint8)
    follower = follow([frame(256), wall, wall, frame(300)])
    assert follower.agree["eyes"][1:3] == [0.0, 0.0]
    assert len(follower.motions) == 2
    assert abs(complex(follower.motions[1].b) - 44) < 0.5
