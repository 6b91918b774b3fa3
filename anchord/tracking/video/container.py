"""
What kind of file it is and whether all of it is there, from its own structure alone.

FFmpeg guesses by content and would follow a playlist called ``idle.webm`` to other files; and it
decodes a file cut in the middle without a word. So both are settled before it sees a byte.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import BufferedReader
from typing import Literal

from anchord.errors import VideoError
from anchord.tracking.video import mp4, webm

#: FFmpeg's names of the two demuxers that may ever be used.
Demuxer = Literal["matroska", "mov"]

_EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_BMFF_FIRST_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"))

# No other file and no URL, whatever the video names; for WebM its own checksums too.
_OPTIONS: dict[Demuxer, dict[str, str]] = {
    "mov": {"protocol_whitelist": "", "enable_drefs": "0"},
    "matroska": {"protocol_whitelist": "", "err_detect": "crccheck+explode"},
}

# What other files begin with: at which byte, what stands there, and what such a file is.
_OTHERS = (
    (0, b"\x00\x00\x01\xba", "an MPEG program stream (.mpg, .vob)"),
    (0, b"\x00\x00\x01\xb3", "a bare MPEG video stream (.m1v, .m2v)"),
    (188, b"\x47", "an MPEG transport stream (.ts)"),
    (8, b"AVI ", "an AVI video"),
    (0, b"OggS", "an Ogg file"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
    (0, b"GIF8", "a GIF picture"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """
    A file that holds a whole video.

    Args:
        demuxer: what reads it.
        end: where the video ends, bytes from the file's beginning.
        trailing_bytes: how many lie behind that, and belong to no video.
    """

    demuxer: Demuxer
    end: int
    trailing_bytes: int

    @property
    def options(self) -> dict[str, str]:
        """Of the demuxer."""
        return _OPTIONS[self.demuxer]


def checked_container(stream: BufferedReader, name: str) -> Container:
    """
    The kind of a video file that is whole, and where the video in it ends.

    Args:
        stream: the file, seekable; its position is left anywhere.
        name: what messages call it.

    Raises:
        IncompleteVideoError: the file ends inside an element that should go on.
        VideoError: it is neither WebM/Matroska nor MP4/MOV, or is damaged.
    """
    size = os.fstat(stream.fileno()).st_size
    stream.seek(0)
    head = stream.read(189)
    if not head:
        raise VideoError(f"{name}: is empty")
    demuxer: Demuxer
    if head.startswith(_EBML_MAGIC):
        demuxer, end = "matroska", webm.end_of_segment(stream, size, name)
    elif head[4:8] in _BMFF_FIRST_BOXES:
        demuxer, end = "mov", mp4.end_of_boxes(stream, size, name)
    else:
        raise VideoError(f"{name}: is {_other(head)}")
    return Container(demuxer=demuxer, end=end, trailing_bytes=size - end)


def _other(head: bytes) -> str:
    for at, magic, kind in _OTHERS:
        if head.startswith(magic, at):
            return (
                f"{kind}, neither a WebM nor an MP4 video; convert it, for "
                "example by: ffmpeg -i FILE -an -c:v libx264 -pix_fmt yuv420p idle.mp4"
            )
    return f"neither a WebM nor an MP4 video, whatever its name says (it begins with {head[:8]!r})"
