"""Faces in pictures, looked for in threads, by whichever engine there is."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from anchord.errors import SettingsError
from anchord.tracking.faces.face import Engine, Face

T = TypeVar("T")
EngineName = Literal["litert", "mediapipe"]
Asked = Literal["auto"] | EngineName

# Upper left corners of parts half as wide and high, as shares; the likeliest first.
_TILES = tuple((x, y) for y in (0.25, 0.0, 0.5) for x in (0.25, 0.0, 0.5))
_PACKAGES: dict[EngineName, str] = {"mediapipe": "mediapipe", "litert": "ai_edge_litert"}


def engine_of(asked: Asked) -> EngineName:
    """
    The engine that is meant: MediaPipe where its package is installed, else LiteRT.

    Raises:
        SettingsError: its package is not installed.
    """
    for name, package in _PACKAGES.items():
        if asked in ("auto", name) and importlib.util.find_spec(package) is not None:
            return name
    missing = " or ".join(package for name, package in _PACKAGES.items() if asked in ("auto", name))
    raise SettingsError(f"worker.engine = {asked!r}: {missing} is not installed; install it, or set 'auto'")


class FaceFinder:
    """
    Finds faces in threads, each with an engine of its own; the networks release the GIL.

    Engines take 0.1 s to make, so a finder is kept from one video to the next.

    Args:
        model: the content of the model's file, see ``model.checked_model``.
        threads: how many pictures are looked at at once; 0 for one a core.
        engine: what runs the networks.

    Raises:
        SettingsError: there is no such engine here.
    """

    def __init__(self, model: bytes, threads: int = 0, engine: Asked = "auto") -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self.engine = engine_of(engine)
        self._make = _maker(self.engine, model)
        self._local = threading.local()
        self._engines: list[Engine] = []
        self._pool = ThreadPoolExecutor(self.threads, "faces", initializer=self._make_engine)

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run *task*, which may call ``find``, in one of the threads."""
        return self._pool.submit(task)

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """
        The faces in a picture, in no order. Only inside a submitted task.

        Where none is found, overlapping parts of the picture are looked at: the detector misses faces
        under about 14 % of the height of what it is shown.

        Args:
            pixels: (height, width, 3) uint8, red first, contiguous.
        """
        engine: Engine = self._local.engine
        found = engine.find(pixels)
        if found:
            return found
        height, width = pixels.shape[:2]
        for left, top in _TILES:
            x, y = round(left * width), round(top * height)
            tile = np.ascontiguousarray(pixels[y : y + height // 2, x : x + width // 2])
            found = [face for face in engine.find(tile) if face.is_inside(width // 2, height // 2)]
            if found:
                return [replace(face, landmarks=face.landmarks + np.array([x, y])) for face in found]
        return []

    def rehearse(self) -> None:
        """Make an engine, use it once and drop it: what loads a file on first use has then loaded it."""
        self._make_engine()
        engine = self._engines.pop()
        engine.find(np.zeros((64, 64, 3), np.uint8))
        engine.close()
        del self._local.engine

    def close(self) -> None:
        """End the threads; MediaPipe complains at exit about engines that were never closed."""
        self._pool.shutdown()
        for engine in self._engines:
            engine.close()

    def _make_engine(self) -> None:
        self._local.engine = self._make()
        self._engines.append(self._local.engine)


def _maker(engine: EngineName, model: bytes) -> Callable[[], Engine]:
    # Imported in the thread that makes the finder: the worker's cage is not shut yet.
    if engine == "mediapipe":
        from anchord.tracking.faces.mediapipe import MediaPipe, import_mediapipe

        import_mediapipe()
        return lambda: MediaPipe(model)
    from anchord.tracking.faces.litert import LiteRt, bundle

    networks = bundle(model)
    return lambda: LiteRt(networks)
