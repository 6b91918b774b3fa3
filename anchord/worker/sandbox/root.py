"""
An empty root folder: whoever takes the worker over can't even ask whether a file exists.

The filter can't refuse that: the C library's fstat() is newfstatat() with an empty path, and a filter
sees no strings. So there is nothing to be found: the root becomes the folder of a thread that has ended,
``/proc/thread-self/fdinfo``, in which the kernel finds nothing for the rest of time. No folder has to be
made for it, and none is left behind.

Only who may change his root can do so. That is root; a service with CAP_SYS_CHROOT; and everybody in a user
namespace of his own, where the kernel allows it. The right must be there until everything is loaded, and must
be nobody's afterwards. Root gives it away with his user id. Else one thread keeps it, that does nothing but
wait; the threads of the libraries, which come later, never have it.
"""

from __future__ import annotations

import contextlib
import os
import platform
import threading

from anchord import kernel

_CLONE_NEWUSER = 0x10000000

# Numbers of capabilities(7).
_KILL, _SETGID, _SETUID, _SYS_CHROOT = (1 << number for number in (5, 6, 7, 18))

# Far above the ids of people, services and containers (whose ranges end below 2^30 by default), and
# with the process id added nobody else's.
_FIRST_UID = 0x7000_0000

_WHAT_IS_LEFT = "whoever takes the worker over can learn which files exist, their sizes and times"


class Root:
    """
    The way out of the root folder; made first of all, while there is one thread.

    Attributes:
        is_counted_alone: whether the kernel will count this worker's threads apart from all others'.
    """

    def __init__(self) -> None:
        self._refused = ""
        has, is_root = kernel.capabilities(), not os.geteuid()
        # KILL: the parent, which may do what this one may, must be able to end a process of another user.
        self._gives_away_id = is_root and not ~has & (_KILL | _SETGID | _SETUID | _SYS_CHROOT)
        self.is_counted_alone = self._gives_away_id
        self._now, self._keeper = threading.Event(), threading.Thread(target=self._leave_when_told)
        if self._gives_away_id:
            return
        if not has & _SYS_CHROOT:
            try:
                kernel.unshare(_CLONE_NEWUSER)
            except OSError as error:
                self._refused = f"no user namespace ({error.strerror})"
                return
            # Before that version, threads were counted by the user, whatever his namespace; root's never are.
            self.is_counted_alone = not is_root and _kernel_version() >= (5, 14)
        self._keeper.daemon = True
        self._keeper.start()
        kernel.drop_capabilities()

    def leave(self) -> str:
        """
        Change to the empty root, and give away whatever allowed it.

        Returns:
            "on", or "off: " and what can be learnt.
        """
        if self._gives_away_id:
            self._keeper.start()
        if not self._refused:
            self._now.set()
            self._keeper.join()
        if self._gives_away_id:
            self.is_counted_alone = _become_a_user_of_its_own()
            kernel.drop_capabilities()
        return f"off: {self._refused}; {_WHAT_IS_LEFT}" if self._refused else "on"

    def _leave_when_told(self) -> None:
        self._now.wait()
        try:
            os.chroot("/proc/thread-self/fdinfo")
            os.chdir("/")
        except OSError as error:
            self._refused = f"the root cannot be changed ({error.strerror})"


def _become_a_user_of_its_own() -> bool:
    """In every thread, and with it goes every capability; False where it had to be shared with others."""
    own = _FIRST_UID + os.getpid()
    # Where a container knows no such id: the one that owns nothing.
    for uid in (own, 65534):
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            return uid == own
    return False


def _kernel_version() -> tuple[int, ...]:
    numbers = platform.release().replace("-", ".").split(".")
    return tuple(int(number) for number in numbers[:2] if number.isdigit())
