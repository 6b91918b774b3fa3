"""Films that were made are kept on disk, under a name that changes with whatever shapes them."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2

from anchord.demo import film as film_room
from testing import bending, drawing, hands, lids, lips, making, motions, stills, truth, turning, warp
from testing.making import Film, make

_ROOMS = (
    film_room, lips, lids, warp, bending, drawing, hands, making, motions, stills, truth, turning,
)  # fmt: skip


def store() -> Path:
    """Where films are kept: ``ANCHORD_FILMS``, or ``.films`` beside this package."""
    return Path(os.environ.get("ANCHORD_FILMS") or Path(__file__).parents[1] / ".films")


def _digest(film: Film) -> str:
    """Of all that shapes a film: its description, the rooms that render it, the portraits."""
    content = hashlib.sha256(repr(replace(film, asks="", is_quick=False)).encode())
    for path in (*(Path(str(room.__file__)) for room in _ROOMS), film_room.PORTRAIT_FILE):
        content.update(path.read_bytes())
    for path in sorted(stills.PORTRAITS.iterdir()):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


def kept(film: Film) -> Path:
    """The film's pack, made now where the store has none yet."""
    folder = store() / f"{film.name}-{_digest(film)}"
    return folder if folder.exists() else make(film, folder)


def all_kept(films: tuple[Film, ...], processes: int = 0) -> dict[str, Path]:
    """The packs of many films by name; what is missing is made, in a process for each core."""
    packs = {film.name: store() / f"{film.name}-{_digest(film)}" for film in films}
    missing = [film for film in films if not packs[film.name].exists()]
    if missing:
        # Spawned, since a process with threads can't be forked; OpenCV's own would fight with the processes.
        with ProcessPoolExecutor(
            processes or os.cpu_count(),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=cv2.setNumThreads,
            initargs=(1,),
        ) as pool:
            list(pool.map(kept, missing))
    return packs
