"""
What stands in anchord's way on this machine, and what to do about it.

Each check is a function that yields findings; what it needs of the tracking wing it asks a process of
its own, so that a broken library is a finding and not the end of the examination.
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec

from anchord import __version__
from anchord.commands.cluster_premises import examine_cluster
from anchord.commands.premises import Finding, examine_premises, size, user
from anchord.errors import AnchordError, WorkerError
from anchord.model import checked_model
from anchord.service import lock
from anchord.service.report import state
from anchord.settings import Settings
from anchord.shard import Shard
from anchord.worker.client import Worker

_LIBRARIES = ("mediapipe", "opencv-python-headless", "av", "numpy", "watchdog", "msgspec")

#: What players use -> FFmpeg's decoder for it. libvpx, because FFmpeg's own VP9 drops transparency.
_DECODERS = {"VP9": "libvpx-vp9", "VP8": "libvpx", "AV1": "libdav1d", "H.264": "h264", "H.265": "hevc"}

_LIST_DECODERS = """
import av, json, sys
print(json.dumps({name: name in av.codecs_available for name in sys.argv[1:]}))
"""

# The first run after an installation loads 300 MiB from the disk.
_LOAD_S = 60.0
_LOW_MEMORY = 1 << 30


def examine(settings: Settings, root: Path) -> Iterator[Finding]:
    """
    Look at everything that anchord needs.

    Args:
        settings: the daemon's.
        root: the avatars root.
    """
    yield from _machine()
    yield from _versions()
    yield from _model()
    yield from _decoders()
    yield from _worker(settings)
    yield from examine_premises(settings, root)
    yield from examine_cluster(settings.cluster)
    yield from _daemon(settings, root)


def _machine() -> Iterator[Finding]:
    kernel = platform.release()
    numbers = tuple(int(part) for part in kernel.replace("-", ".").split(".")[:2] if part.isdigit())
    if numbers < (5, 13):
        yield Finding(
            subject="kernel",
            verdict="note",
            text=f"{kernel}: has no Landlock; seccomp alone holds the worker in",
            fix="a kernel from 5.13 on, such as Debian 12's",
        )
    else:
        yield Finding(subject="kernel", verdict="ok", text=kernel)
    uid = os.geteuid()
    yield Finding(
        subject="user",
        verdict="note" if uid == 0 else "ok",
        text="root, who may do everything: what is said here on permissions is not what the daemon meets"
        if uid == 0
        else f"user id {uid}, group ids {', '.join(map(str, sorted({os.getegid(), *os.getgroups()})))}",
        fix="runuser -u anchord -- anchord doctor" if uid == 0 else "",
    )
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if free < _LOW_MEMORY or 0 <= limit < _LOW_MEMORY:
        least = min(free, limit) if limit >= 0 else free
        yield Finding(
            subject="memory",
            verdict="note",
            text=f"{size(least)} are free; a video takes some 400 MiB while it is worked on",
            fix="lower worker.threads, or give the machine more memory",
        )


def _versions() -> Iterator[Finding]:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            yield Finding(
                subject="versions", verdict="bad", text=f"{name} is missing", fix="install anchord again"
            )
    yield Finding(
        subject="versions",
        verdict="ok",
        text=f"anchord {__version__}, Python {platform.python_version()}, {', '.join(found)}",
    )


def _model() -> Iterator[Finding]:
    try:
        content = checked_model()
    except AnchordError as error:
        yield Finding(subject="model", verdict="bad", text=str(error), fix="install anchord again")
    else:
        yield Finding(subject="model", verdict="ok", text=f"whole, {size(len(content))}")


def _decoders() -> Iterator[Finding]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _LIST_DECODERS, *_DECODERS.values()],
            capture_output=True,
            timeout=_LOAD_S,
            check=True,
        )
        has = msgspec.json.decode(done.stdout, type=dict[str, bool])
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        printed = getattr(error, "stderr", None) or b""
        last = printed.decode(errors="replace").strip().rpartition("\n")[2] or str(error)
        yield Finding(
            subject="decoders",
            verdict="bad",
            text=f"PyAV cannot be loaded: {last}",
            fix="install anchord again; on an unusual machine, build PyAV from source",
        )
        return
    if there := [name for name, decoder in _DECODERS.items() if has.get(decoder)]:
        yield Finding(subject="decoders", verdict="ok", text=", ".join(there))
    if missing := [name for name, decoder in _DECODERS.items() if not has.get(decoder)]:
        yield Finding(
            subject="decoders",
            verdict="note",
            text=f"none for {', '.join(missing)}",
            fix="use PyAV's own wheels, or do without these formats",
        )


def _worker(settings: Settings) -> Iterator[Finding]:
    """Start a worker as the daemon does; it tells what holds it in."""
    try:
        with Worker(settings.worker) as worker:
            worker.wait_ready()
            layers = worker.layers
    except WorkerError as error:
        yield Finding(
            subject="worker",
            verdict="bad",
            text=f"does not start: {error}",
            fix="see the lines above this one",
        )
    else:
        yield Finding(subject="worker", verdict="ok", text="starts, and has all its libraries")
        yield from _layers(layers)


def _layers(layers: dict[str, str]) -> Iterator[Finding]:
    if held := [name for name, how in layers.items() if how.startswith("on")]:
        yield Finding(subject="sandbox", verdict="ok", text=", ".join(held))
    for name, how in layers.items():
        if not how.startswith("on"):
            yield Finding(
                subject="sandbox",
                verdict="note",
                text=f"{name} is {how}",
                fix="a newer kernel, or a container runtime that allows it; the other layers still hold",
            )


def _daemon(settings: Settings, root: Path) -> Iterator[Finding]:
    shard = Shard.of(settings.shard)
    keeper = lock.holder(root, shard)
    now = state.read(root, shard=shard)
    yield Finding(
        subject="daemon",
        verdict="note" if keeper is None else "ok",
        text="none keeps this root now" if keeper is None else f"keeps this root{_process(now)}",
        fix="systemctl enable --now anchord" if keeper is None else "",
    )
    file = settings.metrics.textfile
    if file and not os.access(Path(file).parent, os.W_OK | os.X_OK):
        yield Finding(
            subject="metrics",
            verdict="bad",
            text=f"{file}: cannot be written by this user",
            fix=f"setfacl -m u:{user()}:rwX {Path(file).parent}, and ReadWritePaths= for it in a drop-in",
        )


def _process(now: state.State | None) -> str:
    return f": process {now.pid}, version {now.version}" if now else ""
