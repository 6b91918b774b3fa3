"""
Every error that anchord raises on purpose, and how far each one reaches.

::

    AnchordError            exit  reaches
    ├── SettingsError        78   the daemon's file: the daemon; a pack's file: that pack
    ├── ModelError           69   everything: no video can be worked on
    ├── NoInputError         66   one call: what it was asked for is not there
    ├── VideoError           65   one video, until its content changes
    │   └── IncompleteVideoError  one video, until it has grown
    ├── CoverageError        65   one call of ``anchord extract --min-coverage``
    ├── ChangedVideoError    75   one video: it changed while it was read, so it is read again
    ├── OutputError          74   one pack, until its folder can be written again
    ├── RootError            74   the daemon, until the avatars root can be read again
    └── WorkerError          70   one video: the process that worked on it ended or was ended
        ├── WorkerStartError      everything, for a while: no video is at fault
        └── WorkerKilledError     one video, for a while: it is not at fault

Exit statuses are those of sysexits(3).
"""

from __future__ import annotations


class AnchordError(Exception):
    """Base of every error that anchord raises on purpose."""

    exit_status: int = 1

    #: True where the same input may succeed later (a full disk), False where only other input can.
    is_environment: bool = False


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


class ChangedVideoError(AnchordError):
    """The video changed while it was read; its result was thrown away."""

    exit_status = 75
    is_environment = True


class OutputError(AnchordError):
    """A file cannot be written; whatever was there before is still there."""

    exit_status = 74
    is_environment = True


class RootError(AnchordError):
    """The avatars root cannot be read."""

    exit_status = 74
    is_environment = True


class WorkerError(AnchordError):
    """The process that worked on a video ended or was ended before it answered."""

    exit_status = 70
    is_environment = True


class WorkerStartError(WorkerError):
    """The worker process could not be started, or ended before it was ready for any video."""


class WorkerKilledError(WorkerError):
    """The worker process was killed from outside: by the kernel for want of memory, or by a person."""
