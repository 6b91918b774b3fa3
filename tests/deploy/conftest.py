"""
A real Docker engine, a Debian made here, and a real systemd in it: what `make test-deploy` needs.

Run by that command only. Where something is missing it fails with one line that says what was not
tested; it never passes over it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2]
BASE = "anchord-test-base:12"
SYSTEMD = "anchord-test-systemd:12"
IMAGE = "anchord-test"
NGINX = "anchord-test-nginx:12"

#: What a build or an installation needs of the source: never caches, never a virtual environment.
PARTS = ("anchord", "deploy", "docs", "systemd", "web", "anchord.toml", "compose.yaml", "Dockerfile",
         ".dockerignore", "LICENSE", "Makefile", "README.md", "THIRD_PARTY.md", "pyproject.toml",
         "requirements.runtime.lock", "requirements.cluster.lock", "requirements.build.lock")  # fmt: skip


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Not part of a plain `pytest`: these take minutes, root and a Docker engine."""
    return None if any("deploy" in argument for argument in config.args) else True


#: What was measured, shown at the end of the run.
FIGURES: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures."""
    for line in FIGURES:
        terminalreporter.write_line(line)


def not_tested(why: str) -> None:
    """Fail, with one line that cannot be overlooked."""
    pytest.fail(f"NOT TESTED: unit and image, because {why}", pytrace=False)


def run(*command: str | Path, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """A command on this machine; its output is shown where it fails."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    if check and done.returncode:
        raise AssertionError(
            f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done  # type: ignore[no-any-return]


def wait_until(
    is_so: Callable[[], object], *, limit_s: float, what: str, tell: Callable[[], str] = str
) -> float:
    """Look until it is so; how long that took, s. Fails with *what* was waited for and what *tell* says."""
    started_s = time.monotonic()
    while not is_so():
        if time.monotonic() - started_s > limit_s:
            pytest.fail(f"waited {limit_s:.0f} s in vain: {what}\n{tell()}", pytrace=False)
        time.sleep(0.1)
    return time.monotonic() - started_s


@dataclass(frozen=True)
class Container:
    """A running container."""

    name: str

    def sh(self, script: str, *, check: bool = True) -> str:
        """What a shell script prints in it, as root."""
        done = run("docker", "exec", "-i", "--user", "0", self.name, "bash", "-c", script, check=False)
        if check and done.returncode:
            raise AssertionError(f"{script!r} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def ends_with(self, script: str) -> int:
        """The exit status of a shell script in it."""
        return run("docker", "exec", "--user", "0", self.name, "bash", "-c", script, check=False).returncode

    def put(self, file: Path, at: str) -> None:
        """Copy a file or folder into it."""
        run("docker", "cp", file, f"{self.name}:{at}")


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine: the one that runs, or one of our own from the distribution's packages."""
    if run("docker", "info", check=False).returncode == 0 if shutil.which("docker") else False:
        yield
        return
    if os.geteuid() != 0:
        not_tested("no Docker engine runs here, and only root could start one")
    if not shutil.which("dockerd"):
        run(SOURCE / "deploy/apt-install", "docker.io", "iptables", check=False)
    if not shutil.which("dockerd"):
        not_tested("no Docker engine runs here, and none could be installed")
    with Path("/tmp/anchord-test-dockerd.log").open("w") as log:
        process = subprocess.Popen(["dockerd"], stdout=log, stderr=log)
    try:
        for _ in range(300):
            if run("docker", "info", check=False).returncode == 0:
                break
            if process.poll() is not None:
                not_tested("dockerd does not start here; see /tmp/anchord-test-dockerd.log")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def base(engine: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Debian 12 without anything more, such as debian:12-slim."""
    if run("docker", "image", "inspect", BASE, check=False).returncode == 0:
        return BASE
    if not shutil.which("debootstrap"):
        run(SOURCE / "deploy/apt-install", "debootstrap", check=False)
    root = tmp_path_factory.mktemp("debian") / "root"
    done = run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root, check=False)
    if done.returncode:
        not_tested(f"debootstrap could not make a Debian: {done.stdout.strip().splitlines()[-1:]}")
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man",
                   "usr/share/locale", "var/log"):  # fmt: skip
        shutil.rmtree(root / folder)
        (root / folder).mkdir()
    archive = root.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(root, ".")
    run("docker", "import", archive, BASE)
    shutil.rmtree(root)
    archive.unlink()
    return BASE


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that pip will ask for, fetched here: containers need not know where this machine gets it."""
    folder = tmp_path_factory.mktemp("wheels")
    for lock in ("runtime", "build"):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--require-hashes",
            "--only-binary",
            ":all:",
        ]
        run(*command, "--python-version", "3.11", "-r", SOURCE / f"requirements.{lock}.lock", "-d", folder)
    return folder


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Path:
    """A copy of the source as somebody would clone it, with the wheels in it."""
    folder = tmp_path_factory.mktemp("source") / "anchord"
    folder.mkdir()
    for part in PARTS:
        if part == "web" and not (SOURCE / part).exists():
            continue  # the tests of the page say so
        if (SOURCE / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.egg-info")
            shutil.copytree(SOURCE / part, folder / part, ignore=ignored)
        else:
            shutil.copy2(SOURCE / part, folder / part)
    shutil.copytree(wheels, folder / "wheels")
    return folder


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample pack's idle video."""
    from anchord.demo.pack import make_pack

    return make_pack(tmp_path_factory.mktemp("sample")) / "idle.webm"


def built(tag: str, context: Path, *arguments: str) -> str:
    """An image, built with this machine's network: its package mirror may not be reached otherwise."""
    run("docker", "build", "--quiet", "--network", "host", *arguments, "--tag", tag, context)
    return tag


@pytest.fixture(scope="session")
def clean_server(base: str, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A Debian 12 server as a provider hands it over: systemd is process 1, and nothing of ours is on it."""
    context = tmp_path_factory.mktemp("systemd")
    (context / "Dockerfile").write_text(
        f"FROM {base}\n"
        "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "
        "--no-install-recommends systemd systemd-sysv procps >/dev/null\n"
        'CMD ["/sbin/init"]\n'
    )
    built(SYSTEMD, context)
    # The capabilities are what process 1 has on every machine: to make name spaces (SYS_ADMIN), to
    # look through hidepid (SYS_PTRACE), to bring up a new name space's loopback (NET_ADMIN).
    name = "anchord-test-server"
    run("docker", "rm", "--force", name, check=False)
    run("docker", "run", "--detach", "--name", name, "--network", "host",
        "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "NET_ADMIN",
        "--security-opt", "seccomp=unconfined", "--cgroupns=host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
        "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec", "-v", f"{wheels}:/wheels:ro",
        SYSTEMD)  # fmt: skip
    server = Container(name)
    is_up = ("running", "degraded")
    wait_until(
        lambda: server.sh("systemctl is-system-running", check=False) in is_up,
        limit_s=60,
        what="systemd is up",
    )
    # systemd does this on every machine but not in a container: later mounts then reach the service.
    server.sh("mount --make-rshared /")
    yield server
    run("docker", "rm", "--force", "--volumes", name, check=False)
