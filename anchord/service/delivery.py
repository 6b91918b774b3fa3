"""From a pack's turn to its written timeline: what the worker gets, and what becomes of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import structlog

from anchord import packs, timeline
from anchord.atomic import write_atomically
from anchord.errors import ChangedVideoError, WorkerError
from anchord.packs import FeedKey, FileKey
from anchord.service.jobs import Job
from anchord.settings import Limits, PackSettings
from anchord.timeline import Timeline

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One pack's job, as it was when it was handed to the worker."""

    pack: str
    folder: Path
    settings: PackSettings
    feed: FeedKey
    video: FileKey
    reason: str
    job: Job
    stream: BufferedReader
    queued_s: float
    started_s: float


def assignment(
    pack: str,
    folder: Path,
    settings: PackSettings,
    limits: Limits,
    *,
    number: int,
    queued_s: float,
    now_s: float,
) -> Assignment | None:
    """
    The job that brings the pack's timeline up to date, its video opened; None where it is.

    Raises:
        NoInputError: there is no video.
        VideoError: the video is no plain file inside the pack.
        OutputError: the timeline can't be written there, or the video can't be read.
    """
    feed = packs.feed_key(str(folder), settings.video)
    # Asked before any work is done: a link there may lead out of the pack.
    packs.output_file(folder, settings.output)
    stream = packs.open_inside(folder, settings.video)
    video = FileKey.of_opened(stream)
    stale = packs.staleness(folder, settings, video)
    if stale is None:
        stream.close()
        return None
    job = Job(
        number=number,
        video=settings.video,
        settings=settings.extract,
        limits=limits,
        unless_sha256=stale.unless_sha256,
    )
    return Assignment(
        pack=pack,
        folder=folder,
        settings=settings,
        feed=feed,
        video=video,
        reason=stale.reason,
        job=job,
        stream=stream,
        queued_s=queued_s,
        started_s=now_s,
    )


def deliver(done: Assignment, content: bytes, *, now_s: float) -> Timeline:
    """
    Write the timeline that the worker made, and log the one line that says it all.

    Raises:
        ChangedVideoError: the video is no longer the one that was read; nothing was written.
        WorkerError: what the worker sent is no timeline.
        OutputError: it can't be written; the old timeline is still there.
    """
    try:
        made = timeline.decode(content)
    except ValueError as error:
        raise WorkerError(f"the worker's timeline makes no sense: {error}") from error
    if not _is_as_it_was(done):
        raise ChangedVideoError("the video changed while it was read")
    write_atomically(packs.output_file(done.folder, done.settings.output), content)
    quality = made.quality
    log.info(
        "timeline_written",
        frames=made.source.frame_count,
        samples=quality.samples,
        faces=quality.faces,
        coverage=round(quality.coverage, 4),
        longest_gap_ms=quality.longest_gap_ms,
        face_height=quality.face_height,
        warnings=[warning.code for warning in quality.warnings],
        bytes=len(content),
        reason=done.reason,
        queued_s=round(done.queued_s, 3),
        elapsed_s=round(now_s - done.started_s, 3),
    )
    for warning in quality.warnings:
        log.warning("video_warned", code=warning.code, advice=warning.message)
    return made


def _is_as_it_was(done: Assignment) -> bool:
    now = packs.feed_key(str(done.folder), done.settings.video)[0]
    return now is not None and now.same_content_as(done.video)
