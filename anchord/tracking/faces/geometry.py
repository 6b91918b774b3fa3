"""
How a head is turned, from its landmarks. Pure.

The landmarks are brought before a camera of 63 degrees, at the depth at which they fit the model's own face
best, and that face is turned onto them by weighted orthogonal Procrustes analysis (Akca 2003).

Source: the description of the face geometry module in MediaPipe's documentation and repository.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Vertical angle of the camera.
_FIELD_DEG = 63.0
# Fields of the messages: the mesh and the weights; the mesh's vertices; a weight's landmark and value.
_MESH, _WEIGHT = 1, 2
_VERTICES = 3
_VERTEX = 5


class Geometry:
    """
    The model's face.

    Args:
        content: the bundle's geometry metadata, a protocol buffer.
    """

    def __init__(self, content: bytes) -> None:
        vertices, weights = b"", {}
        for number, value in _fields(content):
            if number == _MESH:
                vertices = b"".join(part for field, part in _fields(value) if field == _VERTICES)
            elif number == _WEIGHT:
                landmark, weight = (part for _, part in sorted(_fields(value)))
                weights[int.from_bytes(landmark, "little")] = struct.unpack("<f", weight)[0]
        # x, y, z in cm, and where it is in a texture.
        self._face = np.frombuffer(vertices, "<f4").reshape(-1, _VERTEX)[:, :3].astype(np.float64)
        self._weights = np.zeros(len(self._face))
        self._weights[list(weights)] = list(weights.values())

    def turn(self, landmarks: Floats, width: int, height: int) -> Floats:
        """
        (3, 3) turns and scales the model's face to how it is before the camera.

        Args:
            landmarks: (478, 3) x and y in px of the picture, z in the same measure.
            width: of the picture, px.
            height: of it, px.
        """
        high = 2 * np.tan(np.radians(_FIELD_DEG) / 2)
        unit = high / height
        known = landmarks[: len(self._face)] * unit
        # Up is positive, and the middle of the picture is where the camera looks.
        x, y, z = known[:, 0] - width * unit / 2, high / 2 - known[:, 1], known[:, 2]
        near = z - z.mean() + 1

        def before_camera(scale: float) -> Floats:
            depth = near / scale
            return np.column_stack([x * depth, y * depth, -depth])

        scale = _scale(self._onto(np.column_stack([x, y, -z])))
        scale *= _scale(self._onto(before_camera(scale)))
        return self._onto(before_camera(scale))

    def _onto(self, target: Floats) -> Floats:
        """(3, 3) the turn and scale that bring the model's face onto *target* best."""
        weights = self._weights[:, None]
        centred = self._face - (self._face * weights).sum(axis=0) / weights.sum()
        left, _, right = np.linalg.svd((target * weights).T @ centred)
        if np.linalg.det(left) * np.linalg.det(right) < 0:
            left[:, 2] *= -1
        turn = left @ right
        scale = ((centred @ turn.T) * target * weights).sum() / (centred * self._face * weights).sum()
        return np.asarray(scale * turn)


def _scale(turn: Floats) -> float:
    return float(np.linalg.norm(turn[:, 0]))


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and raw values of a protocol buffer's fields. Source: its encoding's documentation."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = content[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(content):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint().to_bytes(8, "little")
            continue
        length = {1: 8, 2: -1, 5: 4}[kind]
        length = varint() if length < 0 else length
        yield number, content[at : at + length]
        at += length
