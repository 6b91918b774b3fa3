"""
Whose work is in an installation of anchord, and under which licences.

``notices.py lock``  writes THIRD_PARTY.md from requirements.cluster.lock: `make notices`. Fetches the wheels.
``notices.py texts`` prints it with the licence texts of what is installed beside the Python that runs this;
                     deploy/make-venv puts that into share/doc/anchord/. Needs nothing but that Python.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
#: All that an installation may have, and what one that is no member of a cluster has.
LOCK = HERE.parent / "requirements.cluster.lock"
PLAIN_LOCK = HERE.parent / "requirements.runtime.lock"
PAGE = HERE.parent / "THIRD_PARTY.md"

#: The lock has versions that differ between these two; its markers name no others.
PYTHONS = ("3.11", "3.12")

_IS_TEXT = re.compile(r"(^|/)[^/]*(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)
_IS_LIBRARY = re.compile(r"^[^/]+\.libs/lib(?P<name>.+?)(-r0)?-[0-9a-f]{8}(-[0-9a-f]{8})?[.\d]*\.so")

_GPL_BY_LINKING = "LGPL-3.0-or-later by itself; GPL-3.0-or-later as linked here (x264, x265)"

#: Shared library in a wheel -> its licence. The wheels do not say, so a new one must be looked up.
LIBRARIES = {
    **dict.fromkeys(("avcodec", "avdevice", "avfilter", "avformat"), _GPL_BY_LINKING),
    **dict.fromkeys(("avutil", "swresample", "swscale"), "LGPL-3.0-or-later"),
    **dict.fromkeys(("x264", "x265"), "GPL-2.0-or-later"),
    **dict.fromkeys(("gmp", "hogweed", "nettle", "unistring"), "LGPL-3.0-or-later OR GPL-2.0-or-later"),
    **dict.fromkeys(("asound", "gnutls", "quadmath"), "LGPL-2.1-or-later"),
    "mp3lame": "LGPL-2.0-or-later",
    "gfortran": "GPL-3.0-or-later WITH GCC-exception-3.1",
    **dict.fromkeys(("opencore-amrnb", "opencore-amrwb"), "Apache-2.0"),
    **dict.fromkeys(("crypto", "ssl"), "OpenSSL"),
    "png16": "libpng-2.0",
    "SvtAv1Enc": "BSD-3-Clause-Clear",
    **dict.fromkeys(("opus", "openblasp", "scipy_openblas64_", "sharpyuv", "vpx"), "BSD-3-Clause"),
    **dict.fromkeys(("webp", "webpmux"), "BSD-3-Clause"),
    **dict.fromkeys(("aom", "avif", "dav1d"), "BSD-2-Clause"),
    "vmaf": "BSD-2-Clause-Patent",
    **dict.fromkeys(("Xau", "drm", "vpl", "xcb", "xcb-shape", "xcb-shm", "xcb-xfixes"), "MIT"),
}
#: OpenCV's own FFmpeg is built without x264 and x265.
_PLAIN_FFMPEG = {"opencv-python-headless": "LGPL-2.1-or-later"}

_CLASSIFIED = {"MIT License": "MIT", "Apache Software License": "Apache-2.0", "BSD License": "BSD"}

_WORDS = """\
# Whose work is in anchord

<!-- Made by `make notices` from requirements.cluster.lock; change deploy/notices.py. -->

anchord's own source, wheel and sdist carry no other project's code but the face model (Google, Apache-2.0,
`anchord/tracking/models/LICENSE`). **An installation or a container image does:** the wheels below, and
Python and the base image, whose licences lie in `/usr/share/doc/*/copyright`. The full texts of what is
installed are in its folder (`/usr/local/lib/anchord`, in the image `/opt/anchord`), in
`share/doc/anchord/THIRD_PARTY.txt`.

## The one that matters: PyAV's wheel carries x264 and x265

PyAV itself is BSD-3-Clause, and the FFmpeg in its wheel reports "LGPL version 3 or later". But that FFmpeg is
linked with x264 and x265, which are GPL-2.0-or-later, and can't be loaded without them. anchord only decodes
and uses neither; they come along all the same. This is what engineers make of it, not legal advice:

