"""What a pack is, which files feed it, which video is meant, and whether its timeline is stale."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec

from anchord import timeline
from anchord.errors import (
    FileError,
    MachineError,
    NoInputError,
    RootError,
    SettingsError,
    VideoError,
    fault,
    reason,
)
from anchord.files import FileKey, Folder
from anchord.guard import guarded_within
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.model import MODEL_SHA256
from anchord.printable import printable
from anchord.settings import (
    DEFAULT_VIDEO,
    FILE_NAME,
    MAX_BASE_BYTES,
    PackSettings,
    Settings,
    pack_settings,
)
from anchord.shard import Shard

#: Folders that servers, file systems and other programs make, and that nobody means as packs; and every
#: hidden one.
_NOT_PACKS = frozenset(
    ("lost+found", "@eaDir", "@Recycle", "@Recently-Snapshot", "#recycle", "#snapshot", "$RECYCLE.BIN")
)
#: Taken where no video is named and there is no idle.webm, if there is just one of them.
_STAND_INS = ("idle.mp4", "idle.mov", "idle.m4v", "idle.mkv")
_VIDEO_SUFFIXES = (".webm", ".mp4", ".mov", ".m4v", ".mkv")
# So many entries of a folder are looked through for a video, and so many named in a hint.
_LISTED, _NAMED = 2000, 3

_HASHED_AT_ONCE = 1 << 20


#: Every pack.
ALL = Shard()


class Pack(NamedTuple):
    """An avatar's folder in the avatars root."""

    id: str
    folder: str


