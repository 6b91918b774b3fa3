"""A drawn face that the model finds: what is followed, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anchord.manifest import Statics, statics_in
from anchord.settings import ExtractSettings, Limits
from anchord.timeline import Quality
from anchord.tracking.extract import extract
from anchord.tracking.faces.mediapipe import FaceFinder
from testing.films import FILMS
from testing.making import make

BOY = next(film for film in FILMS if film.name == "boy")


@pytest.fixture(scope="module")
def boy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(replace(BOY, seconds=1.0, fps=12.0), tmp_path_factory.mktemp("boy") / "pack")


def judged(pack: Path, finder: FaceFinder, statics: Statics | None, follow: str) -> Quality:
    settings = ExtractSettings(sample_rate=1, follow=follow)  # type: ignore[arg-type]
    with (pack / "idle.webm").open("rb") as stream:
        return extract(stream, "idle.webm", settings, Limits(), finder, statics=statics).quality


def test_its_pixels_are_followed_where_static_anchors_say_which(boy: Path, finder: FaceFinder) -> None:
    statics = statics_in(json.loads((boy / "manifest.json").read_text()))
    made = judged(boy, finder, statics, "auto")
    assert (made.source, made.coverage) == ("pixels", 1.0)
    assert "flat" not in {warning.code for warning in made.warnings}
    assert judged(boy, finder, statics, "landmarks").source == "landmarks"


def test_without_them_it_is_named_and_they_would_make_its_timeline_stale(
    boy: Path, finder: FaceFinder
) -> None:
    made = judged(boy, finder, None, "auto")
    assert made.source == "landmarks"
    advice = {warning.code: warning.message for warning in made.warnings}
    assert "put static anchors into the pack's manifest" in advice["flat"]
    assert made.asks_statics("auto")
    assert not made.asks_statics("landmarks")
