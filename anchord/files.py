"""
The one way to a file that lies in a pack: beneath its folder, regular, bounded, and never blocking.

A pack belongs to whoever uploads it, so what lies there may be a pipe that never answers, a link to
somebody else's file, a device, endless, or swapped between a look and the opening. Nothing here trusts
a name: what is opened is found beneath the opened folder, is looked at before it is opened for reading,
and is then that very file, whatever becomes of its name.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self, cast

from anchord.atomic import replace, replace_all
from anchord.errors import FileError, NoInputError, fault, of_system
from anchord.kernel import system_call

# The same number on every machine that anchord runs on. Source: openat2(2).
_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS, _RESOLVE_BENEATH = 0x02, 0x08
# What a kernel or a container's filter without openat2 answers.
_NO_SUCH_CALL = (errno.ENOSYS, errno.EPERM)
_COPIED_AT_ONCE = 1 << 20
# A rename elsewhere may disturb the search: the kernel says so and wants to be asked again.
_TRIES = 8


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class FileKey(NamedTuple):
    """What changes when a file does, without reading it; the quick half of staleness."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    owner: int
    mode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileKey:
        """The key in what stat(2) said."""
        return cls(
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_uid,
            status.st_mode,
        )

    @classmethod
    def of_opened(cls, stream: BufferedReader) -> FileKey:
        """The key of an opened file, whatever has become of its name."""
        return cls.of(os.fstat(stream.fileno()))

    @property
    def mtime_us(self) -> int:
        """Modification time in µs since 1970, as a timeline keeps it."""
        return self.mtime_ns // 1000

    def same_content_as(self, other: FileKey) -> bool:
        """Whether both saw the same bytes, as far as can be told; a chmod does not count."""
        return self[:4] == other[:4]


@dataclass(slots=True)
class Folder:
    """
    A pack's folder, opened; use it as a context manager.

    Args:
        path: where it is; links in it are followed, for an administrator may lay packs elsewhere.

    Raises:
        NoInputError: it is gone.
        FileError, MachineError: it can't be opened.
    """

    path: str
    descriptor: int = field(default=-1, init=False)

    def __post_init__(self) -> None:
        try:
            self.descriptor = os.open(self.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise of_system(error, f"{self.path}: cannot be opened as a pack") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def look(self, name: str) -> FileKey | None:
        """
        What the file *name* looks like, links beneath the folder followed; None where there is none.

        A link that leads nowhere else is looked at itself: it can't be opened, but it may change.

        Raises:
            OSError: the machine does not say.
        """
        try:
            status = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
            return self._behind(name, status) if stat.S_ISLNK(status.st_mode) else FileKey.of(status)
        except OSError as error:
            if fault(error) == "machine":
                raise
            return None

    def _behind(self, name: str, link: os.stat_result) -> FileKey:
        try:
            descriptor = self._find(name)
        except OSError as error:
            if fault(error) == "machine":
                raise
            return FileKey.of(link)
        try:
            return FileKey.of(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def open(self, name: str) -> BufferedReader:
        """
        The file *name*, opened for reading.

        Raises:
            NoInputError: there is no such file.
            FileError: it leads out of the folder, or is no regular file.
            MachineError: it can't be opened now.
        """
        what = f"{self.path}/{name}"
        if "/" in name or "\0" in name or name in ("", ".", ".."):
            raise FileError(f"{what}: must be a plain file name inside the pack")
        try:
            found = self._find(name)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise FileError(
                    f"{what}: is a link that leads out of the pack; put the file itself there"
                ) from error
            raise of_system(error, f"{what}: cannot be opened") from error
        try:
            return _opened(found, what)
        finally:
            os.close(found)

    def read(self, name: str, *, at_most: int) -> bytes:
        """
        The content of a small file.

        Raises:
            FileError: it has more than *at_most* bytes; and as :meth:`open`.
        """
        with self.open(name) as stream:
            try:
                content = stream.read(at_most + 1)
            except OSError as error:
                raise of_system(error, f"{self.path}/{name}: cannot be read") from error
        if len(content) > at_most:
            raise FileError(
                f"{self.path}/{name}: larger than {at_most} bytes; such a file is never that long"
            )
        return content

    def write(self, name: str, content: bytes) -> FileKey:
        """
        Replace *name* by *content*, all or nothing; the key of the new file.

        Raises:
            FileError: a link, a folder, a pipe or a device is in the way.
            OutputError: it can't be written; the old file, where there was one, is still there.
        """
        self.check_output(name)
        return FileKey.of(replace(self.descriptor, name, content, what=f"{self.path}/{name}"))

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """
        Replace several files: all of them or, where one can't be, none. They appear in their order.

        Raises:
            FileError: a link, a folder, a pipe or a device is in the way.
            OutputError: they can't be written; the old files are still there.
        """
        for name in files:
            self.check_output(name)
        replace_all(self.descriptor, files, what=self.path)

    def check_output(self, name: str) -> None:
        """
        See that nothing but a regular file is where *name* would be written.

        Raises:
            FileError: a link, a folder, a pipe or a device is in the way.
            MachineError: the machine does not say.
        """
        try:
            mode = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode
        except OSError as error:
            if fault(error) == "absent":
                return
            raise of_system(error, f"{self.path}/{name}: cannot be looked at") from error
        if not stat.S_ISREG(mode):
            raise FileError(f"{self.path}/{name}: is {kind_of(mode)}; remove it, or name another output")

    def _find(self, name: str) -> int:
        """
        A descriptor that names the file and opens nothing: looking at a tape drive must not wind it.

        Raises:
            OSError: it is not there, or (EXDEV) not beneath the folder.
        """
        how = _How(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
        path = os.fsencode(name)
        for left in reversed(range(_TRIES)):
            try:
                return system_call(
                    _OPENAT2, self.descriptor, ctypes.c_char_p(path), ctypes.byref(how), ctypes.sizeof(how)
                )
            except OSError as error:
                if error.errno in _NO_SUCH_CALL:
                    return self._find_and_check(name)
                if error.errno != errno.EAGAIN or not left:
                    raise
        raise AssertionError

    def _find_and_check(self, name: str) -> int:
        """The same without openat2: follow the links, then see where they led."""
        descriptor = os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=self.descriptor)
        beneath = f"{_path_of(self.descriptor)}/"
        if not _path_of(descriptor).startswith(beneath):
            os.close(descriptor)
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), name)
        return descriptor


