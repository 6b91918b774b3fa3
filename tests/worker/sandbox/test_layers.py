"""Each layer is tried on its own and together, in a child process: none of it could be taken back here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anchord.errors import SettingsError
from anchord.worker.sandbox import landlock, layers, seccomp

# Everything is imported before: afterwards nothing can be.
PRELUDE = """
import contextlib, ctypes, errno, mmap, os, resource, signal, socket, subprocess, sys, threading
from anchord.kernel import prctl, system_call
from anchord.worker.sandbox import landlock, layers, seccomp
def tried(attempt):
    try:
        return f"done: {attempt()}"
    except OSError as error:
        return errno.errorcode[error.errno]
    except ValueError:  # what resource makes of EPERM
        return "EPERM"
    except MemoryError:
        return "MemoryError"
"""

_ALL = "layers.Cage('require', memory_mb=3072, frames=2).shut()\n"
_LANDLOCK_ONLY = "prctl(38, 1); landlock.reach_nothing()\n"
_LIMITS_ONLY = "layers.Cage('off', memory_mb=1024, frames=2).shut()\n"


def child(code: str, *, descriptors: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run *code* in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        capture_output=True,
        text=True,
        pass_fds=descriptors,
        timeout=30,
        check=False,
    )


def outcome(held: str, attempt: str) -> str:
    """What an expression gave under these layers: "done: …" or the error's name."""
    run = child(f"{held}print(tried(lambda: {attempt}))")
    assert run.returncode == 0, run
    return run.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def _kernel_has_every_layer() -> None:
    """A kernel without them can't tell whether the code works: that is said, never passed over."""
    run = child("print(layers.Cage('auto', memory_mb=3072, frames=2).shut())")
    if "'off" in run.stdout or run.returncode:
        pytest.skip(f"THE SANDBOX IS NOT TESTED: this kernel refused layers: {run.stdout} {run.stderr}")


_WITH_EFFECTS_OUTSIDE = [
    "socket.socket(socket.AF_INET)",
    "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "socket.socket(socket.AF_UNIX)",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.socketpair()",
    "os.open('/etc/passwd', os.O_RDONLY)",
    "os.open('/proc/self/maps', os.O_RDONLY)",
    "os.open('/tmp/anchord-test', os.O_WRONLY | os.O_CREAT)",
    "os.listdir('/')",
    "os.stat('/etc/passwd')",
    "os.readlink('/proc/self/exe')",
    "os.unlink('/tmp/anchord-test')",
    "os.rename('/tmp/anchord-test', '/tmp/anchord-test-2')",
    "os.mkdir('/tmp/anchord-test')",
    "os.symlink('a', '/tmp/anchord-test')",
    "os.link('/etc/passwd', '/tmp/anchord-test')",
    "os.chmod('/tmp', 0o777)",
    "os.truncate('/tmp/anchord-test', 0)",
    "os.fork()",
    "os.posix_spawn('/bin/true', ['true'], {})",
    "subprocess.run(['true'])",
    "os.kill(os.getppid(), 0)",
    "system_call({'x86_64': 234, 'aarch64': 131}[uname.machine], os.getppid(), os.getppid(), 0)",
    "system_call({'x86_64': 234, 'aarch64': 131}[uname.machine], os.getpid(), threading.get_native_id(), 9)",
    "os.memfd_create('a')",
    "os.pipe()",
    "os.setuid(65534)",
    "os.nice(-1)",
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
    "prctl(4, 1)",
    "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "os.pidfd_open(os.getppid())",
]


def test_whoever_takes_the_worker_over_is_refused() -> None:
    """Calls with an effect outside the process, and those that prepare for one."""
    tries = "".join(f"print(tried(lambda: {attempt}))\n" for attempt in _WITH_EFFECTS_OUTSIDE)
    run = child(f"uname = os.uname()\n{_ALL}{tries}")
    assert run.returncode == 0, run
    outcomes = dict(zip(_WITH_EFFECTS_OUTSIDE, run.stdout.splitlines(), strict=True))
    assert outcomes == dict.fromkeys(_WITH_EFFECTS_OUTSIDE, "EPERM")


@pytest.mark.parametrize("name", ["execve", "ptrace", "process_vm_readv", "mount", "bpf", "io_uring_setup"])
def test_what_only_an_attacker_asks_for_ends_the_process(name: str) -> None:
    """The daemon sees SIGSYS and can say so; a refusal would let the attacker try on."""
    numbers = seccomp._DEADLY[name]
    number = numbers[seccomp._MACHINES[os.uname().machine].column]
    assert child(f"{_ALL}system_call({number}, 0, 0, 0, 0, 0)").returncode == -signal.SIGSYS


def test_a_library_that_gives_up_can_still_say_so() -> None:
    """abort() sends a signal to itself, the only one that may be sent."""
    assert child(f"{_ALL}os.abort()").returncode == -signal.SIGABRT


