"""A job's files on a node are those that the coordinator saw, or there are none."""

from __future__ import annotations

import hashlib
import os
import threading
from io import BufferedReader
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.cluster import sources
from anchord.cluster.sources import SharedRoot, by_path, filling
from anchord.cluster.wire import Source
from anchord.errors import AnchordError, ChangedVideoError, FileError, MachineError, NoInputError
from tests.service.running import wait_until

MTIME_NS = 1_700_000_000_123_456_789


def source_of(content: bytes, *, name: bytes = b"idle.webm", mtime_ns: int = MTIME_NS) -> Source:
    return Source(name=name, size=len(content), mtime_ns=mtime_ns, sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "ada").mkdir()
    file = tmp_path / "ada/idle.webm"
    file.write_bytes(b"a video")
    os.utime(file, ns=(0, MTIME_NS))
    return tmp_path


def test_the_same_file_on_shared_storage_is_opened(root: Path) -> None:
    with by_path(root, b"ada", source_of(b"a video")) as stream:
        assert stream.read() == b"a video"


@pytest.mark.parametrize(
    "other",
    [{"size": 8}, {"mtime_ns": MTIME_NS - 1}, {"sha256": "0" * 64}],
    ids=["size", "time", "content"],
)
def test_a_file_that_differs_in_anything_is_not_taken(root: Path, other: dict[str, object]) -> None:
    """A copy that lags behind, or was swapped by whoever may write there."""
    source = msgspec.structs.replace(source_of(b"a video"), **other)
    with pytest.raises(ChangedVideoError):
        by_path(root, b"ada", source)


def test_a_pack_may_lie_in_a_group(root: Path) -> None:
    (root / "ad").mkdir()
    (root / "ada").rename(root / "ad/ada")
    with by_path(root, b"ad/ada", source_of(b"a video")) as stream:
        assert stream.read() == b"a video"


@pytest.mark.parametrize("pack", [b"", b".", b"..", b"../ada", b"a/../ada", b"/etc", b"a/b/ada", b"bob"])
def test_nothing_but_a_pack_of_the_root_is_opened(root: Path, pack: bytes) -> None:
    with pytest.raises((MachineError, NoInputError)):
        by_path(root, pack, source_of(b"a video"))


def test_a_link_out_of_the_pack_is_not_followed(root: Path) -> None:
    """Whoever uploads must not have a node read its machine's files."""
    (root / "secret").write_bytes(b"a video")
    (root / "ada/link.webm").symlink_to(root / "secret")
    with pytest.raises(FileError, match="leads out of the pack"):
        by_path(root, b"ada", source_of(b"a video", name=b"link.webm"))


@given(st.binary(max_size=2000), st.lists(st.integers(1, 700), max_size=8), st.integers(0, 1 << 61))
def test_bytes_that_came_are_the_file_with_its_time(content: bytes, cuts: list[int], mtime_ns: int) -> None:
    """Whatever parts they came in; a worker may read it, and not write."""
    with filling(source_of(content, mtime_ns=mtime_ns)) as file:
        left = content
        for cut in [*cuts, len(content)]:
            file.add(left[:cut])
            left = left[cut:]
        stream = file.finished()
    with stream:
        assert stream.read() == content
        assert os.fstat(stream.fileno()).st_mtime_ns == mtime_ns
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(stream.fileno(), b"x")


@pytest.mark.parametrize("came", [b"", b"a vide", b"a Video", b"a video and more"])
def test_other_bytes_are_no_file(came: bytes) -> None:
    def received() -> None:
        with filling(source_of(b"a video")) as file:
            file.add(came)
            file.finished()

    with pytest.raises(ChangedVideoError):
        received()


def test_a_file_that_is_not_finished_leaves_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(AnchordError), filling(source_of(b"a video")) as file:
            file.finished()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_shared_root_that_hangs_costs_a_job_its_patience_and_then_none(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few threads wait for it; once it answers, it is asked again."""
    answers = threading.Event()
    real = sources.by_path

    def hangs(path: Path, pack: bytes, source: Source) -> BufferedReader:
        assert answers.wait(60)
        return real(path, pack, source)

    monkeypatch.setattr(sources, "by_path", hangs)
    shared = SharedRoot(root, patience_s=0.01)
    before = threading.active_count()
    for _ in range(30):
        with pytest.raises(MachineError, match="does not answer"):
            shared.open(b"ada", source_of(b"a video"))
    assert threading.active_count() - before == 8
    answers.set()
    wait_until(lambda: threading.active_count() == before)
    with shared.open(b"ada", source_of(b"a video")) as stream:
        assert stream.read() == b"a video"
