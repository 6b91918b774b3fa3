"""
Evil files, by kind: each kind becomes every file of a pack in turn.

What is to become of a pack is said by rule in :func:`ending`, so that a new kind is one function and, where
it differs from its like, one row.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.films import small_film

Ending = Literal["written", "parked", "retrying", "no video"]

#: What feeds a timeline or is one. The stand-in is taken where there is no idle.webm and no name.
VIDEO, MANIFEST, SETTINGS, OUTPUT = "idle.webm", "manifest.json", "anchord.toml", "anchors_timeline.json"
STAND_IN = "idle.mp4"

TIB = 1 << 40


def good(name: str) -> bytes:
    """What may well be in a file of this name."""
    match name:
        case "manifest.json":
            return b'{"name": "Ada", "base": {"src": "base.png", "idleVideo": "idle.webm"}}'
        case "anchord.toml":
            return b"sample_rate = 3\n"
        case "anchors_timeline.json":
            return b"{}"
        case "idle.mp4":
            return small_film("breath.mp4").read_bytes()
        case _:
            return small_film().read_bytes()


# -- what a name may lead to ---------------------------------------------------------------------------


def fifo(file: Path) -> None:
    os.mkfifo(file)


def unix_socket(file: Path) -> None:
    # Bound by a relative name: a socket's path has 108 bytes at most.
    folder = os.open(file.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"/proc/self/fd/{folder}/{file.name}")
    os.close(folder)


def device(file: Path) -> None:
    """The numbers of /dev/zero, which has no end."""
    os.mknod(file, stat.S_IFCHR | 0o666, os.makedev(1, 5))


def watchdog(file: Path) -> None:
    """The numbers of /dev/watchdog: opening it arms it, and who closes it is rebooted."""
    os.mknod(file, stat.S_IFCHR | 0o666, os.makedev(10, 130))


def folder(file: Path) -> None:
    file.mkdir()
    (file / file.name).write_bytes(good(file.name))


def link_inside(file: Path) -> None:
    (file.parent / ".store").mkdir()
    (file.parent / ".store" / "content").write_bytes(good(file.name))
    file.symlink_to(".store/content")


def link_out(file: Path) -> None:
    """To a file that would do, in somebody else's folder."""
    outside = file.parent.parent.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / file.name).write_bytes(good(file.name))
    file.symlink_to(outside / file.name)


def link_to_itself(file: Path) -> None:
    file.symlink_to(file.name)


def link_to_nothing(file: Path) -> None:
    file.symlink_to("nothing")


def link_to_a_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


def link_to_memory(file: Path) -> None:
    """Of whoever follows it."""
    file.symlink_to("/proc/self/mem")


def closed(file: Path) -> None:
    file.write_bytes(good(file.name))
    file.chmod(0)


def hard_link(file: Path) -> None:
    outside = file.parent.parent.parent / "outside"
    outside.mkdir(exist_ok=True)
    there = outside / f"{file.parent.name}-{file.name}"
    there.write_bytes(good(file.name))
    file.hardlink_to(there)


def empty(file: Path) -> None:
    file.touch()


def sparse(file: Path) -> None:
    """A TiB of nothing."""
    with file.open("wb") as stream:
        stream.write(good(file.name))
        stream.truncate(TIB)


def huge(file: Path) -> None:
    """Larger than such a file ever is, and else as it should be."""
    content = good(file.name)
    with file.open("wb") as stream:
        stream.write(content + b" " * ((2 << 20) - len(content)))


def zeros(file: Path) -> None:
    file.write_bytes(bytes(4096))


PLACES: tuple[Callable[[Path], None], ...] = (
    fifo,
    unix_socket,
    device,
    watchdog,
    folder,
    link_inside,
    link_out,
    link_to_itself,
    link_to_nothing,
    link_to_a_device,
    link_to_memory,
    closed,
    hard_link,
    empty,
    sparse,
    huge,
    zeros,
)

# -- what may stand in a small file --------------------------------------------------------------------

