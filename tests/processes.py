"""What tests ask the kernel about processes that are not their children."""

from __future__ import annotations

from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether it has not ended yet; an orphan that no process 1 has reaped, or not yet, has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
