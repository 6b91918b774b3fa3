"""Pieces of a video that were never written, as an unfinished upload leaves them."""

from __future__ import annotations

# Compressed pictures are as good as noise: so many zeros in a row mean that nothing was written there.
# An unfinished upload leaves pages of 4,096; some encoders pad a picture with a few at its end.
_HOLE = bytes(512)
_HOLE_IN_FRONT = bytes(16)

# Codecs that write zeros on purpose: so that all pictures are of one length, or for black.
_SPARSE = frozenset(("dnxhd", "rawvideo", "qtrle", "huffyuv", "ffvhuff", "utvideo", "v210", "prores"))
# Codecs that may stuff zeros in front of the next picture, to keep a bit rate.
_STUFFED = frozenset(("mpeg1video", "mpeg2video", "mpeg4", "h263", "mjpeg"))


def has_hole(packet: bytes, codec: str) -> bool:
    """Whether part of a compressed picture was never written; decoders skip or conceal it in silence."""
    if not packet:
        return True
    if codec in _SPARSE:
        return not packet.strip(b"\0")
    if codec in _STUFFED:
        packet = packet.rstrip(b"\0")
    return packet.startswith(_HOLE_IN_FRONT) or _HOLE in packet or not packet
