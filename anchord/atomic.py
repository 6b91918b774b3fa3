"""Bytes into a file, all or nothing: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anchord.errors import OutputError, reason

#: Temporary files are hidden and begin with this, so that leftovers can be told from a user's files.
TEMPORARY_PREFIX = ".anchord-tmp-"

#: A web server runs as another user and must be able to read the result.
PUBLISHED_MODE = 0o644

# A descriptor of this process, by the names that shells use.
_OWN_DESCRIPTOR = re.compile(r"/(?:dev/fd|proc/self/fd)/(\d+)")
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}


def write_atomically(file: Path, content: bytes) -> None:
    """
    Replace *file* by *content*, surviving a crash or a power cut at any moment.

    Raises:
        OutputError: it can't be written; the old file, where there was one, is still there.
    """
    try:
        folder = os.open(file.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unwritable(str(file), error) from error
    try:
        replace(folder, file.name, content, what=str(file))
    finally:
        os.close(folder)


def replace(folder: int, name: str, content: bytes, *, what: str) -> os.stat_result:
    """
    Replace the file *name* in an opened *folder*.

    Args:
        folder: its descriptor, be it only a path's (O_PATH).
        name: the file's plain name.
        content: all of it.
        what: the file's whole path, for messages.

    Returns:
        what stat(2) says of the new file.

    Raises:
        OutputError: as :func:`write_atomically`.
    """
    with contextlib.ExitStack() as held:
        temporary = _prepared(folder, content, held, what)
        try:
            os.rename(temporary.name, name, src_dir_fd=folder, dst_dir_fd=folder)
            status = os.fstat(temporary.descriptor)
            _sync(folder)
        except OSError as error:
            raise _unwritable(what, error) from error
    return status


def replace_all(folder: int, files: Mapping[str, bytes], *, what: str) -> None:
    """
    Replace several files in an opened *folder*: all of them or, where one can't be, none.

    Everything that takes room or time is done beside them first; what is left are renames, one for each. The
    last file is the last to appear, so that one that names the others never leads to a missing one.

    Args:
        folder: its descriptor, be it only a path's (O_PATH).
        files: plain name -> content, in the order in which they appear.
        what: the folder's path, for messages.

    Raises:
        OutputError: they can't be written; the old files are still there.
    """
    with contextlib.ExitStack() as held:
        new = {name: _prepared(folder, content, held, f"{what}/{name}") for name, content in files.items()}
        old: dict[str, str | None] = {}
        try:
            for name in files:
                old[name] = _kept(folder, name, held)
            for name, temporary in new.items():
                os.rename(temporary.name, name, src_dir_fd=folder, dst_dir_fd=folder)
            _sync(folder)
        except OSError as error:
            for name, before in old.items():
                with contextlib.suppress(OSError):
                    _put_back(folder, name, before, is_new=name in new)
            raise _unwritable(what, error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Temporary:
    """A file that is whole, on the disk, and has no name yet that anybody knows."""

    name: str
    descriptor: int


def _prepared(folder: int, content: bytes, held: contextlib.ExitStack, what: str) -> _Temporary:
    """
    *content* in a file beside its place; removed when *held* ends, unless it was renamed.

    Raises:
        OutputError: it can't be written.
    """
    name = _temporary_name()
    try:
        # 0600 until it is whole: nginx serves hidden files too, unless told otherwise.
        descriptor = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
        )
        held.callback(_remove, folder, name)
        held.callback(os.close, descriptor)
        # Held while it is written: a starting daemon cleans up what nobody holds.
        with contextlib.suppress(OSError):  # some network file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with os.fdopen(descriptor, "wb", closefd=False) as stream:
            stream.write(content)
        os.fchmod(descriptor, PUBLISHED_MODE)
        # After a failed fsync the kernel may have dropped the pages: never retried on this file.
        os.fsync(descriptor)
    except OSError as error:
        raise _unwritable(what, error) from error
    return _Temporary(name=name, descriptor=descriptor)


def _kept(folder: int, name: str, held: contextlib.ExitStack) -> str | None:
    """A second, hidden name of the file *name*, until *held* ends; None where there is no such file."""
    second = _temporary_name()
    try:
        os.link(name, second, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    held.callback(_remove, folder, second)
    return second


def _put_back(folder: int, name: str, before: str | None, *, is_new: bool) -> None:
    if before is not None:
        os.rename(before, name, src_dir_fd=folder, dst_dir_fd=folder)
    elif is_new:
        os.unlink(name, dir_fd=folder)


def _remove(folder: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def _temporary_name() -> str:
    return f"{TEMPORARY_PREFIX}{os.urandom(6).hex()}"


def _sync(folder: int) -> None:
    """Make the new name last. A folder that may be written but not read can't be: its name is there."""
    try:
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_through(target: str, content: bytes) -> None:
    """
    Give a person's *target* the content, as a shell's ``>`` would.

    A regular file is replaced, all or nothing, behind a link the file that it leads to; a pipe, a
    device or a descriptor of this process (``/dev/fd/3``) is written to and stays what it is.

    Raises:
        OutputError: it can't be written.
    """
    if (own := own_descriptor(target)) is not None:
        _pour(own, content, target)
        return
    file = Path(target)
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise _unwritable(target, error) from error
    if stat.S_ISREG(mode):
        write_atomically(Path(os.path.realpath(file)), content)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        _pour(descriptor, content, target)
    finally:
        os.close(descriptor)


def own_descriptor(target: str) -> int | None:
    """The number of this process's descriptor that *target* names; None where it names none."""
    if target in _STANDARD:
        return _STANDARD[target]
    match = _OWN_DESCRIPTOR.fullmatch(target)
    return int(match[1]) if match else None


def _pour(descriptor: int, content: bytes, what: str) -> None:
    left = memoryview(content)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except BrokenPipeError:
        raise  # the reader has gone away: the command's own ending for that
    except OSError as error:
        raise _unwritable(what, error) from error


def _unwritable(what: str, error: OSError) -> OutputError:
    return OutputError(
        f"{what}: cannot be written: {reason(error)}; check space and permissions of its folder"
    )


def remove_leftovers(folder: str) -> int:
    """
    Delete temporary files that a killed anchord left in *folder*; how many there were.

    One that is being written, by ``anchord extract`` say, is locked and stays.
    """
    count = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY_PREFIX) and not _is_locked(entry.path):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108  as it came, from a folder scanned often
                    count += 1
    return count


def _is_locked(file: str) -> bool:
    """Whether somebody writes it still; what is no regular file was not made here, and stays too."""
    try:
        descriptor = os.open(file, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return True
        opened = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(opened)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
