"""
Pixels into faces by MediaPipe. The only room that knows it.

IMAGE mode: it keeps no state, so nothing lags and frames can be spread over threads (VIDEO mode
smooths causally and trails two frames behind).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces.face import MAX_FACES, Face, pose_of


class MediaPipe:
    """
    An engine; see :class:`.face.Engine`.

    Args:
        model: the content of the model's file.
    """

    def __init__(self, model: bytes) -> None:
        self._mediapipe = import_mediapipe()
        tasks = self._mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=model),
            running_mode=tasks.vision.RunningMode.IMAGE,
            num_faces=MAX_FACES,
            # 3 % dearer than without.
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._landmarker = tasks.vision.FaceLandmarker.create_from_options(options)

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """The faces in a picture, in no order."""
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)
        height, width = pixels.shape[:2]
        found = self._landmarker.detect(image)
        return [
            Face(
                landmarks=np.array([(point.x * width, point.y * height) for point in points]),
                pose=pose_of(np.asarray(matrix, np.float64)[:3, :3]),
                signals=_signals({shape.category_name: shape.score for shape in shapes}),
            )
            for points, matrix, shapes in zip(
                found.face_landmarks,
                found.facial_transformation_matrixes,
                found.face_blendshapes,
                strict=True,
            )
        ]

    def close(self) -> None:
        """Let go of the landmarker, which complains at exit about not having been closed."""
        self._landmarker.close()


def import_mediapipe() -> Any:
    """MediaPipe, without the microphone library that it would load for tasks never used here."""
    # It looks for PortAudio by starting ldconfig and a compiler: 0.1 s, and not allowed in the cage.
    sys.modules.setdefault("sounddevice", None)  # type: ignore[arg-type]
    import mediapipe

    # It loads this when it reads its first matrix, and in the cage no file can be opened any more.
    import numpy.ctypeslib  # noqa: F401

    return mediapipe


def _signals(shapes: dict[str, float]) -> tuple[float, float, float]:
    """Mouth, left eye, right eye: 0 is shut and 1 wide open."""
    return shapes["jawOpen"], 1 - shapes["eyeBlinkLeft"], 1 - shapes["eyeBlinkRight"]
