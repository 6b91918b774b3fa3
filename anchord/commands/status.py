"""The state of every pack, from the daemon's state file and the timelines; also without a daemon."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from anchord import packs, timeline
from anchord.errors import SettingsError
from anchord.packs import Pack
from anchord.service import lock, state
from anchord.service.state import State
from anchord.settings import Settings, pack_settings


class PackReport(Struct, frozen=True, kw_only=True):
    """One pack."""

    pack: str
    #: up_to_date, stale, no_video, refused, or what the daemon says of it.
    state: str
    reason: str = ""
    retry_in_s: float | None = None
    coverage: float | None = None
    warnings: list[str] = []


class Report(Struct, frozen=True, kw_only=True):
    """The daemon, if one is running, and every pack."""

    root: str
    running: bool
    pid: int | None
    daemon: State | None
    packs: list[PackReport]


def report(settings: Settings, root: Path) -> Report:
    """
    What can be known about *root* now.

    Raises:
        RootError: the root can't be read.
    """
    pid = lock.holder(root)
    published = state.read(root)
    # What a daemon that is gone has left behind says nothing about now.
    live = published if pid is not None and published and published.pid in (pid, 0) else None
    return Report(
        root=str(root),
        running=pid is not None,
        pid=pid,
        daemon=live,
        packs=[_pack(settings, pack, live) for pack in packs.find_packs(root)],
    )


def lines(found: Report) -> list[str]:
    """The report as text, one line a pack."""
    daemon = found.daemon
    if daemon:
        counts = daemon.counts
        head = (
            f"anchord {daemon.version}, process {daemon.pid}: {daemon.watch.state}, "
            f"worker {daemon.worker.state}, {counts.get('written', 0)} written, "
            f"{counts.get('failed', 0)} failed"
        )
    else:
        head = f"process {found.pid}, which tells nothing here" if found.running else "no daemon running"
    width = max((len(pack.pack) for pack in found.packs), default=0)
    return [f"{found.root}: {head}", *(_line(pack, width) for pack in found.packs)]


def _line(pack: PackReport, width: int) -> str:
    coverage = "" if pack.coverage is None else f"coverage {pack.coverage:6.1%}"
    retry = "" if pack.retry_in_s is None else f"again in {pack.retry_in_s:.0f} s"
    notes = ", ".join(note for note in (*pack.warnings, retry, pack.reason) if note)
    return f"{pack.pack:{width}}  {pack.state:10}  {coverage:15}  {notes}".rstrip()


def _pack(settings: Settings, pack: Pack, daemon: State | None) -> PackReport:
    """A pack by its own files; what the daemon says of it wins."""
    folder = Path(pack.folder)
    found, reason, output = "up_to_date", "", ""
    try:
        chosen = pack_settings(settings, pack.id, folder)
        output = chosen.output
        video = packs.feed_key(pack.folder, chosen.video)[0]
        stale = packs.staleness(folder, chosen, video) if video else None
        if video is None:
            found, reason = "no_video", f"there is no {chosen.video}"
        elif stale and not stale.unless_sha256:
            found, reason = "stale", stale.reason
    except SettingsError as error:
        found, reason = "refused", str(error)
    retry_in_s = None
    if daemon and (said := daemon.packs.get(pack.id)):
        found, reason = said.state, said.reason
        retry_in_s = max(0.0, said.retry_at_unix_s - time.time()) if said.retry_at_unix_s else None
    quality = _quality(folder / output) if output else None
    return PackReport(
        pack=pack.id,
        state=found,
        reason=reason,
        retry_in_s=retry_in_s,
        coverage=quality.coverage if quality else None,
        warnings=[warning.code for warning in quality.warnings] if quality else [],
    )


def _quality(file: Path) -> timeline.Quality | None:
    try:
        return timeline.decode(file.read_bytes()).quality
    except (OSError, msgspec.DecodeError):
        return None
