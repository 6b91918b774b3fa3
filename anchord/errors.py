"""
Every error that anchord raises on purpose, and how far each one reaches.

::

    AnchordError            exit  reaches
    ├── ArgumentError        64   one call of the library, whose caller passed something that can't be
    ├── SettingsError        78   the daemon's file: the daemon; a pack's file: that pack
    ├── ModelError           69   everything: no video can be worked on
    ├── NoInputError         66   one call: what it was asked for is not there
    ├── FileError            65   one pack, until that file is another one
    ├── VideoError           65   one video, until its content changes
    │   └── IncompleteVideoError  one video, until it has grown
    ├── CoverageError        65   one call of ``anchord extract --min-coverage``
    ├── ExistingFilesError   73   one call of ``anchord sprites``: files in its way are not its own
    ├── ChangedVideoError    75   one video: it changed while it was read, so it is read again
    ├── MachineError         74   one pack, for a while: a disk, a mount, a limit of this machine
    │   └── OutputError      74   one pack, until its folder can be written again
    ├── RootError            74   the daemon, until the avatars root can be read again
    ├── DefectError          70   one pack, for a while: a mistake in anchord itself
    └── WorkerError          70   one video: the process that worked on it ended or was ended
        ├── NodeError             one video: several nodes of a cluster were lost over it
        ├── WorkerStartError      everything, for a while: no video is at fault
        └── WorkerKilledError     one video, for a while: it is not at fault

Exit statuses are those of sysexits(3). What others raise becomes one of these in :func:`as_ours`.
"""

from __future__ import annotations

import errno
from typing import Literal

#: Errors of the system that only other content can mend: they park. All others may be the machine's
#: fault and are tried again: better once too often than never.
_CONTENT = frozenset(
    (
        errno.ELOOP,  # links in a circle
        errno.ENAMETOOLONG,
        errno.EXDEV,  # a link that leads out of the pack: openat2(2) with RESOLVE_BENEATH
        errno.EISDIR,
        errno.ENXIO,  # a socket, or a FIFO without a reader
        errno.EINVAL,
        errno.EFBIG,
        errno.EOVERFLOW,
    )
)
#: It is not there (any more).
_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR))


class AnchordError(Exception):
    """Base of every error that anchord raises on purpose."""

    exit_status: int = 1

    #: True where the same input may succeed later (a full disk), False where only other input can.
    is_environment: bool = False


class ArgumentError(AnchordError, ValueError):
    """A program passed something to the library that cannot be, such as a part that no face has."""

    exit_status = 64


class SettingsError(AnchordError):
    """A TOML file or a command-line flag says something that anchord cannot obey."""

    exit_status = 78


class ModelError(AnchordError):
    """The face model is missing or is not the one this version was made for."""

    exit_status = 69
    is_environment = True


class NoInputError(AnchordError):
    """What a command was asked to work on is not there."""

    exit_status = 66


class VideoError(AnchordError):
    """One video cannot be used; the others are not affected."""

    exit_status = 65


class IncompleteVideoError(VideoError):
    """One video ends before its own structure says it should: an upload under way, or cut off."""


class CoverageError(AnchordError):
    """Fewer samples show a face than the caller asked for."""

    exit_status = 65


class ExistingFilesError(AnchordError):
    """A command would replace files that it did not make; nothing was written."""

    exit_status = 73


class ChangedVideoError(AnchordError):
    """The video changed while it was read; its result was thrown away."""

    exit_status = 75
    is_environment = True


class FileError(AnchordError):
    """One of a pack's files is not what it should be: a pipe, a link out of the pack, far too large."""

    exit_status = 65


class MachineError(AnchordError):
    """The system refused something that it may allow later; no content is at fault."""

    exit_status = 74
    is_environment = True


class OutputError(MachineError):
    """A file cannot be written; whatever was there before is still there."""


class DefectError(AnchordError):
    """Something went wrong in anchord itself, where nobody thought of it."""

    exit_status = 70
    is_environment = True


class RootError(AnchordError):
    """The avatars root cannot be read."""

    exit_status = 74
    is_environment = True


class WorkerError(AnchordError):
    """The process that worked on a video ended or was ended before it answered."""

    exit_status = 70
    is_environment = True


class NodeError(WorkerError):
    """Several nodes of a cluster were lost, one after the other, while they worked on a video."""


class WorkerStartError(WorkerError):
    """The worker process could not be started, or ended before it was ready for any video."""


class WorkerKilledError(WorkerError):
    """The worker process was killed from outside: by the kernel for want of memory, or by a person."""


def fault(error: OSError) -> Literal["machine", "content", "absent"]:
    """Whose fault an error of the system is: the one table that decides between retrying and parking."""
    if error.errno in _ABSENT:
        return "absent"
    return "content" if error.errno in _CONTENT else "machine"


def reason(error: BaseException) -> str:
    """An error's own words, or its type where it has none."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def of_system(error: OSError, what: str) -> AnchordError:
    """
    An error of the system as one of the tree.

    Args:
        error: what the system said.
        what: the thing and what was tried, such as ``"/srv/a/idle.webm: cannot be opened"``.
    """
    match fault(error):
        case "absent":
            return NoInputError(f"{what}: {reason(error)}")
        case "content":
            return FileError(f"{what}: {reason(error)}; put a regular file there")
        case "machine":
            return MachineError(f"{what}: {reason(error)}; tried again")


def as_ours(error: Exception) -> AnchordError:
    """
    Whatever a pack's step raised, as an error of the tree, so that all that is left to ask is how far
    it reaches. Its cause is the error itself.
    """
    match error:
        case AnchordError():
            return error
        case OSError():
            ours = of_system(error, str(error.filename) if error.filename else "a system call")
        case MemoryError():
            ours = MachineError("not enough memory; tried again")
        case RecursionError() | ValueError() | ArithmeticError():
            # What content can provoke in a parser: nested without end, not text, out of range.
            ours = FileError(f"cannot be read: {reason(error)}; mend or replace it")
        case _:
            ours = DefectError(f"{type(error).__name__}: {reason(error)}; a mistake in anchord, see the log")
    ours.__cause__ = error
    return ours
