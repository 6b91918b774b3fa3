"""What a pack is, which files feed it, and whether its timeline is stale."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, TypeAlias

from anchord import timeline
from anchord.errors import NoInputError, OutputError, RootError, SettingsError, VideoError
from anchord.model import MODEL_SHA256
from anchord.settings import FILE_NAME, MANIFEST_NAME, PackSettings

#: No timeline is larger: 36,000 samples with every extra stay well below.
MAX_TIMELINE_BYTES = 64 << 20


class Pack(NamedTuple):
    """An avatar's folder in the avatars root."""

    id: str
    folder: str


class FileKey(NamedTuple):
    """What changes when a file does, without reading it; the quick half of staleness."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of_opened(cls, stream: BufferedReader) -> FileKey:
        """The key of an opened file, whatever has become of its name."""
        return _key_of(os.fstat(stream.fileno()))

    @property
    def mtime_us(self) -> int:
        """Modification time in µs since 1970, as a timeline keeps it."""
        return self.mtime_ns // 1000

    def same_content_as(self, other: FileKey) -> bool:
        """Whether both saw the same bytes, as far as can be told; a chmod does not count."""
        return self[:4] == other[:4]


#: The keys of the video, the pack's settings and its manifest; None for a file that is not there.
FeedKey: TypeAlias = tuple[FileKey | None, FileKey | None, FileKey | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Why a pack's timeline must be made anew."""

    reason: str
    #: Where only the video's time differs: the digest which, found again, makes the timeline good.
    unless_sha256: str | None = None


def find_packs(root: Path) -> list[Pack]:
    """
    The packs of the avatars *root*, in the order of their ids. Hidden folders are not packs.

    Raises:
        RootError: the root can't be read.
    """
    try:
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries if entry.name[0] != "." and _is_folder(entry))
    except OSError as error:
        raise RootError(
            f"{root}: avatars root cannot be read: {error.strerror}; create it, or name another with "
            "--root or root = in anchord.toml"
        ) from error
    return [Pack(name, f"{root}/{name}") for name in names]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads nowhere, or in a circle


def pack_called(root: Path, pack_id: str) -> Pack:
    """
    The pack with this id.

    Raises:
        SettingsError: the id is not a plain folder name.
        NoInputError: there is no such folder.
    """
    if pack_id in ("", ".", "..") or "/" in pack_id or "\0" in pack_id:
        raise SettingsError(f"avatar id {pack_id!r}: must be the plain name of a folder in {root}")
    folder = root / pack_id
    if not folder.is_dir():
        raise NoInputError(f"{folder}: no such pack; the avatars root is {root}")
    return Pack(pack_id, str(folder))


def feed_key(folder: str, video: str) -> FeedKey:
    """What the files that feed a pack's timeline look like."""
    return (
        _key(f"{folder}/{video}"),
        _key(f"{folder}/{FILE_NAME}"),
        _key(f"{folder}/{MANIFEST_NAME}"),
    )


def _key(file: str) -> FileKey | None:
    try:
        return _key_of(os.stat(file))  # noqa: PTH116  10,000 packs: a Path object costs more than the call
    except OSError:
        return None


def _key_of(status: os.stat_result) -> FileKey:
    return FileKey(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def open_inside(folder: Path, name: str) -> BufferedReader:
    """
    The file *name* of a pack's *folder*, opened for reading.

    The check follows the opening, on the opened file itself, so that nothing can be swapped between.

    Raises:
        NoInputError: there is no such file.
        VideoError: it leads out of the pack, or is no plain file.
    """
    file = folder / name
    if "/" in name or name in ("", ".", ".."):
        raise VideoError(f"{file}: must be a plain file name inside the pack")
    stream = open_file(file)
    inside = Path(f"/proc/self/fd/{stream.fileno()}").readlink().parent == folder.resolve()
    if not inside:
        stream.close()
        raise VideoError(f"{file}: is a link that leads out of the pack; put the video itself there")
    return stream


def open_file(file: Path) -> BufferedReader:
    """
    A plain file, opened for reading without ever blocking on a pipe or a device.

    Raises:
        NoInputError: there is no such file.
        OutputError: it may not be read.
        VideoError: it is no plain file.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO called idle.webm would hang for ever.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NoInputError(f"{file}: no such file") from error
    except PermissionError as error:
        raise OutputError(f"{file}: may not be read; give anchord's user the right to") from error
    except OSError as error:
        raise VideoError(f"{file}: cannot be opened: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise VideoError(f"{file}: is not a plain file")
    return os.fdopen(descriptor, "rb")


def output_file(folder: Path, name: str) -> Path:
    """
    Where a pack's timeline goes.

    Raises:
        OutputError: a link there leads elsewhere, or a folder is in the way.
    """
    file = folder / name
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise OutputError(f"{file}: is a link or a folder; remove it, or name another output")
    return file


def staleness(folder: Path, settings: PackSettings, video: FileKey) -> Stale | None:
    """
    Why the timeline in a pack's *folder* does not match its video, its settings and this version; None where
    it does.

    Only the timeline is read, never the video: where nothing but the video's modification time
    differs, the answer holds ``unless_sha256`` and whoever reads the video next decides.
    """
    try:
        file = folder / settings.output
        with file.open("rb") as stream:
            made = timeline.stale_keys(stream.read(MAX_TIMELINE_BYTES))
    except OSError:
        return Stale(reason="timeline missing")
    if made is None:
        return Stale(reason="timeline unreadable")
    if made.generator.method != timeline.METHOD or made.generator.model_sha256 != MODEL_SHA256:
        return Stale(reason="method changed")
    if made.source.video != settings.video or made.generator.settings_sha256 != settings.extract.sha256():
        return Stale(reason="settings changed")
    if made.source.size != video.size:
        return Stale(reason="video changed")
    if made.source.mtime_us == video.mtime_us:
        return None
    return Stale(reason="video changed", unless_sha256=str(made.source.sha256))
