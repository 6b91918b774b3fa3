"""Run under the unit and in the container: do what a worker does first, in either way; say how it went."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
NEW_USER_NAMESPACE, NEW_MOUNT_NAMESPACE = 0x10000000, 0x00020000


def tried(name: str, *arguments: object) -> str:
    """How a system call went."""
    return "works" if getattr(libc, name)(*arguments) == 0 else os.strerror(ctypes.get_errno())


def root_changed() -> str:
    return tried("chroot", b"/proc/thread-self/fdinfo")


mount = tried("unshare", NEW_MOUNT_NAMESPACE)
root, user = root_changed(), "not needed"
if root != "works":
    user = tried("unshare", NEW_USER_NAMESPACE)
    root = root_changed()
passwd = "seen" if Path("/etc/passwd").exists() else "not there"
sys.stdout.write(f"mount namespace: {mount}\nuser namespace: {user}\nchroot: {root}\npasswd: {passwd}\n")
