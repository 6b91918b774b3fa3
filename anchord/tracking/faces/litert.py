"""
Pixels into faces by the model's own networks, run by LiteRT. The only room that knows it.

What MediaPipe's graph does around the networks is done here in NumPy: the detector sees the whole picture in
128 x 128 px, each face that it finds is cut out upright in 256 x 256 px, and the landmarks that the mesh's
network sees there are put back. The results are MediaPipe's within some hundredths of a pixel. A third of
MediaPipe's cost goes into carrying packets between its calculators, and is saved.

Source: the graphs of MediaPipe's face landmarker (its repository, tasks/cc/vision/face_landmarker and
face_detector), and the model cards of BlazeFace (short range), Face Mesh V2 and Blendshape V2.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]
from numpy.typing import NDArray

from anchord.tracking.faces.crops import cropped
from anchord.tracking.faces.face import MAX_FACES, Face, pose_of
from anchord.tracking.faces.geometry import Geometry

Floats = NDArray[np.float64]

_SEEN_PX, _FACE_PX = 128, 256
# A face, and a mesh on it, from this probability on; boxes that overlap by more are one face.
_CONFIDENCE = 0.5
_OVERLAP = 0.3
# What is cut out, over the detector's box.
_AROUND = 1.5
# The detector's boxes are told from the middles of two grids, of so many cells, so many times each.
_CELLS = np.array(
    [
        ((x + 0.5) / side, (y + 0.5) / side)
        for side, times in ((16, 2), (8, 6))
        for y in range(side)
        for x in range(side)
        for _ in range(times)
    ]
)
# Landmarks from which expressions are told, and three of the 52: jawOpen, eyeBlinkLeft, eyeBlinkRight.
_EXPRESSIVE = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70,
    78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149,
    150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195,
    197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300,
    308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375,
    377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454,
    466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip
_JAW_OPEN, _BLINK_LEFT, _BLINK_RIGHT = 25, 9, 10


class Bundle(NamedTuple):
    """What is in the model's file."""

    detector: bytes
    mesh: bytes
    blendshapes: bytes
    geometry: Geometry


def bundle(model: bytes) -> Bundle:
    """The networks in the model's file, whose content was checked."""
    with zipfile.ZipFile(io.BytesIO(model)) as file:
        return Bundle(
            detector=file.read("face_detector.tflite"),
            mesh=file.read("face_landmarks_detector.tflite"),
            blendshapes=file.read("face_blendshapes.tflite"),
            geometry=Geometry(file.read("geometry_pipeline_metadata_landmarks.binarypb")),
        )


class _Place(NamedTuple):
    """Where a face is cut out: its middle, sides and turn, px and radians."""

    middle: Floats
    size: Floats
    turn: Floats


class LiteRt:
    """
    An engine; see :class:`.face.Engine`.

    Args:
        networks: see ``bundle``.
    """

    def __init__(self, networks: Bundle) -> None:
        self._detector = _Network(networks.detector)
        self._mesh = _Network(networks.mesh)
        self._blendshapes = _Network(networks.blendshapes)
        self._geometry = networks.geometry

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """The faces in a picture, in no order."""
        faces = (self._face(pixels, place) for place in self._places(pixels)[:MAX_FACES])
        return [face for face in faces if face is not None]

    def close(self) -> None:
        """Nothing is held but memory."""

    def _places(self, pixels: NDArray[np.uint8]) -> list[_Place]:
        height, width = pixels.shape[:2]
        side = max(height, width)
        corner = np.array([width - side, height - side]) / 2
        way = np.column_stack([np.eye(2) * side / _SEEN_PX, corner])
        seen = cropped(pixels, way, _SEEN_PX, is_zero_outside=True)
        told, scores = self._detector(seen.astype(np.float32) / np.float32(127.5) - np.float32(1))
        score = _probability(scores.ravel())
        found = np.flatnonzero(score >= _CONFIDENCE)
        # A box's middle and size, then six points, of which the first two are the eyes.
        points = told.reshape(-1, 8, 2)[found].astype(np.float64) / _SEEN_PX
        points[:, 0] += _CELLS[found]
        points[:, 2:] += _CELLS[found][:, None]
        places = []
        for face in _joined(points, score[found]):
            right_eye, left_eye = face[2:4] * side
            x, y = left_eye - right_eye
            angle = np.arctan2(y, x)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            places.append(_Place(face[0] * side + corner, face[1] * side * _AROUND, turn))
        return places

    def _face(self, pixels: NDArray[np.uint8], place: _Place) -> Face | None:
        way = place.turn * (place.size / _FACE_PX)
        way = np.column_stack([way, place.middle - way.sum(axis=1) * _FACE_PX / 2])
        close = cropped(pixels, way, _FACE_PX, is_zero_outside=False)
        told, presence, _ = self._mesh(close.astype(np.float32) / np.float32(255))
        if _probability(presence.ravel())[0] < _CONFIDENCE:
            return None
        mesh = told.reshape(-1, 3).astype(np.float64) / _FACE_PX
        landmarks = (mesh[:, :2] - 0.5) @ place.turn.T * place.size + place.middle
        (shapes,) = self._blendshapes(landmarks[list(_EXPRESSIVE)].astype(np.float32))
        height, width = pixels.shape[:2]
        deep = np.column_stack([landmarks, mesh[:, 2] * place.size[0]])
        mouth, left, right = shapes.ravel()[[_JAW_OPEN, _BLINK_LEFT, _BLINK_RIGHT]].tolist()
        return Face(
            landmarks=landmarks,
            pose=pose_of(self._geometry.turn(deep, width, height)),
            signals=(mouth, 1 - left, 1 - right),
        )


class _Network:
    """One network, on one thread: frames are spread over threads, not layers."""

    def __init__(self, content: bytes) -> None:
        self._interpreter: Any = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        (self._input,) = (told["index"] for told in self._interpreter.get_input_details())
        self._outputs = [told["index"] for told in self._interpreter.get_output_details()]

    def __call__(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self._interpreter.set_tensor(self._input, values[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def _probability(logits: NDArray[np.float32]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100))))


def _joined(points: Floats, scores: Floats) -> list[Floats]:
    """Boxes of one face joined by their scores' weight, best first (weighted non-maximum suppression)."""
    low, high = points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2
    areas = np.prod(points[:, 1], axis=1)
    left = np.argsort(-scores, kind="stable")
    joined = []
    while len(left):
        best = left[0]
        both = np.minimum(high[left], high[best]) - np.maximum(low[left], low[best])
        shared = np.prod(np.clip(both, 0, None), axis=1)
        is_same = shared / (areas[left] + areas[best] - shared) > _OVERLAP
        # A box of no size overlaps with nothing, and not with itself either.
        is_same[0] = True
        same = left[is_same]
        joined.append(np.average(points[same], axis=0, weights=scores[same]))
        left = left[~is_same]
    return joined
