"""How a worker process ended, in words that name the limit or the crash behind it."""

from __future__ import annotations

import signal


def how_it_ended(status: int, *, cpu_s: int = 0, killed_for: str = "", last_line: str = "") -> str:
    """
    An exit status in words.

    Args:
        status: negative for a signal.
        cpu_s: what the job was allowed.
        killed_for: why the parent killed it, if it did.
        last_line: what it printed last: of an exception or an abort, the reason.
    """
    if status >= 0:
        return f"ended with status {status}" + (f": {last_line}" if status and last_line else "")
    try:
        number = signal.Signals(-status)
    except ValueError:
        return f"was ended by signal {-status}"
    match number:
        case signal.SIGXCPU:
            why = f"over worker.cpu_s = {cpu_s}"
        case signal.SIGSYS:
            why = "it tried what its sandbox forbids; the video may be an attack"
        case signal.SIGABRT:
            why = last_line or "a library gave up"
        case signal.SIGSEGV | signal.SIGBUS | signal.SIGILL | signal.SIGFPE:
            why = "a library crashed"
        case signal.SIGKILL:
            why = killed_for or "by someone else, or by the kernel for want of memory"
        case _:
            why = ""
    return f"was ended by {number.name}" + (f": {why}" if why else "")
