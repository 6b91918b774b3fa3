"""anchord anchors: a person's boxes into the manifest, all else there kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anchord.commands.anchors import put
from anchord.errors import SettingsError


def test_boxes_are_written_and_the_rest_of_the_manifest_stays(tmp_path: Path) -> None:
    pack = tmp_path / "cat"
    pack.mkdir()
    (pack / "manifest.json").write_text(json.dumps({"id": "cat", "mouth": {"featherPx": 8}, "mapping": {}}))

    said = put(tmp_path, "cat", {"mouth": "256,460,160,120", "eyes": "256,280,232,80"})

    assert said == ["pack cat: mouth 256,460,160,120", "pack cat: eyes 256,280,232,80"]
    assert json.loads((pack / "manifest.json").read_text()) == {
        "id": "cat",
        "mouth": {"featherPx": 8, "anchor": {"x": 176, "y": 400, "w": 160, "h": 120}},
        "mapping": {},
        "eyes": {"anchor": {"x": 140, "y": 240, "w": 232, "h": 80}},
    }


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "1,2,0,4", "nan,2,3,4"])
def test_a_box_that_is_none_is_refused_and_nothing_written(tmp_path: Path, box: str) -> None:
    (tmp_path / "cat").mkdir()
    with pytest.raises(SettingsError):
        put(tmp_path, "cat", {"mouth": box, "eyes": None})
    assert not (tmp_path / "cat" / "manifest.json").exists()
