"""What the doctor says of the avatars root and its packs: there, reachable, writable, watchable."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Struct

from anchord import packs
from anchord.errors import AnchordError
from anchord.files import Folder
from anchord.guard import guarded_within
from anchord.packs import Pack
from anchord.service.watching.watcher import file_system
from anchord.settings import Settings
from anchord.shard import Shard

Verdict = Literal["ok", "note", "bad"]

_LOW_SPACE = 256 << 20
_NAMED = 5


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    text: str
    fix: str = ""

    def __str__(self) -> str:
        """A line for people, and one more with what to do."""
        remedy = f"\n      -> {self.fix}" if self.fix else ""
        return f"{self.verdict:4}  {self.subject}: {self.text}{remedy}"


def examine_premises(settings: Settings, root: Path) -> Iterator[Finding]:
    """Look at the avatars *root* and its packs."""
    yield from _root(root)
    yield from _inotify(settings, root)
    yield from examine_packs(settings, root)


def _root(root: Path) -> Iterator[Finding]:
    if not root.is_dir():
        yield Finding(
            subject="root",
            verdict="bad",
            text=f"{root}: is not there",
            fix=f"mkdir {root}, or name another with root = in anchord.toml",
        )
        return
    if not os.access(root, os.R_OK | os.X_OK):
        yield Finding(
            subject="root",
            verdict="bad",
            text=f"{root}: may not be read by this user",
            fix=f"setfacl -m u:{user()}:rwX {root}",
        )
    elif not os.access(root, os.W_OK):
        yield Finding(
            subject="root",
            verdict="note",
            text=f"{root}: may not be written by this user, so that file events cannot be proven to arrive",
            fix=f"setfacl -m u:{user()}:rwX {root}",
        )
    else:
        yield Finding(subject="root", verdict="ok", text=f"{root} on {file_system(str(root)) or 'unknown'}")
    free = shutil.disk_usage(root).free
    if free < _LOW_SPACE:
        yield Finding(
            subject="root", verdict="bad", text=f"{size(free)} are left on its file system", fix="make room"
        )


def _inotify(settings: Settings, root: Path) -> Iterator[Finding]:
    if not root.is_dir():
        return
    try:
        needed = 1 + len(_packs(settings, root)) + (len(packs.groups(root)) if settings.depth > 1 else 0)
    except AnchordError:
        return  # said already
    for name, wanted in (("max_user_watches", needed), ("max_user_instances", 1)):
        try:
            limit = int((Path("/proc/sys/fs/inotify") / name).read_text())
        except (OSError, ValueError):
            yield Finding(subject="inotify", verdict="note", text=f"{name} cannot be read here")
            continue
        is_enough = limit >= wanted
        yield Finding(
            subject="inotify",
            verdict="ok" if is_enough else "bad",
            text=f"{name} is {limit}, needed are {wanted}",
            # Others of the same user need some too.
            fix="" if is_enough else f"sysctl -w fs.inotify.{name}={max(2 * wanted, 65_536)}",
        )


def _packs(settings: Settings, root: Path) -> list[Pack]:
    return packs.find_packs(root, settings.depth, Shard.of(settings.shard))


def examine_packs(settings: Settings, root: Path) -> Iterator[Finding]:
    """Look at the packs alone: may this user write there, and others read?"""
    try:
        found = _packs(settings, root)
    except AnchordError:
        return  # said already
    views = {pack.id: guarded_within(partial(_view, settings, pack), pack.folder) for pack in found}
    closed = [pack for pack, view in views.items() if isinstance(view, _View) and view.is_closed]
    if closed:
        yield Finding(
            subject="packs",
            verdict="bad",
            text=f"{_names(closed)}: may not be read and written by this user",
            fix=f"setfacl -R -m u:{user()}:rwX {root}",
        )
    wrong = [view for view in views.values() if isinstance(view, AnchordError)]
    without = {pack: view.hint for pack, view in views.items() if isinstance(view, _View) and view.hint}
    hidden = [pack for pack, view in views.items() if isinstance(view, _View) and view.is_hidden]
    for error in wrong[:_NAMED]:
        yield Finding(subject="packs", verdict="bad", text=str(error), fix="mend that file or its folder")
    if len(wrong) > _NAMED:
        yield Finding(subject="packs", verdict="bad", text=f"{len(wrong) - _NAMED} more cannot be worked on")
    if hidden:
        yield Finding(
            subject="packs",
            verdict="note",
            text=f"{_names(hidden)}: a web server of another user may not be able to read them",
            fix=f"chmod -R a+rX {root}",
        )
    hinted = {pack: hint for pack, hint in without.items() if "; " in hint}
    for pack, hint in list(hinted.items())[:_NAMED]:
        yield Finding(subject="packs", verdict="note", text=f"{pack}: {hint}")
    if plain := [pack for pack in without if pack not in hinted]:
        yield Finding(subject="packs", verdict="note", text=f"{_names(plain)}: no idle video (yet)")
    fine = len(found) - len({*closed, *hidden, *without}) - len(wrong)
    yield Finding(subject="packs", verdict="ok", text=f"{fine} of {len(found)} have all they need")


class _View(NamedTuple):
    """Why a pack has no video, empty where it has one; whether its video is not everybody's; nor it ours."""

    hint: str = ""
    is_hidden: bool = False
    is_closed: bool = False


def _view(settings: Settings, pack: Pack) -> _View:
    if not os.access(pack.folder, os.R_OK | os.W_OK | os.X_OK):
        return _View(is_closed=True)
    with Folder(pack.folder) as folder:
        chosen = packs.chosen(settings, pack.id, folder)
        folder.check_output(chosen.output)
        video = folder.look(chosen.video)
        if video is None:
            return _View(packs.missing_video(folder, chosen))
        folder.open(chosen.video).close()
        may_enter = os.stat(pack.folder).st_mode & stat.S_IXOTH  # noqa: PTH116
    return _View(is_hidden=not (may_enter and video.mode & stat.S_IROTH))


def user() -> str:
    """The user that the daemon runs as, for a command that gives it a right."""
    return "anchord" if os.geteuid() == 0 else str(os.geteuid())


def _names(ids: Iterable[str]) -> str:
    names = list(ids)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def size(count: int) -> str:
    """Bytes, for people."""
    return f"{count / (1 << 20):.0f} MiB"
