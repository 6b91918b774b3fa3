"""
What the daemon is doing, in a small file for ``anchord status`` and ``anchord health``.

Packs that are up to date do not stand in it: their timelines say so themselves.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from anchord.atomic import write_atomically
from anchord.errors import AnchordError
from anchord.files import open_any
from anchord.packs import ALL
from anchord.printable import printable
from anchord.service.queue import Queue
from anchord.shard import Shard

# A reason names a file and says what to do; and a state of 100,000 packs that all fail stays below this.
_LONGEST_REASON = 500
_MOST_BYTES = 128 << 20

PackStatus = Literal["waiting", "queued", "working", "parked", "retrying"]


class PackState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pack that is not simply up to date."""

    state: PackStatus
    reason: str = ""
    retry_at_unix_s: float = 0.0


class Part(Struct, frozen=True, kw_only=True):
    """The watch or the worker."""

    state: str
    healthy: bool
    detail: str = ""


class State(Struct, frozen=True, kw_only=True):
    """The whole of it."""

    pid: int
    root: str
    version: str
    #: Which of its packs are this daemon's; empty: all.
    shard: str = ""
    started_unix_s: float
    loop_turned_unix_s: Annotated[float, Meta(description="when the daemon's loop last turned")]
    watch: Part
    worker: Part
    packs: dict[str, PackState]
    counts: dict[str, int]


def packs_of(
    held: Iterable[str], queue: Queue[Any], late: Mapping[str, float], *, now_s: float
) -> dict[str, PackState]:
    """
    Every pack that is not simply up to date.

    Args:
        held: packs that have not settled.
        queue: the others.
        late: packs whose disk or mount has not answered for so many seconds.
        now_s: time, as the queue has it.
    """
    now = time.time()
    found = {pack: PackState(state="waiting") for pack in held}
    for pack, parked in queue.parked.items():
        found[pack] = PackState(state="parked", reason=parked.reason)
    for pack, retry in queue.retries.items():
        retry_at = round(now + retry.at_s - now_s, 1)
        found[pack] = PackState(state="retrying", reason=retry.reason, retry_at_unix_s=retry_at)
    for pack in queue.queued:
        found[pack] = PackState(state="queued")
    for pack in queue.working:
        found[pack] = PackState(state="working")
    for pack, late_s in late.items():
        found[pack] = PackState(
            state="waiting", reason=f"its file system has not answered for {late_s:.0f} s"
        )
    # Ids may be no valid Unicode, reasons may be long; a reader gets what can be shown.
    return {
        printable(pack): msgspec.structs.replace(state, reason=printable(state.reason)[:_LONGEST_REASON])
        for pack, state in found.items()
    }


def runtime_folder() -> Path:
    """Where the state file lies: what systemd gave, else the system's or the user's own."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.geteuid() == 0 or os.access("/run/anchord", os.W_OK):
        return Path("/run/anchord")
    if given := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(given) / "anchord"
    return Path("/tmp") / f"anchord-{os.geteuid()}"  # noqa: S108


def own_folder(folder: Path) -> None:
    """
    Make the runtime folder, and see that nobody else made it: below /tmp anybody could have.

    Raises:
        OSError: it can't be made, or belongs to somebody else.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    status = folder.lstat()
    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid in (os.geteuid(), 0)
    if not is_own and not os.environ.get("RUNTIME_DIRECTORY"):
        raise PermissionError(errno.EPERM, "belongs to another user", str(folder))


def state_file(root: Path, folder: Path | None = None, shard: Shard = ALL) -> Path:
    """The state file of the daemon that keeps *root*, or a shard of it."""
    what = os.fsencode(root.resolve()) + (b"" if shard.is_all else f"\0{shard}".encode())
    mark = hashlib.sha256(what).hexdigest()[:12]
    return (folder or runtime_folder()) / f"state-{mark}.json"


def publisher(folder: Path | None = None) -> Callable[[State], None]:
    """
    A function that writes a state to its file; folder and errors as in ``state_file`` and ``atomic``.

    Raises, when it is called:
        OutputError: the runtime folder can't be written.
        OSError: it can't be made.
    """

    def publish(state: State) -> None:
        file = state_file(Path(state.root), folder, Shard.of(state.shard))
        own_folder(file.parent)
        write_atomically(
            file, msgspec.json.encode(msgspec.structs.replace(state, root=printable(state.root)))
        )

    return publish


def read(root: Path, folder: Path | None = None, shard: Shard = ALL) -> State | None:
    """The state of the daemon that keeps *root*, or a shard of it; None where none was published."""
    candidates = [folder] if folder else [runtime_folder(), Path("/run/anchord")]
    for candidate in candidates:
        try:
            with open_any(str(state_file(root, candidate, shard))) as stream:
                return msgspec.json.decode(stream.read(_MOST_BYTES), type=State)
        except (AnchordError, OSError, msgspec.DecodeError):
            continue
    return None
