"""
Pixels into faces. The only room that knows MediaPipe.

IMAGE mode: it keeps no state, so nothing lags and frames can be spread over threads (VIDEO mode
smooths causally and trails two frames behind).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

#: (478, 2) float64: x, y in pixels of the picture. Indices are those of MediaPipe's face mesh.
Landmarks = NDArray[np.float64]

T = TypeVar("T")

# Enough to notice that there are several; each one costs a mesh.
_MAX_FACES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face in one picture."""

    landmarks: Landmarks

    @property
    def height_px(self) -> float:
        """From the top of the forehead to the chin, as the mesh sees it."""
        return float(np.ptp(self.landmarks[:, 1]))


class FaceFinder:
    """
    Finds faces in threads, each with a landmarker of its own; ``detect`` releases the GIL.

    Landmarkers take 0.1 s to make, so a finder is kept from one video to the next.

    Args:
        model: the content of the model's file, see ``model.checked_model``.
        threads: how many pictures are looked at at once; 0 for one a core.
    """

    def __init__(self, model: bytes, threads: int = 0) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self._model = model
        self._mediapipe = import_mediapipe()
        self._local = threading.local()
        self._landmarkers: list[Any] = []
        self._pool = ThreadPoolExecutor(self.threads, "faces", initializer=self._make_landmarker)

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Run *task*, which may call ``find``, in one of the threads."""
        return self._pool.submit(task)

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """
        The faces in a picture, in no order. Only inside a submitted task.

        Args:
            pixels: (height, width, 3) uint8, red first, contiguous.
        """
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)
        height, width = pixels.shape[:2]
        found = self._local.landmarker.detect(image)
        return [
            Face(landmarks=np.array([(point.x * width, point.y * height) for point in points]))
            for points in found.face_landmarks
        ]

    def rehearse(self) -> None:
        """Make a landmarker and drop it: what loads a file on first use has then loaded it."""
        self._make_landmarker()
        self._landmarkers.pop().close()
        del self._local.landmarker

    def close(self) -> None:
        """End the threads; MediaPipe complains at exit about landmarkers that were never closed."""
        self._pool.shutdown()
        for landmarker in self._landmarkers:
            landmarker.close()

    def _make_landmarker(self) -> None:
        tasks = self._mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=self._model),
            running_mode=tasks.vision.RunningMode.IMAGE,
            num_faces=_MAX_FACES,
        )
        self._local.landmarker = tasks.vision.FaceLandmarker.create_from_options(options)
        self._landmarkers.append(self._local.landmarker)


def import_mediapipe() -> Any:
    """MediaPipe, without the microphone library that it would load for tasks never used here."""
    # It looks for PortAudio by starting ldconfig and a compiler: 0.1 s, and not allowed in the cage.
    sys.modules.setdefault("sounddevice", None)  # type: ignore[arg-type]
    import mediapipe

    return mediapipe