* **Running anchord**, also for customers over the network: nothing to do. The GPL is about passing copies on.
* **Publishing anchord's source or its wheel**: nothing to do. Neither contains PyAV, and Apache-2.0 stays.
* **Publishing an image, a package or a disk with the libraries in it** passes on GPL software. The safe
  reading is that it is as a whole under GPL-3.0-or-later, which Apache-2.0 allows. Pass on this file and the
  texts (the GPL's is `/usr/share/common-licenses/GPL-3` in the image), and offer the complete source of
  FFmpeg, x264 and x265 as they were built: PyAV-Org's pyav-ffmpeg has the scripts and versions. Patents on
  H.264 and H.265 are another matter, and depend on the country.
* **Without GPL**: build PyAV from source (`pip install --no-binary av`, in the version below) on an FFmpeg
  that is configured with libvpx and libdav1d but without libx264 and libx265. FFmpeg's own decoders for
  H.264 and H.265 are LGPL; `anchord doctor` lists what is there.

## All of it
"""


class Requirement(NamedTuple):
    """An entry of the lock."""

    name: str
    version: str
    marker: str
    hashes: str


class Notice(NamedTuple):
    """What a wheel says of itself."""

    name: str
    version: str
    licence: str
    texts: dict[str, str]
    libraries: tuple[str, ...]


def locked(content: str) -> list[Requirement]:
    """The entries of a lock file, in its order."""
    entry = re.compile(
        r"^([\w.-]+)==(\S+)(?: ; ([^\\\n]+?))? \\\n((?: +--hash=\S+(?: \\)?\n?)+)", re.MULTILINE
    )
    return [Requirement(*(part or "" for part in match.groups())) for match in entry.finditer(content)]


def licence(about: Message) -> str:
    """The licence that a distribution's metadata names, as SPDX where it does so."""
    for key in ("License-Expression", "License"):
        if (given := about.get(key, "")) and "\n" not in given:
            return "Apache-2.0" if given == "Apache 2.0" else str(given)
    classified = [line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if "License" in line]
    return " OR ".join(_CLASSIFIED.get(line, line) for line in classified) or "not named"


def in_wheel(file: Path) -> Notice:
    """What the wheel *file* says."""
    with zipfile.ZipFile(file) as wheel:
        names = wheel.namelist()
        (about,) = (name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        content = {name: wheel.read(name).decode(errors="replace") for name in _texts(names)}
        return _notice(Parser().parsestr(wheel.read(about).decode()), content, names)


def installed() -> list[Notice]:
    """What everything that is installed beside this Python says, but anchord itself."""
    found = []
    for distribution in metadata.distributions():
        files = {str(file): file for file in distribution.files or ()}
        content = {name: files[name].read_text(encoding="utf-8") for name in _texts(files)}
        if distribution.name != "anchord":
            found.append(_notice(distribution.metadata, content, files))  # type: ignore[arg-type]
    return sorted(found, key=lambda notice: notice.name.lower())


def _texts(names: Iterable[str]) -> list[str]:
    """The files among *names* that are notices of the distribution itself, or of what it carries."""
    return [name for name in names if _IS_TEXT.search(name) and ".dist-info/" in name and not name.endswith(
        (".py", ".pyc", "/"))]  # fmt: skip


def _notice(about: Message, texts: dict[str, str], names: Iterable[str]) -> Notice:
    libraries = {match["name"] for name in names if (match := _IS_LIBRARY.match(name))}
    return Notice(
        name=about["Name"],
        version=about["Version"],
        licence=licence(about),
        texts={name.split(".dist-info/")[1].removeprefix("licenses/"): text for name, text in texts.items()},
        libraries=tuple(sorted(libraries)),
    )


def page(notices: Iterable[Notice]) -> str:
    """
    THIRD_PARTY.md.

    Raises:
        KeyError: a wheel carries a library whose licence nobody has looked up.
    """
    rows = ["| package | version | licence | libraries in its wheel (x86_64) |", "|---|---|---|---|"]
    used: dict[str, set[str]] = {}
    for notice in notices:
        rows.append(
            f"| {notice.name} | {notice.version} | {notice.licence} | {', '.join(notice.libraries)} |"
        )
        for library in notice.libraries:
            plain = _PLAIN_FFMPEG.get(notice.name) if library.startswith(("av", "sw")) else None
            used.setdefault(library, set()).add(plain if plain and library != "avif" else LIBRARIES[library])
    rows += ["", "| library | licence |", "|---|---|"]
    for library, licences in sorted(used.items()):
        rows.append(f"| {library} | {'; in OpenCV: '.join(sorted(licences, reverse=True))} |")
    return _WORDS + "\n" + _only_in_clusters() + "\n" + "\n".join(rows) + "\n"


def _only_in_clusters() -> str:
    plain = {one.name for one in locked(PLAIN_LOCK.read_text())}
    more = sorted({one.name for one in locked(LOCK.read_text())} - plain)
    names = textwrap.fill(
        f"Only with `make install WITH=cluster`: {', '.join(more)}.", 110, break_on_hyphens=False
    )
    return f"{names}\n"


def texts(notices: Iterable[Notice]) -> Iterator[str]:
    """Every licence text, once: of several that share one, each is named."""
    owners: dict[str, list[str]] = {}
    for notice in notices:
        if not notice.texts:
            instead = f"(The wheel has no text of its own; its licence is {notice.licence}.)"
            owners.setdefault(instead, []).append(f"{notice.name} {notice.version}")
        for name, text in notice.texts.items():
            owners.setdefault(text.strip(), []).append(f"{notice.name} {notice.version}, {name}")
    for text, names in owners.items():
        yield f"{'=' * 100}\n" + "\n".join(names) + f"\n{'-' * 100}\n{text}\n"


def fetched(requirements: list[Requirement], folder: Path) -> list[Notice]:
    """The notices of all of them, from their wheels, in that order."""
    from packaging.markers import Marker

    wanted = folder / "wanted.txt"
    for python in PYTHONS:
        environment = {"python_full_version": f"{python}.0", "implementation_name": "cpython"}
        here = [one for one in requirements if not one.marker or Marker(one.marker).evaluate(environment)]
        wanted.write_text("".join(f"{one.name}=={one.version} \\\n{one.hashes}\n" for one in here))
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps",
             "--only-binary", ":all:", "--python-version", python, "-r", wanted, "-d", folder],
            check=True,
        )  # fmt: skip
    found = {(_plain(notice.name), notice.version): notice for notice in map(in_wheel, folder.glob("*.whl"))}
    return [found[_plain(one.name), one.version] for one in requirements]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(command: str) -> None:
    """Do what the head of this file says."""
    if command == "lock":
        with tempfile.TemporaryDirectory() as folder:
            PAGE.write_text(page(fetched(locked(LOCK.read_text()), Path(folder))))
    else:
        sys.stdout.write(PAGE.read_text() + "\n" + "\n".join(texts(installed())))


if __name__ == "__main__":
    main(*sys.argv[1:])
