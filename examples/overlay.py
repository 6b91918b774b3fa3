"""
Draw something of one's own over a video: ``python overlay.py VIDEO OUT.mp4``.

A moustache, here. It is drawn above the mouth's anchor, turned and scaled with it, on every frame and not
only on samples; where no face is in sight it is left out.
"""

import sys
from fractions import Fraction

import av
import cv2
import numpy as np

from anchord import Anchor, anchor_at, extract


def moustache(picture: np.ndarray, mouth: Anchor) -> None:
    """Draw it in place; anchors are in the picture's own pixels."""
    # A third of the mouth's height above its middle, along the face's own upright.
    roll, up = np.radians(mouth.roll), 0.32 * mouth.h
    x, y = mouth.cx + up * np.sin(roll), mouth.cy - up * np.cos(roll)
    size = (0.40 * mouth.w, 0.22 * mouth.h)
    for side in (-1, 1):
        along = side * 0.16 * mouth.w
        middle = (x + along * np.cos(roll), y + along * np.sin(roll))
        cv2.ellipse(picture, (middle, size, mouth.roll + side * 8), (52, 34, 24), -1, cv2.LINE_AA)


def main(video: str, out: str) -> None:
    """Write *out*, an H.264 film."""
    # Anchors in the video's own pixels: the target is as large as it is.
    with av.open(video) as source:
        track = source.streams.video[0]
        width, height = track.codec_context.width, track.codec_context.height
    timeline = extract(video, target_width=width, target_height=height)
    with av.open(video) as source, av.open(out, "w") as film:
        stream = film.add_stream("libx264", rate=Fraction(timeline.source.fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width - width % 2, height - height % 2, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for frame in source.decode(video=0):
            picture = frame.to_ndarray(format="rgb24")
            # The frame's own time: an index over a rate is wrong for uneven frames.
            mouth = anchor_at(timeline, "mouth", 1000 * frame.time)
            if mouth is not None:
                moustache(picture, mouth)
            drawn = av.VideoFrame.from_ndarray(picture, format="rgb24")
            drawn.pts, drawn.time_base = round(frame.time * 90_000), Fraction(1, 90_000)
            film.mux(stream.encode(drawn))
        film.mux(stream.encode())


if __name__ == "__main__":
    main(*sys.argv[1:3])
