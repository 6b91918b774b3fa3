"""One daemon for each root, and nobody else's business."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anchord.errors import RootError
from anchord.service.lock import NAME, Lock, holder
from anchord.shard import Shard

STRANGER = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def in_another_process(root: Path, *what: str, user: int = 0) -> subprocess.CompletedProcess[str]:
    """Lines of Python, as another *user* once all is imported: its libraries may be root's alone."""
    program = [
        "import os; from pathlib import Path; from anchord.service.lock import Lock, holder",
        "from anchord.shard import Shard",
        f"root = Path({str(root)!r})",
        f"os.setresuid({user}, {user}, {user})",
        *what,
    ]
    command = [sys.executable, "-c", "\n".join(program)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_second_daemon_is_refused_and_told_who_keeps_the_root(tmp_path: Path) -> None:
    taken = Lock(tmp_path)
    refused = in_another_process(tmp_path, "Lock(root)")
    assert f"is kept by another anchord already (process {os.getpid()})" in refused.stderr
    asked = in_another_process(tmp_path, "print(holder(root))")
    assert asked.stdout.strip() == str(os.getpid())
    taken.release()
    assert in_another_process(tmp_path, "print(holder(root))").stdout.strip() == "None"
    assert in_another_process(tmp_path, "Lock(root)").returncode == 0


def test_it_is_released_once_and_leaves_nothing(tmp_path: Path) -> None:
    taken = Lock(tmp_path)
    taken.release()
    other = os.open(tmp_path, os.O_RDONLY)  # gets the number that the lock had
    taken.release()
    os.fstat(other)
    os.close(other)
    assert os.listdir(tmp_path) == []


def test_a_killed_daemon_leaves_a_file_but_no_lock(tmp_path: Path) -> None:
    in_another_process(tmp_path, "Lock(root); os.kill(os.getpid(), 9)")
    assert os.listdir(tmp_path) == [NAME]
    assert holder(tmp_path) is None
    Lock(tmp_path).release()


def test_no_stranger_can_hold_it(tmp_path: Path) -> None:
    """Whoever may read the root may lock the folder itself; that keeps nobody out."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    taken = Lock(tmp_path)
    opened = subprocess.run([*STRANGER, "cat", str(tmp_path / NAME)], capture_output=True, check=False)
    assert b"Permission denied" in opened.stderr
    taken.release()
    with subprocess.Popen(
        [*STRANGER, "flock", "-s", str(tmp_path), "-c", "echo held; cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"held\n"
        Lock(tmp_path).release()
        stranger.communicate()


def test_what_another_user_left_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o777)
    (tmp_path / NAME).touch(0o600)
    refused = in_another_process(tmp_path, "Lock(root)", user=65534)
    assert "belongs to another user's anchord" in refused.stderr
    assert str(tmp_path / NAME) in refused.stderr


def test_roots_crash_does_not_keep_the_services_own_user_out(tmp_path: Path) -> None:
    """`sudo anchord run --once`, killed: its file belongs to whom the root belongs."""
    os.chown(tmp_path, 65534, 65534)
    in_another_process(tmp_path, "Lock(root); os.kill(os.getpid(), 9)")
    assert (tmp_path / NAME).stat().st_uid == 65534


def test_a_root_that_cannot_be_written_is_locked_in_the_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "runtime"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(root)], check=True)
    try:
        taken = Lock(root)
        assert [file.suffix for file in (tmp_path / "runtime").iterdir()] == [".lock"]
        refused = in_another_process(root, "Lock(root)")
        assert "is kept by another anchord already" in refused.stderr
        taken.release()
    finally:
        subprocess.run(["umount", str(root)], check=True)


def test_a_lock_whose_file_was_taken_away_keeps_nobody_out_and_knows_it(tmp_path: Path) -> None:
    taken = Lock(tmp_path)
    assert taken.is_current()
    (tmp_path / NAME).unlink()
    assert not taken.is_current()
    (tmp_path / NAME).touch()
    assert not taken.is_current()
    taken.release()


@pytest.mark.parametrize("kind", ["folder", "link", "fifo"])
def test_what_else_lies_there_is_named_and_left_alone(tmp_path: Path, kind: str) -> None:
    file = tmp_path / NAME
    if kind == "folder":
        file.mkdir()
    elif kind == "link":
        file.symlink_to("/etc/passwd")
    else:
        os.mkfifo(file)
    if kind == "fifo":
        Lock(tmp_path).release()  # locking it does no harm
        return
    with pytest.raises(RootError, match=r"\.anchord\.lock"):
        Lock(tmp_path)


def test_a_file_system_without_locks_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As NFS without its lock service: better two daemons than none, but a person should know."""

    def refused(*_: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    held = Lock(tmp_path)
    assert held.unheld_because == ""
    held.release()
    monkeypatch.setattr(fcntl, "lockf", refused)
    unheld = Lock(tmp_path)
    assert unheld.unheld_because == "No locks available"
    unheld.release()
    assert os.listdir(tmp_path) == []


def test_shards_are_kept_side_by_side_and_none_that_has_packs_in_common(tmp_path: Path) -> None:
    taken = Lock(tmp_path, Shard(2, 8))
    for other in ("1, 8", "3, 8", "2, 4", "5, 8"):
        assert in_another_process(tmp_path, f"Lock(root, Shard({other}))").returncode == 0, other
    for other in ("2, 8", "1, 4", "1, 1", "3, 16", "1, 5"):
        refused = in_another_process(tmp_path, f"Lock(root, Shard({other}))")
        assert f"by another anchord already (process {os.getpid()})" in refused.stderr, other
    asked = in_another_process(tmp_path, "print(holder(root, Shard(1, 8)), holder(root, Shard(2, 8)))")
    assert asked.stdout.split() == ["None", str(os.getpid())]
    # Whoever gave a shard free has not taken the file from under the others.
    assert taken.is_current()
    taken.release()
    assert os.listdir(tmp_path) == []
