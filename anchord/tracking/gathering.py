"""What is kept of each sample's face until the clip is over: in two pieces of memory, not an object each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.motion.similarity import points
from anchord.tracking.sampling import Sampled

_NO_LANDMARKS = np.zeros((0, 2))


@dataclass(slots=True)
class Gathered:
    """
    Takes samples and keeps their landmarks and textures; the samples themselves let go of these.

    Args:
        with_faces: samples keep their landmarks too.
    """

    with_faces: bool = False
    frames: list[Sampled] = field(default_factory=list, init=False)
    # Grown in place: a list of arrays would be there twice while it is put together.
    _landmarks: bytearray = field(default_factory=bytearray, init=False)
    _textures: bytearray = field(default_factory=bytearray, init=False)
    _texture_points: int = field(default=0, init=False)

    def take(self, samples: Iterable[Sampled]) -> None:
        """Take all of them, in their order."""
        for sample in samples:
            self.frames.append(self._let_go(sample))

    @property
    def clip(self) -> NDArray[np.complex64]:
        """
        (k, 478) landmarks of the samples with a face, px: to 1/16,000 px in a picture 1,000 px wide, while
        landmarks err by tenths.
        """
        return np.frombuffer(self._landmarks, np.complex64).reshape(-1, 478)

    @property
    def textures(self) -> NDArray[np.float32]:
        """(k, points, 2) of the samples with a face."""
        return np.frombuffer(self._textures, np.float32).reshape(-1, self._texture_points, 2)

    def _let_go(self, sample: Sampled) -> Sampled:
        if sample.face is None:
            return sample
        self._landmarks += points(sample.face.landmarks).astype(np.complex64).tobytes()
        if sample.texture is not None:
            self._texture_points = len(sample.texture)
            self._textures += sample.texture.astype(np.float32).tobytes()
        if self.with_faces:
            return sample
        return replace(sample, face=replace(sample.face, landmarks=_NO_LANDMARKS), texture=None)
