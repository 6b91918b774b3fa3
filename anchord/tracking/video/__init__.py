"""A video file into frames, as a player shows them."""

from anchord.tracking.video.facts import VideoFacts
from anchord.tracking.video.player import Frame, Pixels, Video

__all__ = ["Frame", "Pixels", "Video", "VideoFacts"]