#: The keys of the video, the pack's settings, its manifest and its base face; None for what is not there.
FeedKey: TypeAlias = tuple[FileKey | None, FileKey | None, FileKey | None, FileKey | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Why a pack's timeline must be made anew."""

    reason: str
    #: Where only times differ: the digest which, found again, makes the timeline good.
    unless_sha256: str | None = None


def is_pack_name(name: str) -> bool:
    """Whether a folder of this name in the root is meant as a pack."""
    return name[:1] not in ("", ".") and name not in _NOT_PACKS


def find_packs(root: Path, depth: int = 1, shard: Shard = ALL) -> list[Pack]:
    """The packs of the avatars *root*, in the order of their ids; raises as :func:`pack_ids`."""
    return [Pack(name, f"{root}/{name}") for name in sorted(pack_ids(root, depth=depth)) if shard.has(name)]


def pack_ids(root: Path, *, follow: bool = True, depth: int = 1) -> list[str]:
    """
    The ids of the packs of the avatars *root*, in no order.

    Args:
        root: where they lie.
        follow: see where links lead, which may hang with a mount; else every link counts as a pack, and
            the look at it says what it is.
        depth: 1 where packs lie in the root, 2 where they lie in its folders, its groups. A group that can't
            be read counts as a pack, so that a look says what is wrong with it.

    Raises:
        RootError: the root can't be read.
    """
    if depth == 1:
        return _ids_in(root, follow)
    found = []
    for group in groups(root):
        try:
            found += [f"{group}/{name}" for name in _ids_in(root / group, follow)]
        except RootError:
            found.append(group)
    return found


def groups(root: Path) -> list[str]:
    """
    The folders of the avatars *root* that packs lie in, where they lie in such; in no order.

    Raises:
        RootError: the root can't be read.
    """
    return _ids_in(root, follow=True)


def _ids_in(root: Path, follow: bool) -> list[str]:
    try:
        with os.scandir(root) as entries:
            return [
                entry.name
                for entry in entries
                if (entry.is_dir(follow_symlinks=False) or is_link_to_folder(entry, follow))
                and is_pack_name(entry.name)
            ]
    except OSError as error:
        raise RootError(
            f"{root}: avatars root cannot be read: {reason(error)}; create it, or name another with "
            "--root or root = in anchord.toml"
        ) from error


def is_link_to_folder(entry: os.DirEntry[str], follow: bool = True) -> bool:
    """
    Whether an entry of the root is a link to a folder; or, not followed, any link.

    What can't be looked at counts as one: the look at that pack says what is wrong with it.
    """
    if not entry.is_symlink() or not follow:
        return entry.is_symlink()
    found = guarded_within(lambda: stat.S_ISDIR(os.stat(entry.path).st_mode), entry.path)  # noqa: PTH116
    return found if isinstance(found, bool) else found.is_environment


def pack_called(root: Path, pack_id: str, depth: int = 1) -> Pack:
    """
    The pack with this id, which with *depth* 2 may name its group, too.

    Raises:
        SettingsError: the id is not a plain folder name.
        NoInputError: there is no such folder.
    """
    names = pack_id.split("/")
    if len(names) > depth or "\0" in pack_id or not {"", ".", ".."}.isdisjoint(names):
        what = "must be the plain name of a folder in" if depth == 1 else "must be such as ab/abcd, in"
        raise SettingsError(f"avatar id {pack_id!r}: {what} {root}")
    folder = root / pack_id
    try:
        is_there = folder.stat() and folder.is_dir()
    except OSError as error:
        if fault(error) == "machine":
            raise MachineError(f"{folder}: cannot be looked at: {reason(error)}") from error
        is_there = False
    if not is_there:
        raise NoInputError(f"{folder}: no such pack; the avatars root is {root}")
    return Pack(pack_id, str(folder))


def chosen(
    settings: Settings, pack_id: str, folder: Folder, flags: dict[str, Any] | None = None
) -> PackSettings:
    """
    What holds for a pack, its video found: :func:`~anchord.settings.pack_settings`, and where nothing
    names a video and there is no idle.webm, the only idle.mp4, .mov, .m4v or .mkv.

    Raises:
        AnchordError: as pack_settings.
        OSError: the machine does not say what is there.
    """
    found = pack_settings(settings, pack_id, folder, flags)
    if "video" in found.origins or folder.look(DEFAULT_VIDEO) is not None:
        return found
    there = [name for name in _STAND_INS if folder.look(name) is not None]
    if len(there) != 1:
        return found
    origins = {**found.origins, "video": "the only idle video there"}
    return msgspec.structs.replace(found, video=there[0], is_stand_in=True, origins=origins)


def missing_video(folder: Folder, settings: PackSettings) -> str:
    """
    Why a pack has no video, in a sentence that names what is meant instead, as far as can be told.

    Raises:
        OSError: the folder can't be listed.
    """
    wanted, origin = settings.video, settings.origins.get("video")
    text = f"there is no {wanted}" + (f", which {origin} names" if origin else "")
    near = _near_misses(folder, wanted)
    if not near:
        return text
    listed = ", ".join(near[:_NAMED]) + (" and more" if len(near) > _NAMED else "")
    is_spelt_alike = len(near) == 1 and _folded(near[0]) == _folded(wanted)
    advice = (
        f"rename it to {wanted}" if is_spelt_alike else "name one in manifest.json (base.idleVideo)"
    ) + f', or set video = "{near[0]}" in the pack\'s {FILE_NAME}'
    return f"{text}; there is {listed}: {advice}"


def _near_misses(folder: Folder, wanted: str) -> list[str]:
    """Videos in the folder, those that are spelt like the wanted one alone where there are any."""
    try:
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder.descriptor)
    except PermissionError:
        return []  # it may be entered and not read
    try:
        with os.scandir(descriptor) as entries:
            names = sorted(entry.name for entry in islice(entries, _LISTED) if entry.name[0] != ".")
    finally:
        os.close(descriptor)
    alike = [name for name in names if name != wanted and _folded(name) == _folded(wanted)]
    return alike or [name for name in names if name.lower().endswith(_VIDEO_SUFFIXES)]


def _folded(name: str) -> str:
    """What two spellings of a name have in common: case, and how Unicode composes its letters."""
    return unicodedata.normalize("NFC", name).casefold()


def feed_of(folder: Folder, settings: PackSettings) -> FeedKey:
    """
    What the files that feed a pack's timeline look like.

    Raises:
        OSError: the machine does not say.
    """
    base = folder.look(settings.base) if settings.base else None
    return folder.look(settings.video), folder.look(FILE_NAME), folder.look(MANIFEST_NAME), base