def test_calls_newer_than_the_filter_do_not_exist() -> None:
    """clone3 hides its flags in memory; the C library takes the answer for an old kernel's."""
    # The last one is socket() in x86's second set.
    calls = "[tried(lambda: system_call(number, 0, 0)) for number in (435, 437, 449, 600, 0x40000029)]"
    assert outcome(_ALL, calls) == f"done: {['ENOSYS'] * 5}"


def test_threads_that_were_there_before_are_held_too() -> None:
    """Libraries start some at import."""
    run = child(f"""
go, answers = threading.Event(), []
def early():
    go.wait()
    answers.append(tried(lambda: os.open("/etc/passwd", os.O_RDONLY)))
    answers.append(tried(lambda: socket.socket()))
thread = threading.Thread(target=early)
thread.start()
{_ALL}
go.set()
thread.join()
late = threading.Thread(target=early)
late.start()
late.join()
print(*answers)""")
    assert run.stdout.split() == ["EPERM"] * 4, run


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        ("os.open('/etc/passwd', os.O_RDONLY)", "EACCES"),
        ("os.listdir('/')", "EACCES"),
        ("os.open('/tmp/anchord-test', os.O_WRONLY | os.O_CREAT)", "EACCES"),
        ("os.mkdir('/tmp/anchord-test')", "EACCES"),
        ("os.execv('/bin/true', ['true'])", "EACCES"),
        ("socket.socket().bind(('127.0.0.1', 0))", "EACCES"),
        ("socket.socket().connect(('127.0.0.1', 9))", "EACCES"),
        ("os.kill(os.getppid(), 0)", "EPERM"),
    ],
)
def test_landlock_alone_would_hold(attempt: str, error: str) -> None:
    """It guards what the filter guards, in case the filter has a hole."""
    has = landlock.version()
    needs = 4 if "socket" in attempt else 6 if "kill" in attempt else 1
    if has < needs:
        pytest.skip(f"NOT TESTED: Landlock version {has} of this kernel cannot refuse {attempt}")
    assert outcome(_LANDLOCK_ONLY, attempt) == error


def test_no_more_memory_than_given() -> None:
    """The decoder of a bad file grows until it is refused, not until the machine is full."""
    assert outcome(_LIMITS_ONLY, "len(bytearray(1200 << 20))") == "MemoryError"
    assert outcome(_LIMITS_ONLY, "len(bytearray(100 << 20))") == f"done: {100 << 20}"


def test_an_open_file_cannot_be_written_even_if_the_filter_is_off(tmp_path: Path) -> None:
    """A descriptor that can be written must never get there; if one did, this holds."""
    file = tmp_path / "file"
    with file.open("wb") as stream:
        run = child(
            f"{_LIMITS_ONLY}print(tried(lambda: os.write({stream.fileno()}, b'x')))",
            descriptors=(stream.fileno(),),
        )
    assert run.stdout.strip() == "EFBIG"
    assert file.read_bytes() == b""


def test_few_files_can_be_open() -> None:
    """What came as a descriptor and was never closed ends in an error, not in thousands."""
    opened = "[os.open('/dev/null', os.O_RDONLY) for _ in range(100)]"
    assert outcome(_LIMITS_ONLY, opened) == "EMFILE"


class NoWayOut:
    """A root folder that is not left: this process needs it."""

    is_counted_alone = False

    def leave(self) -> str:
        return "on"


def _shut(mode: layers.Mode) -> dict[str, str]:
    return layers.Cage(mode, memory_mb=3072, frames=2).shut()


def test_require_refuses_where_a_layer_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says which one, why, and what to do."""
    monkeypatch.setattr(layers, "_limit", lambda memory_mb: "on")
    monkeypatch.setattr(layers, "_limit_threads", lambda frames, *, is_counted_alone: "on")
    monkeypatch.setattr(layers, "_set", lambda option, value: "on")
    monkeypatch.setattr(layers, "Root", NoWayOut)
    monkeypatch.setattr(landlock, "reach_nothing", lambda: 7)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(SettingsError, match="seccomp is off: no filter for riscv64; use a kernel"):
        _shut("require")
    assert _shut("auto")["seccomp"] == "off: no filter for riscv64"


def test_landlock_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many containers have none, and the filter refuses all paths by itself."""

    def refuse() -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(layers, "_limit", lambda memory_mb: "on")
    monkeypatch.setattr(layers, "_limit_threads", lambda frames, *, is_counted_alone: "on")
    monkeypatch.setattr(layers, "_set", lambda option, value: "on")
    monkeypatch.setattr(layers, "Root", NoWayOut)
    monkeypatch.setattr(seccomp, "allow_only_what_is_needed", lambda: None)
    monkeypatch.setattr(landlock, "reach_nothing", refuse)

    assert _shut("require")["landlock"] == "off: Operation not supported"
