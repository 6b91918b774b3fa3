"""Packs and clips shown to a person: from what was named to written pictures, films and pages."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal, Self

from anchord import packs, timeline
from anchord.atomic import write_through
from anchord.commands import extract
from anchord.commands.progress import Bar
from anchord.errors import AnchordError, FileError, NoInputError, OutputError, SettingsError
from anchord.files import FileKey, Folder, open_any
from anchord.guard import guarded
from anchord.manifest import whole
from anchord.preview.page import Card
from anchord.preview.plot import plot
from anchord.printable import printable
from anchord.settings import PackSettings, Settings
from anchord.shard import Shard
from anchord.timeline import Timeline
from anchord.worker.client import Worker
from anchord.worker.protocol import PreviewFile, PreviewJob, PreviewKind

Form = Literal["sheet", "video", "plot"]
OnProgress = Callable[[int, int], None]

#: Of each form, what its file's name ends with; a film's own ending says which container it is.
SUFFIXES: dict[Form, tuple[str, ...]] = {"sheet": (".png",), "video": (".webm", ".mp4"), "plot": (".svg",)}

# A picture of a pack in use is far smaller; a larger one is nobody's sprite.
_MAX_PICTURE_BYTES = 64 << 20
_MAX_TIMELINE_BYTES = 512 << 20
# Where a manifest names no picture, the page looks for these.
_USUAL: dict[PreviewFile, str] = {
    "mouth": "mouth_sprites.png",
    "mouth_mask": "mouth_mask.png",
    "eyes_open": "eyes_open.png",
    "eyes_half": "eyes_half.png",
    "eyes_closed": "eyes_closed.png",
    "eyes_mask": "eyes_mask.png",
}
# A worker has a decoder with threads of its own; more of them than this only wait for one another.
_MOST_WORKERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    What a person named.

    Args:
        name: what it is called.
        folder: the pack's, or the one that a plain video lies in.
        video: the plain video; None for a pack, which has its own.
    """

    name: str
    folder: str
    video: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    A clip with the timeline that is shown.

    Args:
        name: what it is called.
        made: the timeline.
        is_written: whether it is the one in the pack; else it was made for this, and written nowhere.
    """

    name: str
    made: Timeline
    is_written: bool


def targets(named: Sequence[str], root: Path, settings: Settings, *, everything: bool) -> list[Target]:
    """
    Packs and videos that a person named; all of *root*, if *everything*.

    A path to a file is a video and one to a folder a pack; what is neither is a pack's id in *root*.

    Raises:
        SettingsError: nothing was named, or both.
        NoInputError: there is no such thing.
        RootError: the root can't be read.
    """
    if everything == bool(named):
        raise SettingsError("name packs or videos, or --all for every pack of the avatars root")
    if everything:
        shard = Shard.of(settings.shard)
        found = packs.find_packs(root, settings.depth, shard)
        return [Target(name=pack.id, folder=pack.folder) for pack in found]
    return [_target(name, root, settings.depth) for name in named]


def _target(name: str, root: Path, depth: int) -> Target:
    path = Path(name)
    if path.is_dir():
        return Target(name=path.resolve().name, folder=str(path.absolute()))
    # Where packs lie in groups, an id has a slash, too.
    if path.exists() or name.count("/") >= depth:
        return Target(name=path.name, folder=str(path.absolute().parent), video=path)
    pack = packs.pack_called(root, name, depth)
    return Target(name=pack.id, folder=pack.folder)


def outputs(found: Sequence[Target], form: Form, output: str | None) -> list[str]:
    """
    Where the file of each target goes.

    Args:
        found: the targets.
        form: what is made of each.
        output: a file for one target, or a folder; None for the current one.

    Raises:
        SettingsError: the name's end says that it is something else.
        OutputError: there is no such folder.
    """
    is_folder = output is not None and (output.endswith("/") or Path(output).is_dir())
    if output is None or is_folder or len(found) > 1:
        folder = Path(output or ".")
        if not folder.is_dir():
            raise OutputError(f"{folder}: cannot be written to: no folder of this name is there")
        return [str(folder / f"{target.name.replace('/', '-')}{SUFFIXES[form][0]}") for target in found]
    if not output.endswith(SUFFIXES[form]):
        raise SettingsError(f"-o {output!r}: must end with {' or '.join(SUFFIXES[form])}")
    if not (parent := Path(output).absolute().parent).is_dir():
        raise OutputError(f"{output}: cannot be written: there is no folder {parent}")
    return [output]


def previews(
    found: Sequence[tuple[Target, str]], form: Form, settings: Settings, bar: Bar | None
) -> Iterator[tuple[Target, str, Found | AnchordError]]:
    """
    Show clips and write that, one after another; what is wrong with one costs no other.

    Args:
        found: the targets, and where the file of each goes.
        form: what is made of each.
        settings: as they hold for all.
        bar: shows how far it is.
    """
    with _Kept(settings) as kept:
        for i, (target, file) in enumerate(found):
            if bar:
                bar.working(target.name, len(found) - i - 1)
            on_progress = partial(bar.progressed, target.name) if bar else _unseen
            yield target, file, guarded(partial(_preview, target, form, file, settings, kept, on_progress))
            if bar:
                bar.finished(target.name)


def _preview(
    target: Target, form: Form, output: str, settings: Settings, kept: _Kept, on_progress: OnProgress
) -> Found:
    kinds: dict[str, PreviewKind] = {".png": "sheet", ".webm": "webm", ".mp4": "mp4"}
    wanted = [kind for suffix, kind in kinds.items() if output.endswith(suffix) and form != "plot"]
    found, made = _shown(target, wanted, settings, kept.worker(), on_progress)
    content = plot(found.name, found.made).encode() if form == "plot" else made[wanted[0]]
    write_through(output, content)
    return found


class _Kept:
    """A worker for one job after another, started anew where it was lost. It ends with its thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._worker = Worker(settings.worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.end()

    def worker(self) -> Worker:
        """It, alive as far as can be told."""
        if self._worker.is_gone:
            self._worker = Worker(self._settings.worker)
        return self._worker


def _unseen(_done: int, _expected: int) -> None:
    """Nobody looks on."""


def _shown(
    target: Target,
    wanted: Sequence[PreviewKind],
    settings: Settings,
    worker: Worker,
    on_progress: OnProgress,
) -> tuple[Found, dict[PreviewKind, bytes]]:
    """
    A clip's timeline, and the worker's pictures of it.

    Raises:
        AnchordError: whatever is wrong with the pack or the clip.
    """
    with contextlib.ExitStack() as opened:
        folder = opened.enter_context(Folder(target.folder))
        chosen = packs.chosen(settings, target.name, folder)
        if target.video is None:
            video = opened.enter_context(_video(folder, chosen))
            name = chosen.video
        else:
            video = opened.enter_context(open_any(str(target.video)))
            name = target.video.name
        packs.check_size(name, FileKey.of_opened(video), settings.limits.max_bytes)
        made = _written(folder, chosen.output, name, FileKey.of_opened(video).size)
        found = Found(
            name=printable(target.name),
            made=made or _made(target, name, settings, worker, on_progress),
            is_written=made is not None,
        )
        if not wanted:
            return found, {}
        files: dict[PreviewFile, BufferedReader] = {"video": video}
        files["timeline"] = opened.enter_context(_in_memory(timeline.encode(found.made)))
        if not {"webm", "mp4"}.isdisjoint(wanted):
            files |= {role: opened.enter_context(stream) for role, stream in _pictures(folder)}
        job = PreviewJob(
            number=1, video=found.name, files=tuple(files), wanted=tuple(wanted), limits=settings.limits
        )
        return found, worker.preview(job, list(files.values()), on_progress=on_progress)


def cards(found: Sequence[Target], settings: Settings, on_done: Callable[[str], None]) -> list[Card]:
    """
    A card of each pack, in their order; what is wrong with one stands on its card and costs no other.

    Args:
        found: the packs.
        settings: as they hold for all.
        on_done: told each name, from any thread, as soon as its card is made.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for i in range(len(found)):
        waiting.put(i)
    made: dict[int, Card] = {}

    def work() -> None:
        with _Kept(settings) as kept:
            while (i := _next(waiting)) is not None:
                made[i] = _card(found[i], settings, kept)
                on_done(found[i].name)

    count = min(_MOST_WORKERS, len(os.sched_getaffinity(0)), len(found))
    threads = [threading.Thread(target=guarded, args=(work,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [
        made.get(i) or Card(printable(target.name), None, fault="no worker could be started for it")
        for i, target in enumerate(found)
    ]


def _next(waiting: queue.SimpleQueue[int]) -> int | None:
    try:
        return waiting.get_nowait()
    except queue.Empty:
        return None


def _card(target: Target, settings: Settings, kept: _Kept) -> Card:
    outcome = guarded(lambda: _shown(target, ["strip"], settings, kept.worker(), _unseen))
    if isinstance(outcome, AnchordError):
        return Card(printable(target.name), None, fault=printable(str(outcome)))
    found, made = outcome
    note = "" if found.is_written else "its timeline is not written yet; this one was made for the page"
    return Card(found.name, found.made, made["strip"], note)


def _video(folder: Folder, chosen: PackSettings) -> BufferedReader:
    try:
        return folder.open(chosen.video)
    except NoInputError as error:
        raise NoInputError(f"{folder.path}: {packs.missing_video(folder, chosen)}") from error


def _written(folder: Folder, output: str, video: str, size: int) -> Timeline | None:
    """The timeline that a page draws now, if it is this video's; None where none can be read."""
    try:
        made = timeline.decode(folder.read(output, at_most=_MAX_TIMELINE_BYTES))
    except (NoInputError, FileError, ValueError, RecursionError):
        return None
    is_of_it = made.source.video == printable(video) and made.source.size == size
    return made if is_of_it else None


def _made(
    target: Target, video: str, settings: Settings, worker: Worker, on_progress: OnProgress
) -> Timeline:
    """A timeline made for this, and written nowhere."""
    request = extract.Request(
        video=target.video or Path(target.folder) / video,
        avatar_id=None,
        base_path=None,
        input_name=None,
        output=extract.STDOUT,
        flags={},
    )
    return timeline.decode(extract.extract_now(request, settings, worker, on_progress).content)


def _pictures(folder: Folder) -> Iterator[tuple[PreviewFile, BufferedReader]]:
    """The pack's manifest and sprites, opened: those that are there and are no larger than pictures are."""
    try:
        manifest = whole(folder)
    except AnchordError:
        manifest = {}  # a page makes do with the usual names, too
    for role, name in {"manifest": "manifest.json", **_names(manifest)}.items():
        try:
            stream = folder.open(name)
        except (NoInputError, FileError):
            continue
        if FileKey.of_opened(stream).size > _MAX_PICTURE_BYTES:
            stream.close()
            continue
        yield role, stream


def _names(manifest: dict[str, Any]) -> dict[PreviewFile, str]:
    mouth, eyes = (manifest.get(part) for part in ("mouth", "eyes"))
    named: dict[PreviewFile, Any] = dict(_USUAL)
    if isinstance(mouth, dict):
        named["mouth"] = mouth.get("spritesheet", named["mouth"])
        named["mouth_mask"] = mouth.get("mask", named["mouth_mask"])
    if isinstance(eyes, dict):
        named["eyes_mask"] = eyes.get("mask", named["eyes_mask"])
        lids = eyes.get("frames")
        if isinstance(lids, dict):
            named["eyes_open"] = lids.get("open")
            named["eyes_half"] = lids.get("half")
            named["eyes_closed"] = lids.get("closed")
    return {role: name for role, name in named.items() if isinstance(name, str)}


def _in_memory(content: bytes) -> BufferedReader:
    """An open file that is on no disk, for the worker, which may open none."""
    descriptor = os.memfd_create("timeline", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.fdopen(descriptor, "rb")
