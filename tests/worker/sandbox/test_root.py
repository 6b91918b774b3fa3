"""From inside a real worker no path says anything, and no right is left."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anchord.errors import VideoError
from anchord.worker import child
from anchord.worker.child import COMMAND
from anchord.worker.executor import Draft
from tests.worker.conftest import Bench
from tests.worker.test_lies import children

INSIDE = str(Path(__file__).parents[1] / "inside.py")

# As root, the first gives its user id away; the second stands for everybody else: it may not chroot, so it
# needs a user namespace. For others than root both are the same.
WAYS = {
    "as it is": (),
    "without the right to change its root": ("setpriv", "--bounding-set=-sys_chroot"),
    "without any right": ("setpriv", "--bounding-set=-all"),
}


def run(code: str, bench: Callable[..., Bench], video: Path, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    """What *code* told from inside."""
    outcome = bench(*prefix, sys.executable, INSIDE, code, sandbox="require").do(video)
    assert isinstance(outcome, VideoError), outcome
    told: dict[str, Any] = ast.literal_eval(str(outcome))
    return told


@pytest.fixture(params=WAYS)
def prefix(request: pytest.FixtureRequest) -> tuple[str, ...]:
    way = WAYS[request.param]
    if way and os.geteuid():
        pytest.skip("only root can take a right away; everybody else has none to begin with")
    return way


_LOOKS = (
    f"number = { {'x86_64': 262, 'aarch64': 79}[os.uname().machine] }"
    + """
def look(path, descriptor=-100):
    try:
        system_call(number, descriptor, ctypes.c_char_p(path), ctypes.create_string_buffer(256), 0x1000)
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'found'
"""
)

_PATHS = [b"/etc/passwd", b"/etc", b"/root", b"/tmp", b"/proc/self", b"/proc/1", b"etc", b"..", b"../../..",
          b"../../../../etc/passwd", b"/dev/null", b"/proc/self/root/etc", b"/usr/bin/env", b"."]  # fmt: skip


def test_no_path_s_metadata_can_be_had(
    prefix: tuple[str, ...], bench: Callable[..., Bench], video: Path
) -> None:
    """Not from the root, not from the current folder, not from a descriptor."""
    told = run(
        f"{_LOOKS}\nfor path in {_PATHS!r}:\n"
        "    told[path] = {look(path, descriptor) for descriptor in (-100, *range(64))}\n"
        "told['itself'] = {look(b'', descriptor) for descriptor in range(3)}",
        bench,
        video,
        prefix,
    )
    assert told.pop("itself") == {"found"}
    for path, found in told.items():
        assert found <= {"ESRCH", "ENOENT", "ENOTDIR", "EBADF"}, (path, found)


def test_the_same_look_finds_everything_where_the_root_is_not_left(
    bench: Callable[..., Bench], video: Path
) -> None:
    """Else the test above would prove nothing; and then the layer's state says so."""
    if not shutil.which("strace"):
        pytest.skip("NOT TESTED: needs strace")
    # Neither chroot nor a user namespace, as in a container with the usual filter.
    refused = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=chroot,unshare:error=EPERM")
    code = f"{_LOOKS}\ntold['/etc/passwd'] = look(b'/etc/passwd')"
    # The tracer is this process's child, and the worker its.
    made = bench(*refused, sys.executable, INSIDE, code)
    assert str(made.do(video)) == "{'/etc/passwd': 'found'}"


def test_no_right_is_left_in_any_thread(
    prefix: tuple[str, ...], bench: Callable[..., Bench], video: Path
) -> None:
    """Those of the libraries were started while one thread still had them."""
    others = children()  # of earlier tests, and of what runs these
    made = bench(*prefix, *COMMAND)
    assert isinstance(made.do(video), Draft)
    (pid,) = children() - others
    threads = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    assert len(threads) > 3
    for thread in threads:
        assert set(re.findall(r"Cap(?:Inh|Prm|Eff|Amb):\s+(\w+)", thread)) == {"0" * 16}, thread


def test_threads_end_somewhere(bench: Callable[..., Bench], video: Path) -> None:
    """At the kernel's limit, far above what is needed; test_lies has those whom only the parent counts."""
    told_of_it = """
threading.stack_size(64 << 10)
started, go = 0, threading.Event()
try:
    for started in range(1500):
        threading.Thread(target=go.wait, daemon=True).start()
except RuntimeError as error:
    told['error'] = str(error)
go.set()
told['started'] = started
"""
    told = run(told_of_it, bench, video)
    assert told["error"] == "can't start new thread"
    assert 200 < told["started"] < 400


def test_what_is_inherited_is_little(
    bench: Callable[..., Bench], video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable of the parent's, no mask or handler of its signals, nothing open but its own."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        told = run(_INHERITED, bench, video)
    finally:
        signal.signal(signal.SIGHUP, old)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    # Python sets one itself.
    assert set(told.pop("environment")) <= {"LC_CTYPE", *child._INHERITED, *child._ENVIRONMENT}
    # stdin, stdout, stderr, the channel, and the video.
    assert told == {"handled": [signal.SIGPIPE, signal.SIGXFSZ], "blocked": [], "open": 5}


_INHERITED = """
told['environment'] = sorted(os.environ)
told['handled'] = [int(n) for n in range(1, 32) if signal.getsignal(n) not in (signal.SIG_DFL, None)]
told['blocked'] = [int(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
def is_open(descriptor):
    try:
        return bool(os.fstat(descriptor))
    except OSError:
        return False
told['open'] = sum(map(is_open, range(64)))
"""


def test_an_honest_worker_works_in_each_of_them(
    prefix: tuple[str, ...], bench: Callable[..., Bench], video: Path
) -> None:
    """Names of threads, memory, the model, the decoder: nothing needs a file any more."""
    made = bench(*prefix, *COMMAND, sandbox="require")
    assert isinstance(made.do(video), Draft)
