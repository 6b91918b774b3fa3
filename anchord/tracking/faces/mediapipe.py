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
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces.mesh import Landmarks

T = TypeVar("T")

# Upper left corners of parts half as wide and high, as shares; the likeliest first.
_TILES = tuple((x, y) for y in (0.25, 0.0, 0.5) for x in (0.25, 0.0, 0.5))

# Enough to notice that there are several; each one costs a mesh.
_MAX_FACES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """
    One face in one picture.

    Args:
        landmarks: (478, 2) x and y in pixels of the picture.
        pose: yaw, pitch and roll of the head in degrees; positive turns to the person's own left, up,
            and clockwise on the screen.
        signals: how far mouth, left and right eye are open, 0–1.
    """

    landmarks: Landmarks
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0)
    signals: tuple[float, float, float] = (0.0, 1.0, 1.0)

    @property
    def height_px(self) -> float:
        """From the top of the forehead to the chin, as the mesh sees it."""
        return float(np.ptp(self.landmarks[:, 1]))

    def is_inside(self, width: int, height: int) -> bool:
        """Whether all of it lies in a picture of that size."""
        return bool((self.landmarks >= 0).all() and (self.landmarks < (width, height)).all())


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

        Where none is found, overlapping parts of the picture are looked at: the detector misses faces
        under about 14 % of the height of what it is shown.

        Args:
            pixels: (height, width, 3) uint8, red first, contiguous.
        """
        found = self._find(pixels)
        if found:
            return found
        height, width = pixels.shape[:2]
        for left, top in _TILES:
            x, y = round(left * width), round(top * height)
            tile = np.ascontiguousarray(pixels[y : y + height // 2, x : x + width // 2])
            found = [face for face in self._find(tile) if face.is_inside(width // 2, height // 2)]
            if found:
                return [replace(face, landmarks=face.landmarks + np.array([x, y])) for face in found]
        return []

    def _find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)
        height, width = pixels.shape[:2]
        found = self._local.landmarker.detect(image)
        return [
            Face(
                landmarks=np.array([(point.x * width, point.y * height) for point in points]),
                pose=_pose(np.asarray(matrix)),
                signals=_signals({shape.category_name: shape.score for shape in shapes}),
            )
            for points, matrix, shapes in zip(
                found.face_landmarks,
                found.facial_transformation_matrixes,
                found.face_blendshapes,
                strict=True,
            )
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
            # 3 % dearer than without.
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._local.landmarker = tasks.vision.FaceLandmarker.create_from_options(options)
        self._landmarkers.append(self._local.landmarker)


def import_mediapipe() -> Any:
    """MediaPipe, without the microphone library that it would load for tasks never used here."""
    # It looks for PortAudio by starting ldconfig and a compiler: 0.1 s, and not allowed in the cage.
    sys.modules.setdefault("sounddevice", None)  # type: ignore[arg-type]
    import mediapipe

    # It loads this when it reads its first matrix, and in the cage no file can be opened any more.
    import numpy.ctypeslib  # noqa: F401

    return mediapipe


def _pose(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees from the 4x4 matrix that puts the model's face before the camera."""
    turn = matrix[:3, :3] / np.cbrt(max(float(np.linalg.det(matrix[:3, :3])), 1e-9))
    # OpenGL's axes: x to the right, y up, z towards the camera.
    yaw = np.arctan2(turn[0, 2], turn[2, 2])
    pitch = np.arcsin(np.clip(turn[1, 2], -1, 1))
    roll = -np.arctan2(turn[1, 0], turn[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def _signals(shapes: dict[str, float]) -> tuple[float, float, float]:
    """Mouth, left eye, right eye: 0 is shut and 1 wide open."""
    return shapes["jawOpen"], 1 - shapes["eyeBlinkLeft"], 1 - shapes["eyeBlinkRight"]
