"""One video, now: from what a person named to a written timeline."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import msgspec

from anchord import packs
from anchord.atomic import write_through
from anchord.errors import NoInputError, OutputError
from anchord.files import FileKey, Folder, open_any, spooled
from anchord.printable import printable
from anchord.service.delivery import checked
from anchord.settings import DEFAULT_VIDEO, PackSettings, Settings, pack_settings
from anchord.timeline import Timeline
from anchord.worker.client import Worker
from anchord.worker.executor import Draft, Task
from anchord.worker.protocol import Job

#: As an output: the timeline goes to stdout instead of a file; as a video: it comes by stdin.
STDOUT = STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What a person asked for.

    Args:
        video: a file, or ``STDIN``; or None, and then
        avatar_id: names a pack in
        base_path: the avatars root, where it is not the one of the settings.
        input_name: the pack's video, where it is not the one that the pack names; or what stdin's is called.
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
    """A timeline without its frames, its bytes, and where it went; None for stdout."""

    video: str
    made: Timeline
    content: bytes
    file: str | None


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
    chosen, stream, base, target = _opened(request, settings)
    with stream, base or contextlib.nullcontext():
        key = FileKey.of_opened(stream)
        packs.check_size(chosen.video, key, settings.limits.max_bytes)
        task = Task(
            pack=request.avatar_id or "",
            settings=chosen,
            limits=settings.limits,
            feed=(key, None, None, None),
            sha256=packs.digest(stream, chosen.video),
            reason="asked for",
            owner=key.owner,
            base=FileKey.of_opened(base) if base else None,
            base_sha256=packs.digest(base, chosen.base) if base else "",
        )
        video = printable(chosen.video)
        job = Job(
            number=1,
            video=video,
            settings=chosen.extract,
            limits=settings.limits,
            statics=chosen.statics,
            has_base=base is not None,
        )
        said = worker.work(job, stream, base, on_progress=on_progress)
    # What decodes a stranger's file is believed no more here than by the daemon.
    made, content = checked(task, Draft(said))
    if target is not None:
        target.write(content)
    return Result(
        video=chosen.video, made=made, content=content, file=None if target is None else target.name
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Where the timeline goes: a file of a pack, or, *folder* being empty, what a person named."""

    folder: str = ""
    file: str

    @property
    def name(self) -> str:
        return f"{self.folder}/{self.file}" if self.folder else self.file

    def check(self) -> None:
        """See, before any work is done, that it can be written as far as can be told."""
        if self.folder:
            with Folder(self.folder) as folder:
                folder.check_output(self.file)
        elif not (parent := Path(self.file).absolute().parent).is_dir():
            raise OutputError(f"{self.file}: cannot be written: there is no folder {parent}")

    def write(self, content: bytes) -> None:
        """Replace a regular file, write through anything else that a person named."""
        if self.folder:
            with Folder(self.folder) as folder:
                folder.write(self.file, content)
        else:
            write_through(self.file, content)


def _opened(
    request: Request, settings: Settings
) -> tuple[PackSettings, BufferedReader, BufferedReader | None, _Target | None]:
    """The settings that hold, the opened video and base face, and where the timeline goes."""
    named = None if request.output == STDOUT else request.output
    if str(request.video) == STDIN:
        chosen = _called(request.input_name or DEFAULT_VIDEO, settings, request.flags)
        target = _Target(file=named) if named else None
        if target:
            target.check()
        return chosen, spooled(sys.stdin.buffer, "stdin", settings.limits.max_bytes), None, target
    if request.video is None:
        root = request.base_path or Path(settings.root)
        pack = packs.pack_called(root, request.avatar_id or "", settings.depth)
        names = {"video": request.input_name, "output": named}
        with Folder(pack.folder) as folder:
            chosen = packs.chosen(settings, pack.id, folder, _given({**request.flags, **names}))
            stream = _video(folder, chosen)
            base = packs.base_face(folder, chosen)
        target = _Target(folder=pack.folder, file=chosen.output)
    else:
        parent = request.video.absolute().parent
        with Folder(str(parent)) as folder:
            chosen = pack_settings(settings, parent.name, folder, _given(request.flags))
            base = packs.base_face(folder, chosen)
        stream = open_any(str(request.video))
        chosen = msgspec.structs.replace(chosen, video=request.video.name)
        target = _Target(file=named) if named else _Target(folder=str(parent), file=chosen.output)
    if request.output == STDOUT:
        return chosen, stream, base, None
    target.check()
    return chosen, stream, base, target


def _called(video: str, settings: Settings, flags: Mapping[str, Any]) -> PackSettings:
    """What holds for a video of this name that lies in no pack."""
    return pack_settings(settings, "", None, _given({**flags, "video": video}))


def _video(folder: Folder, chosen: PackSettings) -> BufferedReader:
    try:
        return folder.open(chosen.video)
    except NoInputError as error:
        raise NoInputError(f"{folder.path}: {packs.missing_video(folder, chosen)}") from error


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    # A flag that may be repeated and was not given is an empty tuple.
    given = {key: value for key, value in flags.items() if value is not None and value != ()}
    with contextlib.suppress(KeyError, ValueError):  # not given, or a word
        given["smoothing"] = float(given["smoothing"])
    return given