def staleness(folder: Folder, settings: PackSettings, video: FileKey) -> Stale | None:
    """
    Why the timeline in a pack does not match its video, its settings and this version; None where it does.

    Only the timeline is read, never the video. It is believed without one where size and time of the
    video are as written in it and the video was not touched since: whatever replaces a file, a restore,
    a rename or ``touch -r``, leaves a change time that is not older than the timeline's own, and
    that can't be set. Where that does not hold the answer has ``unless_sha256``.

    Raises:
        MachineError: the timeline can't be read now.
    """
    try:
        with folder.open(settings.output) as stream:
            made, written_ns = timeline.head(stream), os.fstat(stream.fileno()).st_ctime_ns
    except NoInputError:
        return Stale(reason="timeline missing")
    except OSError as error:
        raise MachineError(f"{folder.path}/{settings.output}: cannot be read: {reason(error)}") from error
    if made is None:
        return Stale(reason="timeline unreadable")
    if made.generator.method != timeline.METHOD or made.generator.model_sha256 != MODEL_SHA256:
        return Stale(reason="method changed")
    is_of_this = made.source.video == printable(settings.video)
    if not is_of_this or made.generator.settings_sha256 != settings.extract.sha256():
        return Stale(reason="settings changed")
    if (why := _other_picture(folder, settings, made, written_ns)) is not None:
        return Stale(reason=why)
    if made.source.size != video.size:
        return Stale(reason="video changed")
    if made.source.mtime_us == video.mtime_us and video.ctime_ns < written_ns:
        return None
    return Stale(reason="video changed", unless_sha256=str(made.source.sha256))


def _other_picture(
    folder: Folder, settings: PackSettings, made: timeline.Head, written_ns: int
) -> str | None:
    """Why a timeline is not of the pack's static anchors and base face; None where it is, or needs none."""
    generator, quality = made.generator, made.quality
    statics = settings.statics.sha256() if settings.statics else ""
    # What a face's landmarks say needs no anchors, unless there are so few of them that these were asked.
    needs_statics = isinstance(quality, timeline.Quality) and quality.asks_statics(settings.extract.follow)
    if needs_statics and generator.statics_sha256 != statics:
        return "anchors changed"
    base = base_face(folder, settings)
    if base is None:
        return "base face changed" if generator.base_sha256 else None
    with base:
        is_new = FileKey.of_opened(base).ctime_ns >= written_ns or not generator.base_sha256
        if is_new and digest(base, f"{folder.path}/{settings.base}") != generator.base_sha256:
            return "base face changed"
    return None


def base_face(folder: Folder, settings: PackSettings) -> BufferedReader | None:
    """
    The picture of the base face, opened; None where there is none that can be read.

    Raises:
        MachineError: it can't be opened now.
    """
    if not settings.base:
        return None
    try:
        stream = folder.open(settings.base)
    except (NoInputError, FileError):
        return None
    if FileKey.of_opened(stream).size > MAX_BASE_BYTES:
        stream.close()
        return None
    return stream


def base_key(folder: Folder, settings: PackSettings) -> tuple[FileKey | None, str]:
    """
    What the base face's picture looks like, and its digest; None and empty where there is none to be read.

    Raises:
        MachineError: it can't be read now.
    """
    stream = base_face(folder, settings)
    if stream is None:
        return None, ""
    with stream:
        return FileKey.of_opened(stream), digest(stream, f"{folder.path}/{settings.base}")


def check_size(what: str, video: FileKey, most: int) -> None:
    """
    See, before it is read, that a video is not larger than it may be.

    Raises:
        VideoError: it is; a worker would refuse it anyway, after minutes.
    """
    if video.size > most:
        raise VideoError(
            f"{what}: has {video.size} bytes, over the limit max_bytes = {most}; "
            "use a smaller video, or raise limits.max_bytes in anchord.toml"
        )


def digest(stream: BufferedReader, name: str) -> str:
    """
    SHA-256 of a video's content, hexadecimal; the stream is rewound.

    Raises:
        MachineError: it can't be read now.
    """
    found = hashlib.sha256()
    try:
        stream.seek(0)
        while part := stream.read(_HASHED_AT_ONCE):
            found.update(part)
        stream.seek(0)
    except OSError as error:
        raise MachineError(f"{name}: cannot be read: {reason(error)}") from error
    return found.hexdigest()


def confirm(folder: Folder, output: str) -> None:
    """
    Note on the timeline itself that its video was read and found to be the same: its change time is now.

    Nothing else of it changes, so that no web server sends it anew. Where this user may not, the next
    start reads the video once more.
    """
    try:
        with folder.open(output) as stream:
            status = os.fstat(stream.fileno())
            os.utime(stream.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
    except (OSError, FileError, NoInputError, MachineError):
        return
