"""The manifest is what the page reads; it keeps what is not of the sprites, and knows itself again."""

from __future__ import annotations

import json
from typing import Any

from anchord.sprites import manifest
from tests.test_sprite_set import a_set

FILES = {"base_face.png": b"1", "mouth_sprites.png": b"2"}


def written(before: dict[str, Any] | None = None, files: dict[str, bytes] = FILES) -> dict[str, Any]:
    content = manifest.manifest(
        a_set(), files, before or {}, avatar_id="ada", video="idle.webm", target=(512, 640)
    )
    found: dict[str, Any] = json.loads(content)
    return found


def test_it_names_what_the_page_asks_for() -> None:
    made = written()
    assert made["base"] == {
        "type": "image", "src": "base_face.png", "width": 512, "height": 640, "idleVideo": "idle.webm",
    }  # fmt: skip
    assert made["mouth"]["visemes"] == ["REST", "AA"]
    assert (made["mouth"]["frameWidth"], made["mouth"]["frameHeight"]) == (12, 9)
    assert made["mouth"]["anchor"] == {"x": 1, "y": 2, "w": 10, "h": 8, "roll": 0}
    assert list(made["eyes"]["frames"]) == ["open", "half", "closed"]


def test_what_is_of_other_things_is_kept() -> None:
    before = {"displayName": "Ada Lovelace", "voice": {"name": "x"}, "microMotion": {"enabled": False}}
    made = written({**before, "mouth": {"spritesheet": "mine.png"}})
    assert {key: made[key] for key in before} == before
    assert "mine.png" not in json.dumps(made)


def test_it_knows_itself_again_until_somebody_changes_the_sprites() -> None:
    made = written()
    assert manifest.is_own(made)
    assert manifest.is_own({**made, "displayName": "another name is no sprite"})
    assert not manifest.is_own({**made, "mouth": {}})
    assert not manifest.is_own({key: value for key, value in made.items() if key != "generator"})
    assert not manifest.is_own({"generator": "anchord sprites"})


def test_other_pictures_are_another_version() -> None:
    """Pages keep pictures for a month and ask for them by version."""
    assert written()["version"] == written()["version"]
    assert written()["version"] != written(files={**FILES, "mouth_sprites.png": b"3"})["version"]
