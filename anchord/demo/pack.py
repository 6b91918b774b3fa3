"""The sample pack: a folder as the avatar service serves it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from anchord.demo.film import Pixels, Pose, encode, film, moved, portrait
from anchord.demo.sprites import write_sprites
from anchord.model import checked_model
from anchord.tracking.faces import FaceFinder
from anchord.tracking.faces.mesh import Landmarks

SAMPLE_ID = "sample"


def make_pack(folder: Path) -> Path:
    """Write what is missing of the sample pack's idle video and sprites into *folder*; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "manifest.json").exists():
        still = moved(portrait(), Pose().matrix())
        write_sprites(folder, still, _landmarks(still), avatar_id=SAMPLE_ID, display_name="Sample")
    video = folder / "idle.webm"
    if not video.exists():
        # Under another name until it is whole, as every upload should be.
        encode(folder / "idle.part.webm", film()).rename(video)
    return folder


def _landmarks(picture: Pixels) -> Landmarks:
    with _without_chatter():
        finder = FaceFinder(checked_model(), threads=1)
        try:
            (face,) = finder.submit(lambda: finder.find(picture)).result()
        finally:
            finder.close()
    return face.landmarks


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """MediaPipe greets on descriptor 2, and nothing but that stops it; errors come as exceptions."""
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123  a descriptor, not a file
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
