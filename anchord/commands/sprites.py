"""A pack's pictures, now: from its idle clip to a face that can speak."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from anchord import packs, sprite_set
from anchord.atomic import write_through
from anchord.errors import ExistingFilesError, NoInputError, OutputError, SettingsError, WorkerError
from anchord.files import FileKey, Folder, open_any
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.manifest import whole
from anchord.printable import printable
from anchord.settings import PackSettings, Settings
from anchord.sprite_set import PICTURES, VISEMES, SpriteSet, Viseme
from anchord.sprites import manifest
from anchord.sprites.visemes import SENTENCE
from anchord.worker.client import Worker
from anchord.worker.protocol import SpriteJob

# A picture of a pack in use is far smaller; a larger one is nobody's sprite.
_MAX_PICTURE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What a person asked for.

    Args:
        folder: the pack's folder; or None, and then
        avatar_id: names one in
        root: the avatars root.
        speech: a clip in which the same person speaks.
        visemes: which, in the order of the sheet.
        force: replace files that are not anchord's own.
        preview: where a contact sheet goes.
    """

    folder: Path | None
    avatar_id: str | None
    root: Path
    speech: Path | None
    visemes: Sequence[Viseme]
    force: bool
    preview: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was made, and where it lies."""

    folder: str
    made: SpriteSet
    files: Sequence[str]
    #: Whether the pack can be followed already; a daemon makes that by itself.
    has_timeline: bool
    #: The idle clip.
    video: str

    def lines(self) -> Iterator[str]:
        """What to tell a person."""
        made = self.made
        yield (
            f"reference: the frame at {made.time_ms / 1000:.2f} s; noise {made.noise[0]:.1f} -> "
            f"{made.noise[1]:.1f} grey levels, sharpness {made.sharpness:.0%}"
        )
        for name, told in [*made.visemes.items(), *made.lids.items()]:
            origin = f"of {told.frames} frames" if told.frames else "drawn"
            yield f"  {name:7} {origin:13} edge {told.step:.1f}, skin {told.texture:.1f} grey levels"
        if not all(told.frames for name, told in made.visemes.items() if name not in ("REST", "TH")):
            yield "for real mouths, film this face once more while it says this, and add --from CLIP:"
            yield f'  "{SENTENCE}"'


def visemes_in(text: str | None) -> tuple[Viseme, ...]:
    """
    The visemes that a person listed, REST first, whatever the order.

    Raises:
        SettingsError: one of them is unknown.
    """
    if text is None:
        return VISEMES
    asked = {name.strip().upper() for name in text.split(",") if name.strip()}
    if unknown := sorted(asked - set(VISEMES)):
        raise SettingsError(f"--visemes {text!r}: {unknown[0]!r} is none of {', '.join(VISEMES)}")
    return tuple(viseme for viseme in VISEMES if viseme in asked or viseme == "REST")


def make_sprites(
    request: Request, settings: Settings, worker: Worker, on_progress: Callable[[int, int], None]
) -> Result:
    """
    Make and write a pack's pictures and its manifest.

    Raises:
        ExistingFilesError: files in their way are somebody else's; nothing was done.
        AnchordError: whatever else is wrong with the request, the clips or the pack.
    """
    pack = _pack(request, settings.depth)
    with Folder(pack.folder) as folder:
        chosen = packs.chosen(settings, pack.id, folder)
        before = whole(folder)
        for output in (*PICTURES, MANIFEST_NAME):
            folder.check_output(output)
        _check_preview(request.preview)
        if not request.force:
            _check_own(folder, pack, before)
        made = _drawn(request, settings, chosen, folder, worker, on_progress)
        target = (chosen.extract.target_width, chosen.extract.target_height)
        try:
            files = sprite_set.checked(made, target, request.visemes)
        except ValueError as error:
            raise WorkerError(f"the worker's pictures make no sense: {printable(str(error))}") from error
        files[MANIFEST_NAME] = manifest.manifest(
            made, files, before, avatar_id=pack.id, video=chosen.video, target=target
        )
        folder.write_all(files)
        if request.preview is not None:
            write_through(request.preview, made.preview)
        has_timeline = folder.look(chosen.output) is not None
    return Result(
        folder=pack.folder,
        made=made,
        files=list(files),
        has_timeline=has_timeline,
        video=f"{pack.folder}/{chosen.video}",
    )


def _check_preview(file: str | None) -> None:
    """See, before any work is done, that there is a folder for it."""
    if file is not None and not (parent := Path(file).absolute().parent).is_dir():
        raise OutputError(f"{file}: cannot be written: there is no folder {parent}")


def _pack(request: Request, depth: int) -> packs.Pack:
    if request.folder is None:
        return packs.pack_called(request.root, request.avatar_id or "", depth)
    folder = request.folder.absolute()
    if not folder.is_dir():
        raise NoInputError(f"{folder}: is no pack's folder; name one, or a pack with --avatar-id")
    return packs.Pack(folder.name, str(folder))


def _check_own(folder: Folder, pack: packs.Pack, before: dict[str, Any]) -> None:
    """See that nothing is replaced that somebody else made, or changed."""
    there: dict[str, bytes] = {}
    name: str
    for name in PICTURES:
        if (key := folder.look(name)) is not None:
            there[name] = (
                folder.read(name, at_most=_MAX_PICTURE_BYTES) if key.size <= _MAX_PICTURE_BYTES else b""
            )
    foreign: list[str] = sorted(set(there) - sprite_set.own(there))
    if before and not manifest.is_own(before):
        foreign.append(MANIFEST_NAME)
    if foreign:
        raise ExistingFilesError(
            f"{pack.folder}: would replace {', '.join(foreign)}, which anchord did not make or somebody has "
            f"changed since, and write {', '.join((*PICTURES, MANIFEST_NAME))}; nothing was done. "
            "With --force it does so, and keeps what manifest.json says of other things"
        )


def _drawn(
    request: Request,
    settings: Settings,
    chosen: PackSettings,
    folder: Folder,
    worker: Worker,
    on_progress: Callable[[int, int], None],
) -> SpriteSet:
    with _video(folder, chosen) as idle:
        packs.check_size(chosen.video, FileKey.of_opened(idle), settings.limits.max_bytes)
        job = SpriteJob(
            number=1,
            video=printable(chosen.video),
            speech=None if request.speech is None else printable(request.speech.name),
            settings=chosen.extract,
            limits=settings.limits,
            visemes=tuple(request.visemes),
            preview=request.preview is not None,
        )
        if request.speech is None:
            return worker.draw(job, [idle], on_progress=on_progress)
        with open_any(str(request.speech)) as speech:
            packs.check_size(str(request.speech), FileKey.of_opened(speech), settings.limits.max_bytes)
            return worker.draw(job, [idle, speech], on_progress=on_progress)


def _video(folder: Folder, chosen: PackSettings) -> BufferedReader:
    try:
        return folder.open(chosen.video)
    except NoInputError as error:
        raise NoInputError(f"{folder.path}: {packs.missing_video(folder, chosen)}") from error
