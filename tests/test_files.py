"""The one way to a file in a pack: beneath it, regular, bounded, never blocking."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from anchord import files
from anchord.errors import AnchordError, FileError, MachineError, NoInputError, OutputError
from anchord.files import FileKey, Folder, open_any
from anchord.guard import guarded


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    made = tmp_path / "pack"
    made.mkdir()
    (made / "video").write_bytes(b"video")
    (tmp_path / "secret").write_bytes(b"secret")
    return made


@pytest.fixture(params=["openat2", "without openat2"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of finding a file: the kernel's own, and where there is none."""
    if request.param != "openat2":

        def refuse(*_: object) -> int:
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(files, "system_call", refuse)


def outcome(folder: Path, name: str) -> type[AnchordError] | bytes:
    def read() -> bytes:
        with Folder(str(folder)) as opened, opened.open(name) as stream:
            return stream.read()

    found = guarded(read)
    if isinstance(found, AnchordError):
        assert str(folder) in str(found)
        return type(found)
    return found


def bind_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(file))


IN_THE_WAY: dict[str, Callable[[Path], object]] = {
    "link out": lambda file: file.symlink_to("../secret"),
    "absolute link out": lambda file: file.symlink_to(file.parent.parent / "secret"),
    "link to a device": lambda file: file.symlink_to("/dev/zero"),
    "link to a magic link": lambda file: file.symlink_to("/proc/self/exe"),
    "circle": lambda file: file.symlink_to(file.name),
    "folder": lambda file: file.mkdir(),
    "pipe": os.mkfifo,
    "socket": bind_socket,
    "device": lambda file: os.mknod(file, stat.S_IFCHR | 0o600, os.makedev(1, 5)),
}


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_what_is_no_regular_file_of_the_pack_is_refused_and_never_waited_for(pack: Path, kind: str) -> None:
    IN_THE_WAY[kind](pack / "thing")
    assert outcome(pack, "thing") is FileError


@pytest.mark.usefixtures("kernel")
def test_links_beneath_the_pack_are_followed(pack: Path, tmp_path: Path) -> None:
    """As Kubernetes and git-annex lay files; and a pack may be a link itself."""
    (pack / "..2026").mkdir()
    (pack / "..2026" / "idle.webm").write_bytes(b"idle")
    (pack / "..data").symlink_to("..2026")
    (pack / "idle.webm").symlink_to("..data/idle.webm")
    (tmp_path / "linked").symlink_to(pack)
    assert outcome(pack, "idle.webm") == b"idle"
    assert outcome(tmp_path / "linked", "idle.webm") == b"idle"


@pytest.mark.usefixtures("kernel")
def test_what_is_not_there_is_no_input(pack: Path) -> None:
    (pack / "dangling").symlink_to("nothing")
    for name in ("gone", "dangling"):
        assert outcome(pack, name) is NoInputError


@pytest.mark.parametrize("name", ["", ".", "..", "../secret", "a/b", "/etc/passwd", "x" * 300, "a\0b"])
def test_a_name_is_a_plain_name(pack: Path, name: str) -> None:
    assert outcome(pack, name) is FileError


def test_a_device_is_never_opened_only_named(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a watchdog arms it, opening a tape drive winds it."""
    opened: list[int] = []
    real = os.open

    def spy(path: str, flags: int, *args: int, **how: int) -> int:
        opened.append(flags)
        return real(path, flags, *args, **how)

    os.mknod(pack / "device", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    monkeypatch.setattr(os, "open", spy)
    assert outcome(pack, "device") is FileError
    assert all(flags & os.O_PATH for flags in opened)


def test_what_is_found_is_what_is_opened_whatever_becomes_of_its_name(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fstat

    def swap(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        (pack / "video").unlink(missing_ok=True)
        if not (pack / "video").exists():
            os.mkfifo(pack / "video")
        return status

    monkeypatch.setattr(os, "fstat", swap)
    assert outcome(pack, "video") == b"video"


def test_a_small_file_is_bounded(pack: Path) -> None:
    with Folder(str(pack)) as folder:
        assert folder.read("video", at_most=5) == b"video"
        with pytest.raises(FileError, match="larger than 4 bytes"):
            folder.read("video", at_most=4)
        os.truncate(pack / "video", 1 << 40)
        with pytest.raises(FileError, match="larger than 1000 bytes"):
            folder.read("video", at_most=1000)


@pytest.mark.usefixtures("kernel")
def test_a_look_follows_what_can_be_opened_and_no_further(pack: Path) -> None:
    (pack / "inner").symlink_to("video")
    (pack / "out").symlink_to("../secret")
    with Folder(str(pack)) as folder:
        assert folder.look("video") == FileKey.of((pack / "video").stat())
        assert folder.look("inner") == FileKey.of((pack / "video").stat())
        assert folder.look("out") == FileKey.of((pack / "out").lstat())
        assert folder.look("gone") is None


def test_a_folder_stays_the_same_when_its_name_goes_to_another(pack: Path) -> None:
    with Folder(str(pack)) as folder:
        pack.rename(pack.with_name("moved"))
        pack.mkdir()
        assert folder.read("video", at_most=10) == b"video"
        folder.write("out.json", b"{}")
    assert os.listdir(pack) == []


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, kind in (("gone", NoInputError), ("file", NoInputError)):
        with pytest.raises(kind, match=name):
            Folder(str(tmp_path / name))


def test_a_timeline_replaces_a_regular_file_and_nothing_else(pack: Path) -> None:
    (pack / "old.json").write_bytes(b"old")
    with Folder(str(pack)) as folder:
        key = folder.write("old.json", b"new")
        assert (pack / "old.json").read_bytes() == b"new"
        assert key == FileKey.of((pack / "old.json").stat())
        for kind, lay in IN_THE_WAY.items():
            lay(pack / "thing")
            with pytest.raises(FileError, match="remove it"):
                folder.write("thing", b"new")
            assert not stat.S_ISREG((pack / "thing").lstat().st_mode), kind
            (pack / "thing").rmdir() if kind == "folder" else (pack / "thing").unlink()
    assert (pack.parent / "secret").read_bytes() == b"secret"


def test_a_folder_that_cannot_be_written_is_the_machines_fault(pack: Path) -> None:
    with Folder(str(pack)) as folder:
        for part in pack.iterdir():
            part.unlink()
        pack.rmdir()
        with pytest.raises(OutputError) as refused:
            folder.write("x.json", b"{}")
    assert refused.value.is_environment


def test_the_machines_errors_are_its_own(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "system_call", broken)
    with Folder(str(pack)) as folder, pytest.raises(MachineError, match="Input/output error"):
        folder.open("video")


def test_a_person_may_name_a_file_anywhere_but_no_pipe(pack: Path) -> None:
    (pack / "link").symlink_to("../secret")
    with open_any(str(pack / "link")) as stream:
        assert stream.read() == b"secret"
    os.mkfifo(pack / "pipe")
    with pytest.raises(FileError, match="is a pipe"):
        open_any(str(pack / "pipe"))
    with pytest.raises(NoInputError):
        open_any(str(pack / "gone"))
