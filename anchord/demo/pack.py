"""The sample pack: a folder as the avatar service serves it."""

from __future__ import annotations

from pathlib import Path

from anchord.demo.film import encode, film

SAMPLE_ID = "sample"


def make_pack(folder: Path) -> Path:
    """Write the sample pack's idle video into *folder*, unless it is there; returns that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    video = folder / "idle.webm"
    if not video.exists():
        # Under another name until it is whole, as every upload should be.
        encode(folder / "idle.part.webm", film()).rename(video)
    return folder
