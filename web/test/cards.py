"""``python cards.py FILE COUNT``: the page of ``anchord preview --html`` with so many packs, made by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np

from anchord.preview.drawing import jpeg
from anchord.preview.moments import STRIP_FRAMES
from anchord.preview.page import Card, Table, badness, joined, page
from anchord.timeline import Timeline, VideoWarning
from tests.preview.conftest import swaying


def strip(i: int) -> bytes:
    """Eight noisy pictures, each with another shade: as large as real ones are."""
    noise = np.random.default_rng(i).normal(0, 12, (160, 128 * STRIP_FRAMES, 3))
    shade = np.linspace(40 + i % 100, 220, 128 * STRIP_FRAMES)[None, :, None]
    return jpeg(np.clip(shade + noise, 0, 255).astype(np.uint8), 60)


def timeline(i: int) -> Timeline:
    """The larger *i*, the better, but for every seventh, which has a gap and a warning."""
    film = swaying()
    is_bad = i % 7 == 0
    warning = VideoWarning(code="face_missing", message=f"no face in {i + 1} samples: keep it in the frame")
    quality = msgspec.structs.replace(
        film.quality,
        coverage=0.5 + (i % 50) / 100 if is_bad else 1.0,
        jitter_px=(i * 37 % 100) / 100,
        gaps=[(1000.0, 1500.0)] if is_bad else [],
        warnings=[warning] if is_bad else [],
    )
    loop = msgspec.structs.replace(film.loop, seam_px=None if i % 3 else float(i % 11))
    return msgspec.structs.replace(film, quality=quality, loop=loop)


def main() -> None:
    """Write it."""
    file, count = Path(sys.argv[1]), int(sys.argv[2])
    cards = [Card(f"pack {i:04}", timeline(i), strip(i)) for i in range(count - 1)]
    cards.append(Card("no video", None, fault="there is no idle.webm; there is clip.webm: name it"))
    table = Table("Warnings", ["code", "packs"], [["face_missing", str(count // 7)]])
    file.write_bytes(joined(page("Packs", f"{count} packs", sorted(cards, key=badness), [table])))


if __name__ == "__main__":
    main()
