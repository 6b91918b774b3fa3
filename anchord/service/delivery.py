"""From a worker's draft to a written timeline: compared with its task, and in our own encoding."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from anchord import __version__, packs, timeline
from anchord.errors import ChangedVideoError, WorkerError, WorkerStartError
from anchord.files import FileKey, Folder
from anchord.model import MODEL_SHA256
from anchord.printable import printable
from anchord.timeline import Quality, Timeline
from anchord.worker.executor import Draft, Task

# What a coverage may be off by, being written with four decimals.
_ROUNDED = 5e-5 + 1e-9


@dataclass(frozen=True, slots=True)
class Delivered:
    """A written timeline: its file, its frames' number, and how good it is."""

    output: FileKey
    frame_count: int
    byte_count: int
    quality: Quality


def deliver(root: str, task: Task, draft: Draft) -> Delivered:
    """
    Write the timeline that a worker made. Run in a lane.

    Raises:
        ChangedVideoError: video or settings are no longer those of the task; nothing was written.
        WorkerError: what the worker sent is no timeline, or not that of its task.
        OutputError: it can't be written; the old timeline is still there.
    """
    made, content = checked(task, draft)
    with Folder(f"{root}/{task.pack}") as folder:
        if not is_as_decided(folder, task):
            raise ChangedVideoError("the video or its settings changed while it was worked on")
        output = folder.write(task.settings.output, content)
    return Delivered(output, made.source.frame_count, len(content), made.quality)


def is_as_decided(folder: Folder, task: Task) -> bool:
    """Whether video, settings, manifest and base face are still those that the task was decided on."""
    feed = packs.feed_of(folder, task.settings)
    return all(
        now is was or (now is not None and was is not None and now.same_content_as(was))
        for now, was in zip(feed, task.feed, strict=True)
    )


def checked(task: Task, draft: Draft) -> tuple[Timeline, bytes]:
    """
    A draft as what is written for it: the timeline without its frames, and the file's bytes.

    The worker decodes files of strangers, so its answer is input: all that is known here is compared.

    Raises:
        WorkerError: it is no timeline, or says something else than its task.
        WorkerStartError: the worker is of another version, in the middle of an upgrade.
    """
    try:
        made, samples, content = timeline.recoded(draft.content)
    except ValueError as error:
        raise WorkerError(f"the worker's timeline makes no sense: {error}") from error
    if made.generator.version != __version__:
        raise WorkerStartError(
            f"the worker is of version {made.generator.version}, this of {__version__}: restart anchord"
        )
    wrong = [
        f"{name} is {found!r} and should be {wanted!r}"
        for name, found, wanted in _known_facts(task, made)
        if found != wanted
    ] + [name for name, is_right in _plausible(task, made, samples) if not is_right]
    if wrong:
        raise WorkerError(f"the worker's timeline is not that of its task: {'; '.join(wrong)[:1000]}")
    return made, content


def _known_facts(task: Task, made: Timeline) -> list[tuple[str, object, object]]:
    """What the timeline says and what the daemon knows by itself, pair by pair."""
    extract, video = task.settings.extract, task.feed[0]
    needs_statics = task.settings.statics is not None and made.quality.asks_statics(extract.follow)
    config = msgspec.structs.asdict(made.config)
    asked = msgspec.structs.asdict(extract)
    return [
        ("source.video", made.source.video, printable(task.settings.video)),
        ("source.size", made.source.size, video.size if video else None),
        ("source.mtime_us", made.source.mtime_us, video.mtime_us if video else None),
        ("source.sha256", made.source.sha256, task.sha256),
        ("source.sample_every_n_frames", made.source.sample_every_n_frames, extract.sample_rate),
        ("target.width", made.target.width, extract.target_width),
        ("target.height", made.target.height, extract.target_height),
        ("target.fit", made.target.fit, extract.fit),
        ("generator.name", made.generator.name, "anchord"),
        ("generator.method", made.generator.method, timeline.METHOD),
        ("generator.model_sha256", made.generator.model_sha256, MODEL_SHA256),
        ("generator.settings_sha256", made.generator.settings_sha256, extract.sha256()),
        (
            "generator.statics_sha256",
            made.generator.statics_sha256,
            task.settings.statics.sha256() if task.settings.statics and needs_statics else "",
        ),
        ("generator.base_sha256", made.generator.base_sha256, task.base_sha256),
        *((f"config.{key}", config[key], asked[key]) for key in config if key in asked),
    ]


def _plausible(task: Task, made: Timeline, samples: int) -> list[tuple[str, bool]]:
    """What must hold of any timeline, whatever is in the video."""
    source, quality, limits = made.source, made.quality, task.limits
    return [
        ("more frames than allowed", source.frame_count <= limits.max_frames),
        ("more pixels than allowed", source.width * source.height <= limits.max_pixels),
        # The last frame's own duration is not counted where a video is refused for its length.
        ("longer than allowed", 0 <= source.duration_ms <= 1000 * limits.max_duration_s + 60_000),
        ("more samples than frames", samples <= source.frame_count and quality.samples <= source.frame_count),
        ("more faces than samples", quality.faces <= quality.samples),
        (
            "followed as it was not asked to",
            quality.source == "landmarks"
            or (task.settings.statics is not None and task.settings.extract.follow != "landmarks"),
        ),
        (
            "coverage is not faces over samples",
            abs(quality.coverage * max(quality.samples, 1) - quality.faces)
            <= _ROUNDED * max(quality.samples, 1),
        ),
    ]
