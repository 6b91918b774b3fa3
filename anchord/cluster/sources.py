"""
A job's files on a node: found where the storage is shared, or filled with the coordinator's bytes.

Either way what is worked on has the size, the modification time and the digest that the coordinator saw,
since the timeline says them, and whoever may write to the shared storage may change it at any moment.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from anchord.cluster.wire import Source
from anchord.errors import AnchordError, ChangedVideoError, MachineError, of_system
from anchord.files import FileKey, Folder
from anchord.guard import guarded
from anchord.packs import digest

# Threads that wait for a mount that hangs; with so many it is not asked any more.
_MOST_HANGING = 8
_SLOWEST_BYTES_S = 5_000_000


def by_path(root: Path, pack: bytes, source: Source) -> BufferedReader:
    """
    The file in the pack's folder below this node's avatars root, if it is the one that is meant.

    Raises:
        ChangedVideoError: it has another size, time or content here.
        AnchordError: it can't be opened here.
    """
    folder = f"{root}/{os.fsdecode(pack)}"
    names = pack.split(b"/")
    # A pack may lie in a group of packs: see depth in the settings.
    if len(names) > 2 or not {b"", b".", b".."}.isdisjoint(names):
        raise MachineError(f"{folder}: is not a pack of {root}")
    name = os.fsdecode(source.name)
    with Folder(folder) as opened:
        stream = opened.open(name)
    try:
        key = FileKey.of_opened(stream)
        if (key.size, key.mtime_ns) != (source.size, source.mtime_ns):
            raise ChangedVideoError(
                f"{folder}/{name}: has {key.size} bytes of {key.mtime_ns} ns here, and {source.size} bytes "
                f"of {source.mtime_ns} ns for the coordinator"
            )
        if digest(stream, f"{folder}/{name}") != source.sha256:
            raise ChangedVideoError(f"{folder}/{name}: has another content here than for the coordinator")
    except BaseException:
        stream.close()
        raise
    return stream


class SharedRoot:
    """
    The avatars root as this machine has it, which may be a mount that hangs: nobody waits for it for ever.

    Args:
        path: where it is.
        patience_s: so long, and a second for each 5 MB, a file may take to be opened and read.
    """

    def __init__(self, path: Path, *, patience_s: float = 30.0) -> None:
        self._path = path
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._hanging = 0

    def open(self, pack: bytes, source: Source) -> BufferedReader:
        """
        As :func:`by_path`.

        Raises:
            MachineError: also where it does not answer.
        """
        with self._lock:
            if self._hanging >= _MOST_HANGING:
                raise MachineError(f"{self._path}: does not answer; see what it lies on")
        found: list[BufferedReader | AnchordError] = []
        ended, late = threading.Event(), threading.Event()

        def step() -> None:
            opened = guarded(lambda: by_path(self._path, pack, source))
            with self._lock:
                if not late.is_set():
                    found.append(opened)
                    ended.set()
                    return
                self._hanging -= 1
            if not isinstance(opened, AnchordError):
                opened.close()

        threading.Thread(target=step, name="shared root", daemon=True).start()
        ended.wait(self._patience_s + source.size / _SLOWEST_BYTES_S)
        with self._lock:
            if not found:
                late.set()
                self._hanging += 1
                raise MachineError(f"{self._path}: does not answer; see what it lies on")
        if isinstance(found[0], AnchordError):
            raise found[0]
        return found[0]


class Filling:
    """
    A file in memory that is filled with what the coordinator sends; nothing of it touches a disk.

    Args:
        source: what it will be.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sha256 = hashlib.sha256()
        self._size = 0
        try:
            self._descriptor = os.memfd_create("video", os.MFD_CLOEXEC)
        except OSError as error:
            raise of_system(error, "memory for a video") from error

    def add(self, part: bytes) -> None:
        """
        Take what came next.

        Raises:
            ChangedVideoError: that is more than the file has.
            MachineError: there is no memory for it.
        """
        self._size += len(part)
        if self._size > self._source.size:
            raise ChangedVideoError("the video grew while it was sent")
        self._sha256.update(part)
        view = memoryview(part)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise of_system(error, f"memory for {self._source.size} bytes of a video") from error

    def finished(self) -> BufferedReader:
        """
        The file, to be read only, with the original's modification time.

        Raises:
            ChangedVideoError: it is not the file that was meant.
        """
        if self._size != self._source.size or self._sha256.hexdigest() != self._source.sha256:
            raise ChangedVideoError("the video changed while it was sent")
        os.utime(self._descriptor, ns=(self._source.mtime_ns, self._source.mtime_ns))
        return os.fdopen(os.open(f"/proc/self/fd/{self._descriptor}", os.O_RDONLY | os.O_CLOEXEC), "rb")

    def close(self) -> None:
        """Let go of this end; a file that is finished lives as long as its stream."""
        os.close(self._descriptor)


@contextlib.contextmanager
def filling(source: Source) -> Iterator[Filling]:
    """A file to be filled."""
    made = Filling(source)
    try:
        yield made
    finally:
        made.close()
