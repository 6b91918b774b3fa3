"""The state of every pack, from the daemon's state file and the timelines; also without a daemon."""

from __future__ import annotations

import stat
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec import UNSET, Struct

from anchord import packs, timeline
from anchord.commands.health import MAX_AGE_S
from anchord.errors import AnchordError, NoInputError
from anchord.files import Folder
from anchord.guard import guarded_within
from anchord.packs import Pack
from anchord.printable import printable
from anchord.service import lock
from anchord.service.report import state
from anchord.service.report.state import State
from anchord.settings import Settings
from anchord.shard import Shard


class PackReport(Struct, frozen=True, kw_only=True):
    """One pack."""

    pack: str
    #: up_to_date, stale, no_video, refused, unreadable, or what the daemon says of it.
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
    shard = Shard.of(settings.shard)
    pid = lock.holder(root, shard)
    published = state.read(root, shard=shard)
    if pid == 0 and (published is None or time.time() - published.loop_turned_unix_s > MAX_AGE_S):
        pid = None  # a lock that this user may not ask about, and nobody who tells of himself
    # What a daemon that is gone has left behind says nothing about now.
    live = published if pid is not None and published and pid in (published.pid, 0) else None
    return Report(
        root=printable(str(root)),
        running=pid is not None,
        pid=live.pid if live else pid,
        daemon=live,
        packs=[_pack(settings, pack, live) for pack in packs.find_packs(root, settings.depth, shard)],
    )


def lines(found: Report) -> list[str]:
    """The report as text, one line a pack."""
    daemon = found.daemon
    if daemon:
        counts = daemon.counts
        head = (
            f"anchord {daemon.version}, process {daemon.pid}: {daemon.watch.state}, "
            f"{_workers(daemon)}, {counts.get('written', 0)} written, "
            f"{counts.get('failed', 0)} failed"
        )
    else:
        head = f"process {found.pid}, which tells nothing here" if found.running else "no daemon running"
    width = max((len(pack.pack) for pack in found.packs), default=0)
    parts = (("watch", daemon.watch), ("worker", daemon.worker)) if daemon else ()
    details = [f"{name}: {part.detail}" for name, part in parts if part.detail]
    return [f"{found.root}: {head}", *details, *(_line(pack, width) for pack in found.packs)]


def _workers(daemon: State) -> str:
    places, working = (daemon.counts.get(name, 0) for name in ("worker_places", "workers_working"))
    if places < 2:
        return f"worker {daemon.worker.state}"
    return f"workers {daemon.worker.state}" + (f" ({working} of {places})" if working else f" ({places})")


def _line(pack: PackReport, width: int) -> str:
    coverage = "" if pack.coverage is None else f"coverage {pack.coverage:6.1%}"
    retry = "" if pack.retry_in_s is None else f"again in {pack.retry_in_s:.0f} s"
    notes = ", ".join(note for note in (*pack.warnings, retry, pack.reason) if note)
    return f"{pack.pack:{width}}  {pack.state:10}  {coverage:15}  {notes}".rstrip()


def _pack(settings: Settings, pack: Pack, daemon: State | None) -> PackReport:
    """A pack by its own files; what the daemon says of it wins."""
    outcome = guarded_within(partial(_by_its_files, settings, pack), pack.folder)
    if isinstance(outcome, AnchordError):
        found = "unreadable" if outcome.is_environment else "refused"
        outcome = _Found(found, str(outcome), None)
    state, reason, retry_in_s = outcome.state, outcome.reason, None
    if daemon and (said := daemon.packs.get(printable(pack.id))):
        state, reason = said.state, said.reason
        retry_in_s = max(0.0, said.retry_at_unix_s - time.time()) if said.retry_at_unix_s else None
    quality = outcome.quality
    return PackReport(
        pack=printable(pack.id),
        state=state,
        reason=printable(reason),
        retry_in_s=retry_in_s,
        coverage=quality.coverage if quality else None,
        warnings=[warning.code for warning in quality.warnings] if quality else [],
    )


class _Found(NamedTuple):
    state: str
    reason: str
    quality: timeline.Quality | None


def _by_its_files(settings: Settings, pack: Pack) -> _Found:
    with Folder(pack.folder) as folder:
        chosen = packs.chosen(settings, pack.id, folder)
        quality = _quality(folder, chosen.output)
        video = folder.look(chosen.video)
        if video is None:
            return _Found("no_video", packs.missing_video(folder, chosen), quality)
        if stat.S_ISLNK(video.mode):
            try:
                folder.open(chosen.video).close()
            except NoInputError:
                return _Found("no_video", f"{chosen.video} is a link that leads nowhere", quality)
        stale = packs.staleness(folder, chosen, video)
        if stale and not stale.unless_sha256:
            return _Found("stale", stale.reason, quality)
        return _Found("up_to_date", "", quality)


def _quality(folder: Folder, output: str) -> timeline.Quality | None:
    try:
        with folder.open(output) as stream:
            head = timeline.head(stream)
    except NoInputError:
        return None
    return head.quality if head and head.quality is not UNSET else None
