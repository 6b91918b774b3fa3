"""How many workers this machine carries: its cores and memory, or what a unit or container leaves of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from anchord.settings import WorkerSettings

#: Room that a worker is given, MiB: it holds 170 with one thread, 230 with two, and at 512x640 never 400.
PLACE_MB = 512
#: Far above any machine that was seen; the unit's TasksMax has room for so many.
_MOST_PLACES = 64
# Of a machine's memory the web server and the file cache need the other half; what a unit or container
# is limited to, only the daemon itself has to share.
_SHARE_OF_MACHINE, _SHARE_OF_LIMIT = 0.5, 0.75

_CGROUPS = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")
_OWN_CGROUP = Path("/proc/self/cgroup")


def place_count(settings: WorkerSettings) -> int:
    """
    How many workers there may be at once: ``worker.processes``, or what cores and memory carry.

    Two cores take two: the decoder and the model's threads leave gaps that a second worker fills, measured
    1.16 times the throughput of one. More cores take one worker for each two, each with as many threads as
    a single one has, so that a lone video is no slower than with one worker.
    """
    if settings.processes:
        return settings.processes
    cores = core_count()
    by_cores = min(cores, max(2, cores // 2))
    return max(1, min(by_cores, _MOST_PLACES, total_mb(settings) // PLACE_MB))


def total_mb(settings: WorkerSettings) -> int:
    """What all workers together may hold, MiB: ``worker.memory_total_mb``, or a share of what there is."""
    if settings.memory_total_mb:
        return settings.memory_total_mb
    machine = _SHARE_OF_MACHINE * _machine_mb()
    limits = [_SHARE_OF_LIMIT * limit for limit in _limits_mb()]
    return max(PLACE_MB, int(min([machine, *limits])))


def core_count() -> int:
    """Cores that this process may use, as a whole number: its affinity, and its cgroups' quotas."""
    cores = float(len(os.sched_getaffinity(0)))
    for folder in _own_cgroups():
        with contextlib.suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            if quota != "max":
                cores = min(cores, int(quota) / int(period))
    return max(1, round(cores))


def _machine_mb() -> int:
    with contextlib.suppress(OSError, ValueError), _MEMINFO.open() as lines:
        for line in lines:
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) >> 10
    return 4 * PLACE_MB  # nothing is known of it


def _limits_mb() -> Iterator[int]:
    for folder in _own_cgroups():
        for name in ("memory.max", "memory.high"):
            with contextlib.suppress(OSError, ValueError):
                yield int((folder / name).read_text()) >> 20  # "max" is no number


def _own_cgroups() -> Iterator[Path]:
    """The folders of this process's cgroup (version 2) and those above it, whose limits hold too."""
    path = "/"
    with contextlib.suppress(OSError):
        for line in _OWN_CGROUP.read_text().splitlines():
            if line.startswith("0::"):
                path = line.removeprefix("0::")
    folder = _CGROUPS / path.lstrip("/")
    yield folder
    for above in folder.parents:
        if above == _CGROUPS or _CGROUPS in above.parents:
            yield above
