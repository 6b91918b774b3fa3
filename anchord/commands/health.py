"""Whether the daemon is well, for scripts and a container's HEALTHCHECK: one line and an exit status."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anchord.packs import ALL
from anchord.service.report import state
from anchord.shard import Shard

#: The daemon publishes its state every 15 s; a loop that missed three turns of that is stuck.
MAX_AGE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether all is well, and the line that says so."""

    is_well: bool
    line: str


def health(root: Path, *, now_s: float, folder: Path | None = None, shard: Shard = ALL) -> Health:
    """
    How the daemon that keeps *root* is.

    Args:
        root: the avatars root, as the daemon knows it.
        now_s: seconds since 1970.
        folder: where the state file lies, if not where it is looked for.
        shard: of the root, that the daemon keeps.
    """
    found = state.read(root, folder, shard)
    if found is None:
        return _ill(f"no daemon has told of itself for {root}; start one: systemctl start anchord")
    age_s = now_s - found.loop_turned_unix_s
    if age_s > MAX_AGE_S:
        return _ill(f"the daemon (process {found.pid}) has not turned its loop for {age_s:.0f} s; restart it")
    for name, part in (("watch", found.watch), ("worker", found.worker)):
        if not part.healthy:
            return _ill(f"the {name} is {part.state}{f': {part.detail}' if part.detail else ''}")
    count = found.counts.get("packs", 0)
    return Health(
        is_well=True,
        line=f"well: {count} pack{'' if count == 1 else 's'}, watch {found.watch.state}, "
        f"worker {found.worker.state}, loop turned {max(0.0, age_s):.0f} s ago",
    )


def _ill(line: str) -> Health:
    return Health(is_well=False, line=f"not well: {line}")