#: Kind -> the content, by the file that holds it.
CONTENTS: dict[str, dict[str, bytes]] = {
    "nested": {
        MANIFEST: b'{"base":' * 50_000,
        SETTINGS: b"include = " + b"[" * 30_000,
        OUTPUT: b'{"frames":' + b"[" * 500_000,
    },
    "nested and closed": {
        MANIFEST: b'{"base":' + b"[" * 5000 + b"]" * 5000 + b"}",
        SETTINGS: b"include = " + b"[" * 5000 + b"]" * 5000,
        OUTPUT: b'{"frames":' + b"[" * 5000 + b"]" * 5000 + b"}\n",
    },
    "nested by names": {SETTINGS: b".".join([b"a"] * 10_000) + b" = 1"},
    "no UTF-8": {
        MANIFEST: b'{"idleVideo": "\xff\xfe.webm"}',
        SETTINGS: b'video = "\xff\xfe.webm"',
        OUTPUT: b'{"version": "\xff"}',
    },
    "a lone surrogate": {MANIFEST: b'{"idleVideo": "\\ud800.webm"}', SETTINGS: b'video = "\\ud800.webm"'},
    "a long number": {
        MANIFEST: b'{"idleVideo": "idle.webm", "n": ' + b"9" * 10_000 + b"}",
        SETTINGS: b"sample_rate = " + b"9" * 10_000,
        OUTPUT: b'{"version": ' + b"9" * 10_000 + b', "frames": []}\n',
    },
    "a large number": {SETTINGS: b"sample_rate = 9223372036854775808", OUTPUT: b'{"version": 1e999}'},
    "a number beyond floats": {
        MANIFEST: b'{"idleVideo": "idle.webm", "n": 1e999}',
        SETTINGS: b"max_gap_ms = 1e999",
    },
    "not a number": {MANIFEST: b'{"idleVideo": NaN}', SETTINGS: b"mouth_padding = nan"},
    "infinite": {MANIFEST: b'{"idleVideo": Infinity}', SETTINGS: b"smoothing = inf"},
    "a long name": {
        MANIFEST: b'{"idleVideo": "' + b"a" * 300 + b'.webm"}',
        SETTINGS: b'video = "' + b"a" * 300 + b'.webm"',
    },
    "a name of 255 letters of two bytes": {
        MANIFEST: '{{"idleVideo": "{}"}}'.format("ä" * 255).encode(),
        SETTINGS: 'video = "{}"'.format("ä" * 255).encode(),
    },
    "a way out": {MANIFEST: b'{"idleVideo": "../outside/idle.webm"}', SETTINGS: b'video = "/etc/passwd"'},
    "an output elsewhere": {SETTINGS: b'output = "../outside/anchors.json"'},
    "an output over the video": {SETTINGS: b'output = "idle.webm"'},
    "a name with a null": {MANIFEST: b'{"idleVideo": "idle\\u0000.webm"}', SETTINGS: b'video = "a\\u0000b"'},
    "a name that moves the cursor": {
        MANIFEST: b'{"idleVideo": "\\u001b[2J\\u202e\\u2028.webm"}',
        SETTINGS: b'video = "\\u001B[2J\\u202E\\u2028.webm"',
    },
    "another type": {MANIFEST: b'{"base": [1, 2]}', SETTINGS: b"include = 7", OUTPUT: b"[]"},
    "half": {MANIFEST: b'{"base": {', SETTINGS: b"include = [", OUTPUT: b'{"version": 1, "frames": ['},
    "the same key twice": {SETTINGS: b"sample_rate = 1\nsample_rate = 2"},
    "many keys": {SETTINGS: b"".join(b"a%d = 1\n" % number for number in range(5000))},
    "a word without end": {MANIFEST: b"a" * 1_000_000, SETTINGS: b"a" * 60_000},
    "a bomb of quotes": {MANIFEST: b'"' * 500_000, SETTINGS: b'"""' + b'\\"' * 30_000},
}


def ending(name: str, kind: str) -> Ending:
    """What is to become of a pack whose file *name* is of this *kind*: the rules, exceptions first."""
    is_video = name in (VIDEO, STAND_IN)
    match kind:
        case "hard_link" | "link_inside" if name != OUTPUT:
            return "written"
        case "closed":
            return "retrying"  # a person may change the mode, and then it is another file
        case "link_to_nothing":
            # Settings that are not there are none.
            return "no video" if is_video else "parked" if name == OUTPUT else "written"
        case "empty" if name == SETTINGS:
            return "written"
        case "a number beyond floats" if name == MANIFEST:
            return "written"  # nothing of ours
        case "huge" if is_video:
            return "written"  # blanks behind a whole film, which a player passes over
        case "a name that moves the cursor":
            return "no video"
        case "a name of 255 letters of two bytes":
            return "no video"
    if name == OUTPUT:
        is_regular = kind in ("hard_link", "empty", "sparse", "huge", "zeros") or kind in CONTENTS
        return "written" if is_regular else "parked"  # whatever was in it is replaced
    return "parked"
