"""
What the daemon is doing, in a small file for ``anchord status`` and ``anchord health``.

Packs that are up to date do not stand in it: their timelines say so themselves.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from anchord.atomic import write_atomically
from anchord.service.schedule import Schedule
from anchord.service.settle import Settler

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
    started_unix_s: float
    loop_turned_unix_s: Annotated[float, Meta(description="when the daemon's loop last turned")]
    watch: Part
    worker: Part
    packs: dict[str, PackState]
    counts: dict[str, int]


def packs_of(settler: Settler, schedule: Schedule, *, now_s: float) -> dict[str, PackState]:
    """Every pack that is not simply up to date."""
    now = time.time()
    found = {pack: PackState(state="waiting") for pack in settler.held}
    for pack, parked in schedule.parked.items():
        found[pack] = PackState(state="parked", reason=parked.reason)
    for pack, retry in schedule.retries.items():
        retry_at = round(now + retry.at_s - now_s, 1)
        found[pack] = PackState(state="retrying", reason=retry.reason, retry_at_unix_s=retry_at)
    for pack in schedule.queued:
        found[pack] = PackState(state="queued")
    if schedule.working is not None:
        found[schedule.working] = PackState(state="working")
    return found


def runtime_folder() -> Path:
    """Where the state file lies: what systemd gave, else the system's or the user's own."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.geteuid() == 0 or os.access("/run/anchord", os.W_OK):
        return Path("/run/anchord")
    if given := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(given) / "anchord"
    return Path("/tmp") / f"anchord-{os.geteuid()}"  # noqa: S108


def state_file(root: Path, folder: Path | None = None) -> Path:
    """The state file of the daemon that keeps *root*."""
    mark = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:12]
    return (folder or runtime_folder()) / f"state-{mark}.json"


def publisher(folder: Path | None = None) -> Callable[[State], None]:
    """
    A function that writes a state to its file; folder and errors as in ``state_file`` and ``atomic``.

    Raises, when it is called:
        OutputError: the runtime folder can't be written.
        OSError: it can't be made.
    """

    def publish(state: State) -> None:
        file = state_file(Path(state.root), folder)
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomically(file, msgspec.json.encode(state))

    return publish


def read(root: Path, folder: Path | None = None) -> State | None:
    """The state of the daemon that keeps *root*; None where none was published."""
    candidates = [folder] if folder else [runtime_folder(), Path("/run/anchord")]
    for candidate in candidates:
        try:
            return msgspec.json.decode(state_file(root, candidate).read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            continue
    return None
