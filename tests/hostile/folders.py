"""Evil folders: packs that are closed, endless, elsewhere, or have names that nobody expects."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.hostile.files import OUTPUT, VIDEO, Ending, good

#: Somebody who is neither root nor the daemon's user.
STRANGER = 65_534


def _pack(folder: Path, mode: int | None = None, owner: int | None = None) -> None:
    folder.mkdir()
    (folder / VIDEO).write_bytes(good(VIDEO))
    if owner is not None:
        os.chown(folder, owner, owner)
    if mode is not None:
        folder.chmod(mode)


def _deep(folder: Path) -> None:
    """Folders in folders, 2,000 of them, beyond what a path can say."""
    _pack(folder)
    here = os.open(folder, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("deeper", dir_fd=here)
        there = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)


def _crowded(folder: Path) -> None:
    _pack(folder)
    for number in range(20_000):
        (folder / f"{number}.mp4").touch()


def _linked(folder: Path) -> None:
    elsewhere = folder.parent.parent / f"elsewhere-{folder.name}"
    _pack(elsewhere)
    folder.symlink_to(elsewhere)


def _kubernetes(folder: Path) -> None:
    """A ConfigMap's volume: each file a link to ..data, which is a link to a folder with a date."""
    dated = folder / "..2026_11_25_10_00_00.123456789"
    dated.mkdir(parents=True)
    (dated / VIDEO).write_bytes(good(VIDEO))
    (folder / "..data").symlink_to(dated.name)
    (folder / VIDEO).symlink_to(f"..data/{VIDEO}")


def _annexed(folder: Path) -> None:
    """git-annex: a link to a file of mode 0444 in folders of mode 0555."""
    store = folder / ".git" / "annex" / "objects" / "Xx" / "9k" / "SHA256E-s1--0.webm"
    store.mkdir(parents=True)
    (store / "SHA256E-s1--0.webm").write_bytes(good(VIDEO))
    (store / "SHA256E-s1--0.webm").chmod(0o444)
    store.chmod(0o555)
    (folder / VIDEO).symlink_to((store / "SHA256E-s1--0.webm").relative_to(folder))


def _link_to_a_file(folder: Path) -> None:
    folder.symlink_to("/etc/passwd")


def _leftovers(folder: Path) -> None:
    """Named as our own temporary files are, and none of them."""
    _pack(folder)
    os.mkfifo(folder / ".anchord-tmp-0")
    (folder / ".anchord-tmp-1").mkdir()
    (folder / ".anchord-tmp-2").symlink_to("/dev/zero")


def _many_links(folder: Path) -> None:
    """A chain of links that ends well, and is shorter than what the kernel follows."""
    _pack(folder)
    (folder / VIDEO).rename(folder / "0")
    for number in range(30):
        (folder / str(number + 1)).symlink_to(str(number))
    (folder / VIDEO).symlink_to("30")


#: The pack's name -> how it is made, and what becomes of it; None where it is no pack at all.
FOLDERS: dict[bytes, tuple[Callable[[Path], object], Ending | None]] = {
    b"somebody else's, 0700": (lambda folder: _pack(folder, 0o700, STRANGER), "retrying"),
    b"somebody else's, 0711": (lambda folder: _pack(folder, 0o711, STRANGER), "retrying"),
    b"somebody else's, 0755": (lambda folder: _pack(folder, 0o755, STRANGER), "retrying"),
    b"somebody else's, 0733": (lambda folder: _pack(folder, 0o733, STRANGER), "written"),
    b"0000": (lambda folder: _pack(folder, 0), "retrying"),
    b"0300": (lambda folder: _pack(folder, 0o300), "written"),
    b"0500": (lambda folder: _pack(folder, 0o500), "retrying"),
    b"0600": (lambda folder: _pack(folder, 0o600), "retrying"),
    b"deep": (_deep, "written"),
    b"crowded": (_crowded, "written"),
    b"no UTF-8 \xff\xfe": (_pack, "written"),
    b"\xff" * 255: (_pack, "written"),
    b"a" * 255: (_pack, "written"),
    b"new\nline": (_pack, "written"),
    b"escape \x1b[2J\x1b]0;owned\x07": (_pack, "written"),
    "turned \u202e\u2066".encode(): (_pack, "written"),
    "line\u2028separator\u0085".encode(): (_pack, "written"),
    b" ": (_pack, "written"),
    b"-rf": (_pack, "written"),
    b"--help": (_pack, "written"),
    b"a link": (_linked, "written"),
    b"kubernetes": (_kubernetes, "written"),
    b"git-annex": (_annexed, "written"),
    b"many links": (_many_links, "written"),
    b"leftovers": (_leftovers, "written"),
    b"empty": (Path.mkdir, "no video"),
    b"a file": (Path.touch, None),
    b"a pipe": (os.mkfifo, None),
    b"a link to a file": (_link_to_a_file, None),
    b"a link to itself": (lambda folder: folder.symlink_to(folder.name), None),
    b"a link to nothing": (lambda folder: folder.symlink_to("nothing"), None),
    b"a link to a device": (lambda folder: folder.symlink_to("/dev/zero"), None),
    b"lost+found": (lambda folder: _pack(folder, 0o700, STRANGER), None),
    b"@eaDir": (_pack, None),
    b"#recycle": (_pack, None),
    b".hidden": (_pack, None),
    b"..data": (_pack, None),
}


def made_by(pack: Path) -> Path:
    """Where a written pack's timeline is."""
    return pack / OUTPUT
