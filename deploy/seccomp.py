"""
Write deploy/seccomp.json, the container's system call filter, from the unit's: `make seccomp`.

One list for both: what systemd/anchord.service allows is looked up with ``systemd-analyze syscall-filter``.
It refuses more than Docker's own (ptrace, io_uring, every socket but Unix ones), but lets the worker make a
user namespace, and change to an empty root in it.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
UNIT = HERE.parent / "systemd/anchord.service"
PROFILE = HERE / "seccomp.json"

#: What the unit does for the service from outside, a container's worker does for itself: be nice.
_ALSO = {"sched_setaffinity", "setpriority"}
#: Calls that could make a namespace or reach a network get a rule of their own below.
_NARROWED = {"clone", "clone3", "socket", "unshare"}
#: The unit has LockPersonality=yes for the first. Nobody asks for the second.
_NOT = {"personality", "kcmp"}

_AF_UNIX = 1
_NEW_USER_NAMESPACE = 0x10000000
_ANY_NEW_NAMESPACE = 0x7E020080
_NO_SUCH_CALL = 38


def allowed(unit: str) -> list[str]:
    """The system calls that a unit's SystemCallFilter= lines allow, as systemd reads them: line by line."""
    calls: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        named = {call for name in line.lstrip("~").split() for call in expanded(name)}
        calls = calls - named if line.startswith("~") else calls | named
    return sorted((calls | _ALSO) - _NARROWED - _NOT)


def expanded(name: str) -> set[str]:
    """A call is itself, a group (``@file-system``) the calls in it and in its groups."""
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", "--no-pager", name]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    inner = (line.strip() for line in listed if line.startswith(" "))
    return {call for line in inner if line and not line.startswith("#") for call in expanded(line)}


def profile(unit: str) -> str:
    """The filter in Docker's and Podman's format: everything else is refused with EPERM."""
    allow = "SCMP_ACT_ALLOW"
    of_unix = {"index": 0, "value": _AF_UNIX, "op": "SCMP_CMP_EQ"}
    in_user_namespace = {"index": 0, "value": _NEW_USER_NAMESPACE, "op": "SCMP_CMP_EQ"}
    in_no_namespace = {"index": 0, "value": _ANY_NEW_NAMESPACE, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    rules = [
        {"names": allowed(unit), "action": allow},
        {"names": ["socket"], "action": allow, "args": [of_unix]},
        {"names": ["unshare"], "action": allow, "args": [in_user_namespace]},
        {"names": ["clone"], "action": allow, "args": [in_no_namespace]},
        # Its flags lie in memory, where no filter sees them; the C library then takes clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _NO_SUCH_CALL},
    ]
    machines = [
        {"architecture": f"SCMP_ARCH_{name}", "subArchitectures": []} for name in ("X86_64", "AARCH64")
    ]
    whole = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "archMap": machines, "syscalls": rules}
    return json.dumps(whole, indent=1) + "\n"


if __name__ == "__main__":
    PROFILE.write_text(profile(UNIT.read_text()))
