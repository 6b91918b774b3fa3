"""Sprites on a clip, as the page lays them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from anchord.placing import placed, references
from anchord.preview.dressing import Dressing
from anchord.reading import Curves
from anchord.sprites.warp import packed
from anchord.timeline import Light, Timeline
from tests.preview.conftest import swaying

SHEET = np.concatenate([np.full((60, 80, 3), level, np.float32) for level in (100, 150, 200)], axis=1)
MANIFEST: dict[str, Any] = {
    "mouth": {
        "frameWidth": 80,
        "frameHeight": 60,
        "visemes": ["REST", "AA", "EE"],
        "anchor": {"x": 216, "y": 370, "w": 80, "h": 60},
        "featherPx": 0,
    }
}


def dressing(film: Timeline, manifest: Any = MANIFEST, **pictures: bytes) -> Dressing:
    return Dressing(manifest, pictures or {"mouth": packed(SHEET)}, film, Curves.of(film))


def laid(made: Dressing, time_ms: float, since_ms: float = 0.0) -> np.ndarray:
    canvas = np.zeros((640, 512, 3), np.uint8)
    made.draw(canvas, time_ms, 1.0, since_ms=since_ms)
    return canvas[..., 0]


@pytest.mark.parametrize("time_ms", [0, 1000, 2950])
def test_the_mouth_lies_where_the_page_puts_it(time_ms: float) -> None:
    film = swaying()
    curves = Curves.of(film)
    still = (256.0, 400.0, 80.0, 60.0, 0.0)
    statics = {"mouth": still, "eyes": (256.0, 280.0, 232.0, 80.0, 0.0)}
    at = curves.at("mouth", time_ms)
    assert at
    cx, cy, w, h, _ = placed(at, references(film, curves, statics)["mouth"], still)  # type: ignore[arg-type]
    y, x = np.nonzero(laid(dressing(film), time_ms))
    assert (x.mean() + 0.5, y.mean() + 0.5) == pytest.approx((cx, cy), abs=0.6)
    assert len(x) == pytest.approx(w * h, rel=0.05)


def test_one_mouth_follows_another() -> None:
    made = dressing(swaying())
    assert [int(laid(made, 0, since).max()) for since in (0, 400, 800, 1200)] == [100, 150, 200, 100]


def test_eyes_blink() -> None:
    lids = {f"eyes_{lid}": packed(np.full((40, 200, 3), level, np.float32)) for lid, level in
            (("open", 50), ("half", 120), ("closed", 220))}  # fmt: skip
    made = dressing(swaying(), {"eyes": {"featherPx": 0}}, **lids)
    assert [int(laid(made, 0, since).max()) for since in (0, 100, 200, 300, 2500)] == [120, 220, 120, 50, 120]


def test_a_sprite_is_in_the_light_of_its_face() -> None:
    film = swaying()
    darker = msgspec.structs.replace(
        film, frames=[msgspec.structs.replace(s, light=Light(r=0.5, g=1, b=1)) for s in film.frames]
    )
    assert laid(dressing(darker), 0).max() == 50
    made_in_it = {"mouth": MANIFEST["mouth"] | {"light": {"r": 0.5, "g": 1, "b": 1}}}
    assert laid(dressing(darker, made_in_it), 0).max() == 100


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        [],
        {"mouth": 7},
        {"mouth": {"visemes": 3}},
        {"mouth": {"frameWidth": 1e9}},
        {"mouth": {"frameHeight": -1}},
        {"mouth": {"anchor": {"x": "1"}, "featherPx": "x", "light": 3, "cover": []}},
    ],
)
def test_a_strange_manifest_costs_at_most_its_sprites(manifest: Any) -> None:
    laid(dressing(swaying(), manifest, mouth=packed(SHEET), mouth_mask=b"no picture"), 0)


def test_no_pictures_no_parts() -> None:
    assert dressing(swaying(), {}, mouth=b"no picture").parts == ()
