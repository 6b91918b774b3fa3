"""
Landlock: no file, no TCP port and no process outside is within reach.

It holds the thread that asks for it and those that this one starts; see landlock(7).
"""

from __future__ import annotations

import ctypes
import os

from anchord.kernel import system_call

# The same numbers on every machine.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1

# Version of Landlock -> the rights that it can withhold from then on. Asking for a right that the
# kernel does not know is an error, so the list must say when each came. Source: landlock(7).
_FILES = {1: 0x1FFF, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # 2: refer, 3: truncate, 5: ioctl of devices
_PORTS = {4: 0b11}  # bind and connect
_SCOPES = {6: 0b11}  # abstract Unix sockets and signals to others


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("ports", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def version() -> int:
    """
    Which Landlock the kernel has, 1 or more.

    Raises:
        OSError: it has none, or it is switched off.
    """
    return system_call(_CREATE_RULESET, 0, 0, _ASK_VERSION)


def reach_nothing() -> int:
    """
    Withhold every right that Landlock knows, for good; what is open already stays so.

    Returns:
        The version that did it.

    Raises:
        OSError: the kernel has no Landlock, or it is switched off.
    """
    has = version()
    rules = _Ruleset(*(_known(rights, has) for rights in (_FILES, _PORTS, _SCOPES)))
    # An older kernel takes a longer record only where the part it does not know is zero, which it is.
    ruleset = system_call(_CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    try:
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return has


def _known(rights: dict[int, int], has: int) -> int:
    return sum(bits for since, bits in rights.items() if since <= has)
