"""One video, now: from what a person named to a written timeline."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import msgspec

from anchord import packs, timeline
from anchord.atomic import write_atomically
from anchord.errors import WorkerError
from anchord.settings import PackSettings, Settings, pack_settings
from anchord.timeline import Timeline
from anchord.worker.client import Worker
from anchord.worker.protocol import Job, printable

#: As an output: the timeline goes to stdout instead of a file.
STDOUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What a person asked for.

    Args:
        video: a file; or None, and then
        avatar_id: names a pack in
        base_path: the avatars root, where it is not the one of the settings.
        input_name: the pack's video, where it is not the one that the pack names.
        output: a file inside the pack, or, beside a plain video, anywhere; or ``STDOUT``.
        flags: further settings; they win over every file.
    """

    video: Path | None
    avatar_id: str | None
    base_path: Path | None
    input_name: str | None
    output: str | None
    flags: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A timeline, its bytes, and the file it went to; None for stdout."""

    video: str
    made: Timeline
    content: bytes
    file: Path | None


def extract_now(
    request: Request,
    settings: Settings,
    worker: Worker,
    on_progress: Callable[[int, int], None],
) -> Result:
    """
    Extract and write one timeline.

    Raises:
        AnchordError: whatever is wrong with the request, the video or the output.
    """
    chosen, stream, target = _opened(request, settings)
    with stream:
        video = printable(chosen.video)
        job = Job(number=1, video=video, settings=chosen.extract, limits=settings.limits)
        said = worker.work(job, stream, on_progress=on_progress)
    try:
        made = timeline.decode(said)
    except (ValueError, RecursionError) as error:
        raise WorkerError(f"{video}: the worker's timeline makes no sense: {error}") from error
    # In this process's own words: what reads the file meets nothing that the worker chose but values.
    content = timeline.encode(made)
    if target:
        write_atomically(target, content)
    return Result(video=chosen.video, made=made, content=content, file=target)


def _opened(request: Request, settings: Settings) -> tuple[PackSettings, BufferedReader, Path | None]:
    """The settings that hold, the opened video, and where the timeline goes."""
    is_file = request.output not in (None, STDOUT)
    if request.video is None:
        root = request.base_path or Path(settings.root)
        pack = packs.pack_called(root, request.avatar_id or "")
        folder = Path(pack.folder)
        names = {"video": request.input_name, "output": request.output if is_file else None}
        chosen = pack_settings(settings, pack.id, folder, _given({**request.flags, **names}))
        target = packs.output_file(folder, chosen.output)
        stream = packs.open_inside(folder, chosen.video)
    else:
        folder = request.video.absolute().parent
        chosen = pack_settings(settings, folder.name, folder, _given(request.flags))
        target = Path(str(request.output)) if is_file else packs.output_file(folder, chosen.output)
        stream = packs.open_file(request.video)
        chosen = msgspec.structs.replace(chosen, video=request.video.name)
    return chosen, stream, None if request.output == STDOUT else target


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    # A flag that may be repeated and was not given is an empty tuple.
    given = {key: value for key, value in flags.items() if value is not None and value != ()}
    with contextlib.suppress(KeyError, ValueError):  # not given, or a word
        given["smoothing"] = float(given["smoothing"])
    return given
