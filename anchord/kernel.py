"""The two ways into the kernel that Python has no function for."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def system_call(number: int, *arguments: object) -> int:
    """
    What the system call returns.

    Args:
        number: on this machine; they differ.
        arguments: ints, or what ctypes passes as a pointer.

    Raises:
        OSError: the kernel refused.
    """
    # As long: a C compiler would pass them so, and the upper half of an int is whatever was there.
    widened = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    answer = _libc.syscall(ctypes.c_long(number), *widened)
    if answer == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(answer)


def prctl(option: int, value: int) -> None:
    """
    Set an attribute of this process, of those that the manual page lists.

    Raises:
        OSError: the kernel refused.
    """
    if _libc.prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
