"""Bytes into a file, all or nothing: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

from anchord.errors import OutputError

#: Temporary files are hidden and begin with this, so that leftovers can be told from a user's files.
TEMPORARY_PREFIX = ".anchord-tmp-"

#: A web server runs as another user and must be able to read the result.
PUBLISHED_MODE = 0o644


def write_atomically(file: Path, content: bytes) -> None:
    """
    Replace *file* by *content*, surviving a crash or a power cut at any moment.

    Raises:
        OutputError: it can't be written; the old file, where there was one, is still there.
    """
    temporary = file.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}"
    try:
        # 0600 until it is whole: nginx serves hidden files too, unless told otherwise.
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            # Held while it is written: a starting daemon cleans up what nobody holds.
            with contextlib.suppress(OSError):  # some network file systems know no locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            with os.fdopen(descriptor, "wb", closefd=False) as stream:
                stream.write(content)
            os.fchmod(descriptor, PUBLISHED_MODE)
            os.fsync(descriptor)
            temporary.replace(file)
        finally:
            os.close(descriptor)
        _sync_folder(file.parent)
    except OSError as error:
        # After a failed fsync the kernel may have dropped the pages: never retried on this file.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise OutputError(
            f"{file}: cannot be written: {error.strerror}; check space and permissions of its folder"
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
