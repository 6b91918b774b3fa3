"""The sample pack: a folder as the avatar service serves it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from anchord import sprite_set
from anchord.demo.film import encode, film
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.model import checked_model
from anchord.settings import ExtractSettings, Limits
from anchord.sprite_set import VISEMES, SpriteSet
from anchord.sprites import manifest
from anchord.sprites.make import Source, make
from anchord.tracking.faces import FaceFinder

SAMPLE_ID = "sample"


def make_pack(folder: Path) -> Path:
    """Write what is missing of the sample pack's idle video and sprites into *folder*; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    video = folder / "idle.webm"
    if not video.exists():
        # Under another name until it is whole, as every upload should be.
        encode(folder / "idle.part.webm", film()).rename(video)
    if not (folder / MANIFEST_NAME).exists():
        settings = ExtractSettings()
        target = (settings.target_width, settings.target_height)
        made = _made(video, settings)
        files = sprite_set.checked(made, target, VISEMES)
        files[MANIFEST_NAME] = manifest.manifest(
            made,
            files,
            {"displayName": "Sample"},
            avatar_id=SAMPLE_ID,
            video=video.name,
            target=target,
            has_pupils=True,
        )
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return folder


def _made(video: Path, settings: ExtractSettings) -> SpriteSet:
    with _without_chatter(), video.open("rb") as stream:
        finder = FaceFinder(checked_model())
        try:
            source = Source(stream=stream, name=video.name, limits=Limits(), finder=finder)
            return make(source, None, settings, visemes=VISEMES, with_preview=False)
        finally:
            finder.close()


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
