"""
Draw the pictures of warnings.md anew: for each warning three frames of a film that has it.

Each film is made here, tracked, and must be warned of as its picture says.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from anchord import timeline
from anchord.demo.film import Matrix, Pixels, Pose, breathing, encode, even_times_ms, film
from anchord.manifest import Statics, statics_in
from anchord.model import checked_model
from anchord.preview.drawing import decoded, jpeg
from anchord.preview.moments import STRIP_FRAMES
from anchord.preview.show import Shown, show
from anchord.settings import ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder
from testing.films import FILMS
from testing.making import Film, make
from testing.stills import EYES_AT, EYES_PX, still

HERE = Path(__file__).parent
FOLDER = HERE / "warnings"
TIMES = even_times_ms(15, 3)
# Which of a strip's eight pictures are shown, where nothing else is said.
SHOWN = (0, 3, 6)

Spoil = Callable[[Pixels], Pixels]


def portrait(
    motion: Callable[[float], Matrix] = breathing, spoil: Spoil | None = None
) -> Callable[[Path], None]:
    """A film of the sample portrait, moved and then spoilt."""

    def write(folder: Path) -> None:
        pictures = (
            (time, spoil(picture) if spoil else picture) for time, picture in film(motion, times_ms=TIMES)
        )
        encode(folder / "idle.webm", pictures)

    return write


def tested(film_: Film) -> Callable[[Path], None]:
    """One of the films that accuracy is measured with."""

    def write(folder: Path) -> None:
        shutil.copy(make(film_, folder / "made") / "idle.webm", folder / "idle.webm")

    return write


def named(name: str) -> Film:
    """A film of ``testing.films``."""
    return next(film_ for film_ in FILMS if film_.name == name)


def first(words: str) -> Film:
    """The first film of which something is said."""
    return next(film_ for film_ in FILMS if words in film_.name)


def noisy(picture: Pixels) -> Pixels:
    """As in a dark room."""
    noise = np.random.default_rng(int(picture.sum()) % 1000).normal(0, 25, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def far_away(picture: Pixels) -> Pixels:
    """The same face in a room four times as wide."""
    room = np.full_like(picture, 150)
    small = cv2.resize(picture, None, fx=0.28, fy=0.28, interpolation=cv2.INTER_AREA)
    top, left = (room.shape[0] - small.shape[0]) // 2, (room.shape[1] - small.shape[1]) // 2
    room[top : top + small.shape[0], left : left + small.shape[1]] = small
    return room


def two(folder: Path) -> None:
    """Two people beside each other, who sway a little."""
    people = [cv2.resize(still(name).pixels, (320, 400)) for name in ("admiral", "lisa")]
    wide = np.concatenate(people, axis=1)
    pictures = ((time, np.roll(wide, round(3 * np.sin(time / 500)), axis=1)) for time in TIMES)
    encode(folder / "idle.webm", pictures)


def in_sunglasses(folder: Path) -> None:
    """A person who keeps them on."""
    picture = still("admiral").pixels.astype(np.uint8)
    for side in (-0.335, 0.335):
        at = (round(EYES_AT[0] + side * EYES_PX), round(EYES_AT[1] + 0.03 * EYES_PX))
        axes = (round(0.27 * EYES_PX), round(0.21 * EYES_PX))
        cv2.ellipse(picture, at, axes, 0, 0, 360, (22, 20, 20), -1, cv2.LINE_AA)
    encode(
        folder / "idle.webm",
        ((time, np.roll(picture, round(4 * np.sin(time / 500)), axis=1)) for time in TIMES),
    )


def nobody(folder: Path) -> None:
    """A wall on which light wanders."""
    y, x = np.mgrid[:640, :512]
    pictures = (
        (time, np.dstack([90 + 60 * np.sin(x / 170 + y / 300 + time / 900)] * 3).astype(np.uint8))
        for time in TIMES
    )
    encode(folder / "idle.webm", pictures)


def jumping(t_s: float) -> Matrix:
    """A sway that is cut a little before it comes round."""
    return breathing(t_s, period_s=3.14)


def other_base(folder: Path) -> None:
    """A drawn boy whose base face is somebody else."""
    shutil.copytree(make(named("boy"), folder / "made"), folder, dirs_exist_ok=True)
    cv2.imwrite(str(folder / "base_face.png"), np.full((640, 512, 3), 128, np.uint8))


MADE: dict[str, Callable[[Path], None]] = {
    "no_face": nobody,
    "face_missing": tested(named("gap")),
    "upside_down": portrait(spoil=lambda picture: np.ascontiguousarray(picture[::-1, ::-1])),
    "tilted": portrait(spoil=lambda picture: np.ascontiguousarray(np.rot90(picture))),
    "face_covered": tested(first("hand_")),
    "eyes_covered": in_sunglasses,
    "face_cut": portrait(lambda t_s: Pose(x=80 + 30 * np.sin(2 * t_s), y=300).matrix()),
    "several_faces": two,
    "large_turns": tested(first("turn")),
    "mouth_moves": tested(named("yawn")),
    "almost_loop": portrait(jumping),
    "other_base": other_base,
    "flat": tested(named("boy")),
    "face_small": portrait(spoil=far_away),
    "blurred": portrait(spoil=lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)),
    "dark": portrait(spoil=lambda picture: (picture * 0.2).astype(np.uint8)),
    "noisy": portrait(spoil=noisy),
}
#: Where three others of the eight pictures show it better.
CHOSEN = {"face_missing": (1, 3, 5), "almost_loop": (0, 4, 7), "face_covered": (0, 3, 4)}


def pictured(code: str, finder: FaceFinder) -> Iterator[Pixels]:
    """Frames of the film that is made for a warning, with what was found in them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        MADE[code](folder)
        base = folder / "base_face.png"
        with (folder / "idle.webm").open("rb") as stream:
            made = extract(
                stream,
                "idle.webm",
                ExtractSettings(follow="pixels" if code == "other_base" else "auto"),
                Limits(),
                finder,
                statics=_statics(folder),
                base=base.read_bytes() if base.exists() else None,
            )
        codes = [warning.code for warning in made.quality.warnings]
        if code not in codes:
            raise SystemExit(f"the film of {code} has {codes}")
        (folder / "timeline").write_bytes(timeline.encode(made))
        with (folder / "idle.webm").open("rb") as video, (folder / "timeline").open("rb") as told:
            what = Shown(streams={"video": video, "timeline": told}, name=code, limits=Limits(), threads=2)
            strip = decoded(show(what, ["strip"], at_most=1 << 20)["strip"])
        assert strip is not None
        wide = strip.shape[1] // STRIP_FRAMES
        for i in CHOSEN.get(code, SHOWN):
            yield strip[:, i * wide : (i + 1) * wide, :3]


def _statics(folder: Path) -> Statics | None:
    file = folder / "manifest.json"
    return statics_in(json.loads(file.read_text())) if file.exists() else None


def main() -> None:
    """``python docs/warning_pictures.py [CODE...]``: all of them, or those that are named."""
    FOLDER.mkdir(exist_ok=True)
    finder = FaceFinder(checked_model())
    for code in sys.argv[1:] or MADE:
        (FOLDER / f"{code}.jpg").write_bytes(jpeg(np.concatenate([*pictured(code, finder)], axis=1), 78))
    finder.close()


if __name__ == "__main__":
    main()
