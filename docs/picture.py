"""Draw README's picture anew: three frames of the sample clip with their anchors."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from anchord.demo.pack import SAMPLE_ID, make_pack
from anchord.settings import Limits
from anchord.tracking.video import Video

HERE = Path(__file__).parent
FRAMES = (0, 39, 78)
COLOURS = {"mouth": (60, 220, 90), "eyes": (70, 220, 240)}


def main() -> None:
    """Extract the sample pack and write ``anchors.jpg`` beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        pack = make_pack(Path(folder) / SAMPLE_ID)
        subprocess.run([sys.executable, "-m", "anchord", "run", "--once", "--root", folder], check=True)
        timeline = json.loads((pack / "anchors_timeline.json").read_bytes())
        samples = {sample["frame"]: sample for sample in timeline["frames"]}
        with (
            (pack / "idle.webm").open("rb") as stream,
            Video(stream=stream, name="idle.webm", limits=Limits()) as video,
        ):
            pictures = [frame.rgb() for frame in video.frames() if frame.index in FRAMES]
    for picture, index in zip(pictures, FRAMES, strict=True):
        for part, colour in COLOURS.items():
            _draw(picture, samples[index][part], colour)
    strip = cv2.resize(np.concatenate(pictures, axis=1), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(HERE / "anchors.jpg"), strip[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def _draw(picture: np.ndarray, anchor: dict[str, float], colour: tuple[int, int, int]) -> None:
    turned = ((anchor["cx"], anchor["cy"]), (anchor["w"], anchor["h"]), anchor["roll"])
    corners = np.round(cv2.boxPoints(turned) * 16).astype(np.int32)
    cv2.polylines(picture, [corners], True, colour, 2, cv2.LINE_AA, shift=4)
    centre = (round(anchor["cx"] * 16), round(anchor["cy"] * 16))
    cv2.circle(picture, centre, 5 * 16, colour, 2, cv2.LINE_AA, shift=4)


if __name__ == "__main__":
    main()
