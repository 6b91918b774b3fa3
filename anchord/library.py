"""
anchord for a program: the same door as ``cli``, without a terminal.

A video is decoded in a process of its own, in the same sandbox as the daemon's, so that a damaged or
hostile file ends that process and raises an error here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypedDict, Unpack

from anchord import timeline
from anchord.commands.extract import STDOUT, Request, extract_now
from anchord.errors import FileError, of_system
from anchord.files import open_any
from anchord.model import checked_model
from anchord.settings import Settings, read_settings
from anchord.timeline import Extra, Timeline
from anchord.worker.client import Worker

# Twelve hours of video, sampled at every frame, have less.
_MAX_TIMELINE_BYTES = 512 << 20


class Options(TypedDict, total=False):
    """What may differ from the settings in one call; docs/settings.md says what each one does."""

    sample_rate: int
    mouth_padding: float
    eyes_padding: float
    target_width: int
    target_height: int
    fit: Literal["contain", "cover", "fill"]
    precision: int
    max_gap_ms: float
    follow: Literal["auto", "landmarks", "pixels"]
    follow_every_frame: bool
    smoothing: Literal["auto", "off"] | float
    include: Iterable[Extra]


class Extractor:
    """
    Videos into timelines, one after another, by one worker process. Use as a context manager.

    The worker needs half a second to load its model, so keep an extractor where many videos are to come.
    It belongs to the thread that made it: when that thread ends, so does the worker. Several threads may
    each have one of their own.

    Args:
        settings: a settings file such as ``anchord.toml``, or what was read of one; the defaults, if None.
            Of ``/etc/anchord/anchord.toml`` a library knows nothing unless it is named here.

    Raises:
        SettingsError: the settings can't be obeyed.
        ModelError: the face model is missing or broken.
        WorkerStartError: the worker can't be started now.
    """

    def __init__(self, settings: Settings | str | os.PathLike[str] | None = None) -> None:
        if not isinstance(settings, Settings):
            settings = read_settings(None if settings is None else Path(settings))
        self._settings = settings
        checked_model()
        self._lock = threading.Lock()
        self._worker = Worker(self._settings.worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker. It has nothing that could be lost."""
        with self._lock:
            self._worker.end()

    def extract(
        self,
        video: str | os.PathLike[str],
        *,
        on_progress: Callable[[int, int], None] | None = None,
        **options: Unpack[Options],
    ) -> Timeline:
        """
        The timeline of one video; nothing is written.

        As for ``anchord extract VIDEO``, an ``anchord.toml``, a ``manifest.json`` and a base face beside
        the video count as its pack's. A worker that was lost is replaced at the next call.

        Args:
            video: the file.
            on_progress: called with frames decoded and frames expected (0: unknown).
            options: settings that differ for this video; they win over every file.

        Raises:
            VideoError: the video can't be used; its message says why, and what to do.
            SettingsError: an option, or a file of the pack, says what can't be obeyed.
            NoInputError: there is no such file.
            WorkerError: the worker crashed, hung or was ended over this video.
            AnchordError: whatever else went wrong; every error of anchord is one.
        """
        given = {**options, "include": tuple(options["include"])} if "include" in options else {**options}
        request = Request(
            video=Path(video),
            avatar_id=None,
            base_path=None,
            input_name=None,
            output=STDOUT,
            flags=given,
        )
        with self._lock:
            if self._worker.is_gone:
                self._worker = Worker(self._settings.worker)
            result = extract_now(request, self._settings, self._worker, on_progress or _unseen)
        return timeline.decode(result.content)


def _unseen(_done: int, _expected: int) -> None:
    """Nobody looks on."""


def extract(
    video: str | os.PathLike[str],
    *,
    settings: Settings | str | os.PathLike[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    **options: Unpack[Options],
) -> Timeline:
    """
    The timeline of one video, by a worker process that is started for it and ended after it.

    Args:
        video: the file; an ``anchord.toml``, a ``manifest.json`` and a base face beside it count.
        settings: as of :class:`Extractor`.
        on_progress: called with frames decoded and frames expected (0: unknown).
        options: settings that differ for this video, such as ``sample_rate=1``.

    Raises:
        AnchordError: as :class:`Extractor` and :meth:`Extractor.extract`.
    """
    with Extractor(settings) as extractor:
        return extractor.extract(video, on_progress=on_progress, **options)


def read_timeline(file: str | os.PathLike[str]) -> Timeline:
    """
    A written ``anchors_timeline.json``.

    Args:
        file: the file, wherever it lies.

    Raises:
        NoInputError: there is no such file.
        FileError: it is no timeline that anchord wrote, or no regular file.
        MachineError: it can't be read now.
    """
    name = os.fspath(file)
    with open_any(name) as stream:
        try:
            content = stream.read(_MAX_TIMELINE_BYTES + 1)
        except OSError as error:
            raise of_system(error, f"{name}: cannot be read") from error
    if len(content) > _MAX_TIMELINE_BYTES:
        raise FileError(f"{name}: larger than {_MAX_TIMELINE_BYTES} bytes; a timeline is never that long")
    try:
        return timeline.decode(content)
    except (ValueError, RecursionError) as error:
        raise FileError(
            f"{name}: is no timeline as anchord writes one: {error}; make it anew with anchord extract"
        ) from error
