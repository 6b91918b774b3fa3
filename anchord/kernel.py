"""The ways into the kernel that Python has no function for."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

# capability(7): of the third layout, with two words for each set.
_CAPABILITY_VERSION = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Word(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


_Words = _Word * 2


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
    return _checked(_libc.syscall(ctypes.c_long(number), *widened))


def prctl(option: int, value: int) -> None:
    """
    Set an attribute of this process, of those that the manual page lists.

    Raises:
        OSError: the kernel refused.
    """
    _checked(_libc.prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3))


def unshare(flags: int) -> None:
    """
    Leave a namespace for a new one; ``os.unshare`` came with Python 3.12.

    Raises:
        OSError: the kernel refused.
    """
    _checked(_libc.unshare(ctypes.c_int(flags)))


def capabilities() -> int:
    """What the calling thread may do of all that root may, as a set of bits: see its manual page."""
    words = _Words()
    _checked(_libc.capget(ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), words))
    return int(words[0].effective) | int(words[1].effective) << 32


def drop_capabilities() -> None:
    """
    Take every capability from the calling thread, for good; other threads keep theirs.

    Raises:
        OSError: the kernel refused.
    """
    _checked(_libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), _Words()))


def _checked(answer: int) -> int:
    if answer == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(answer)