def open_any(path: str) -> BufferedReader:
    """
    A regular file wherever it lies, for a person who named it; pipes and devices are refused.

    Raises:
        NoInputError, FileError, MachineError: as :meth:`Folder.open`.
    """
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise of_system(error, f"{path}: cannot be opened") from error
    try:
        return _opened(found, path)
    finally:
        os.close(found)


def spooled(source: BinaryIO, what: str, at_most: int) -> BufferedReader:
    """
    What comes from an opened file, for somebody who must be able to go back in it.

    A regular file is opened anew; of anything else, such as a pipe, *at_most* bytes and one more are copied
    into a file without a name: in the folder for temporary files or, where that can't be written, in memory.

    Raises:
        MachineError: it can't be read, or there is no room for the copy.
    """
    try:
        if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            return _opened(source.fileno(), what)
        with _nameless() as copy:
            left = at_most + 1
            while left > 0 and (part := source.read(min(left, _COPIED_AT_ONCE))):
                copy.write(part)
                left -= len(part)
            copy.flush()
            return _opened(copy.fileno(), what)
    except OSError as error:
        raise of_system(error, f"{what}: cannot be copied to where it can be read twice") from error


def _nameless() -> BinaryIO:
    try:
        return cast("BinaryIO", tempfile.TemporaryFile())
    except OSError:
        return os.fdopen(os.memfd_create("anchord"), "w+b")


def _opened(found: int, what: str) -> BufferedReader:
    """The very file that *found* names, opened for reading, if it is a regular one."""
    try:
        mode = os.fstat(found).st_mode
        if not stat.S_ISREG(mode):
            raise FileError(f"{what}: is {kind_of(mode)}, not a regular file; put the file itself there")
        # Regular by now, so that nothing blocks; the flags guard the file systems that lie about it.
        descriptor = os.open(
            f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        )
    except FileNotFoundError as error:
        raise NoInputError(f"{what}: was taken away while it was opened") from error
    except OSError as error:
        raise of_system(error, f"{what}: cannot be opened") from error
    return os.fdopen(descriptor, "rb")


def _path_of(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}").rstrip("/")  # noqa: PTH115  may be no UTF-8


def kind_of(mode: int) -> str:
    """What a file is, for people."""
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFREG: "a regular file",
    }
    return kinds.get(stat.S_IFMT(mode), "something unknown")
