"""
A seccomp filter: the system calls that a warm worker needs, and no other.

A list of what is allowed, so that a call that a later kernel brings is refused as well. No path can
be opened with it: everything that is read was opened before, or came with a job. Every thread of the
process is held, those that are there already too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
from typing import NamedTuple

from anchord.kernel import system_call

_SET_FILTER, _ALL_THREADS = 1, 1

_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
# Opcodes: load a word of the call, and it, jump if equal, jump if at least, return. See bpf(4).
_LOAD, _AND, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
# Where in seccomp_data the call's number, the machine and the first argument are, in bytes.
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16

# From here on numbers are newer than 2019 and the C library must do without: clone3, whose flags
# lie in memory where no filter sees them, openat2, pidfd_getfd, … It takes "no such call" for an old
# kernel and falls back. x86's second set of numbers (x32) begins far above and is out with them.
_NEWER = 435


class _Machine(NamedTuple):
    """Which column of the tables below is meant, and how the kernel calls it."""

    column: int
    audit_name: int
    seccomp: int


_MACHINES = {
    "x86_64": _Machine(column=0, audit_name=0xC000003E, seccomp=317),
    "aarch64": _Machine(column=1, audit_name=0xC00000B7, seccomp=277),
}

#: Numbers on x86_64 and aarch64; None where there is no such call. The busiest first.
_ALLOWED: dict[str, tuple[int, int | None]] = {
    "futex": (202, 98),
    "rt_sigprocmask": (14, 135),
    "madvise": (28, 233),
    "read": (0, 63),
    "lseek": (8, 62),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "exit": (60, 93),
    "sched_getaffinity": (204, 123),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "close": (3, 57),
    "fstat": (5, 80),
    "write": (1, 64),
    "writev": (20, 66),
    "pread64": (17, 67),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "shutdown": (48, 210),
    "poll": (7, None),
    "ppoll": (271, 73),
    "sched_yield": (24, 124),
    "sched_getscheduler": (145, 120),
    "sched_getparam": (143, 121),
    "getcpu": (309, 168),
    "gettid": (186, 178),
    "getpid": (39, 172),
    "getrandom": (318, 278),
    "sysinfo": (99, 179),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "rt_sigaction": (13, 134),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "exit_group": (231, 94),
}

#: What no code of ours or of the libraries ever asks for; whoever does has taken the worker over.
_DEADLY: dict[str, tuple[int, int]] = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
}


class _When(NamedTuple):
    """Allowed where the 32-bit *word* of the arguments, masked, has this value; words count from 0."""

    word: int
    mask: int
    value: int


def _conditional() -> dict[tuple[int, int], tuple[_When, ...]]:
    whole = 0xFFFFFFFF
    return {
        # clone: another thread, never another process.
        (56, 220): (_When(0, 0x00010000, 0x00010000),),
        # mmap, mprotect: memory that code could be written to and run in is not to be had.
        (9, 222): (_When(4, 0x4, 0),),
        (10, 226): (_When(4, 0x4, 0),),
        # newfstatat: what fstat() is in some C libraries, with an empty path; no other path.
        (262, 79): (_When(6, 0x1000, 0x1000),),
        # tgkill: abort() sends itself a signal.
        (234, 131): (_When(0, whole, os.getpid()), _When(4, whole, signal.SIGABRT)),
        # prctl: a thread gives itself a name.
        (157, 167): (_When(0, whole, 15),),
        # prlimit64: to ask for a limit, never to set one.
        (302, 261): (_When(4, whole, 0), _When(5, whole, 0)),
    }


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def allow_only_what_is_needed() -> None:
    """
    Put the filter on every thread of this process, for good. Needs no_new_privs.

    Raises:
        OSError: the kernel refused, or there is no filter for this machine.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise OSError(errno.ENOSYS, f"no filter for {platform.machine()}")
    code = _filter(machine)
    program = _Program(len(code) // 8, code)
    thread = system_call(machine.seccomp, _SET_FILTER, _ALL_THREADS, ctypes.byref(program))
    if thread > 0:
        raise OSError(errno.EBUSY, f"thread {thread} has a filter of its own")


def _filter(machine: _Machine) -> bytes:
    refuse = (_RETURN, 0, 0, _REFUSE | errno.EPERM)
    code = [
        (_LOAD, 0, 0, _MACHINE),
        (_IF_EQUAL, 1, 0, machine.audit_name),
        (_RETURN, 0, 0, _KILL),  # 32-bit calls have other numbers, and nobody makes them
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, 0, 1, _NEWER),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
    ]
    for table, action in ((_ALLOWED, _ALLOW), (_DEADLY, _KILL)):
        for numbers in table.values():
            if (number := numbers[machine.column]) is not None:
                code += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, action)]
    for numbers, conditions in _conditional().items():
        checks: list[tuple[int, int, int, int]] = []
        for left, (word, mask, value) in enumerate(reversed(conditions)):
            # Where it does not hold: over the checks that are left and their "allow", to "refuse".
            checks[:0] = [
                (_LOAD, 0, 0, _ARGUMENTS + 4 * word),
                (_AND, 0, 0, mask),
                (_IF_EQUAL, 0, 3 * left + 1, value),
            ]
        block = [*checks, (_RETURN, 0, 0, _ALLOW), refuse]
        code += [(_IF_EQUAL, 0, len(block), numbers[machine.column]), *block]
    code.append(refuse)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
