import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from anchord.demo.film import Pixels
from anchord.demo.lips import VISEMES
from anchord.demo.pack import make_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    # A video that is there is not made again: this is about the sprites.
    (folder / "idle.webm").write_bytes(b"")
    return make_pack(folder)


def picture(file: Path) -> Pixels:
    return np.asarray(cv2.imread(str(file), cv2.IMREAD_COLOR_RGB), np.uint8)


def cells(pack: Path) -> dict[str, Pixels]:
    sheet = picture(pack / "mouth_sprites.png")
    return dict(zip(VISEMES, np.split(sheet, len(VISEMES), axis=1), strict=True))


def test_every_file_the_manifest_names_is_there_in_the_size_it_says(pack: Path) -> None:
    manifest = json.loads((pack / "manifest.json").read_text())
    mouth, eyes = manifest["mouth"], manifest["eyes"]
    cell = (mouth["frameHeight"], mouth["frameWidth"])
    assert picture(pack / mouth["mask"]).shape[:2] == cell
    assert picture(pack / mouth["spritesheet"]).shape[:2] == (cell[0], cell[1] * len(mouth["visemes"]))
    assert picture(pack / manifest["base"]["src"]).shape == (640, 512, 3)
    assert len({picture(pack / file).shape for file in [*eyes["frames"].values(), eyes["mask"]]}) == 1


def test_no_sprite_changes_the_skin_at_its_rim(pack: Path) -> None:
    """What the mask lets through there must be the portrait, or an edge would show."""
    mask = picture(pack / "mouth_mask.png")[..., 0]
    rest = cells(pack)["EE"].astype(int)
    rim = (mask > 0) & (mask < 40)
    for viseme, cell in cells(pack).items():
        assert np.abs(cell[rim].astype(int) - rest[rim]).mean() < 9, viseme
    assert mask[[0, -1]].max() < 60
    assert mask[:, [0, -1]].max() < 60


def test_an_open_mouth_is_darker_inside_and_every_viseme_differs(pack: Path) -> None:
    middle = {viseme: cell[90:150, 120:210].astype(int) for viseme, cell in cells(pack).items()}
    assert (middle["AA"].sum(axis=2) < 150).mean() > 0.05 > (middle["REST"].sum(axis=2) < 150).mean()
    names = list(middle)
    for i, one in enumerate(names):
        for other in names[:i]:
            assert np.abs(middle[one] - middle[other]).mean() > 2, (one, other)


def test_lids_close_step_by_step(pack: Path) -> None:
    """The dark of the pupils goes away under the lids."""
    dark = {
        state: int((picture(pack / f"eyes_{state}.png").sum(axis=2) < 120).sum())
        for state in ("open", "half", "closed")
    }
    assert dark["open"] > dark["half"] > dark["closed"]
