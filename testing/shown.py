"""A video's frames as a player shows them, decoded without anchord: a judge must not share its mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from anchord.demo.film import Pixels


def frames(file: Path, *, most: int = 0) -> Iterator[tuple[float, Pixels]]:
    """
    Presentation times in ms and pictures, upright and with square pixels.

    Args:
        file: the video.
        most: how many frames; 0 for all.
    """
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        aspect = stream.sample_aspect_ratio or 1
        for index, frame in enumerate(container.decode(stream)):
            if frame.pts is None or frame.time_base is None or (most and index >= most):
                continue
            pixels = frame.to_ndarray(format="rgb24")
            if aspect != 1:
                size = (round(pixels.shape[1] * float(aspect)), pixels.shape[0])
                pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
            turns = round((frame.rotation or 0) / 90) % 4
            yield float(frame.pts * frame.time_base) * 1000, np.ascontiguousarray(np.rot90(pixels, turns))
