"""The image and the compose file, built and run with everything closed that can be."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import FIGURES, IMAGE, NGINX, SOURCE, Container, built, run, wait_until

ROOT = "/usr/share/nginx/html/avatars"
TIMELINE = "anchors_timeline.json"
CLOSED = ("--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only",
          "--security-opt", f"seccomp={SOURCE / 'deploy/seccomp.json'}")  # fmt: skip
#: Whoever owns the avatars on the host; nobody that the image knows.
OWNER = 4321
PORT = 18080

MAX_BYTES = 560_000_000


@pytest.fixture(scope="module")
def image(base: str, source: Path) -> str:
    """The image, made of our own Debian and of wheels that were fetched beforehand."""
    return built(IMAGE, source, "--build-arg", f"BASE={base}", "--build-arg", "PIP_NO_INDEX=1")


def inspected(kind: str, name: str) -> dict[str, object]:
    (found,) = json.loads(run("docker", kind, "inspect", name).stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def avatars(tmp_path: Path) -> Path:
    """An avatars folder as somebody has it on the host."""
    folder = tmp_path / "avatars"
    folder.mkdir()
    os.chown(folder, OWNER, OWNER)
    return folder


@pytest.fixture
def running(image: str, avatars: Path) -> Iterator[Container]:
    """A container of it, closed, on that folder."""
    name = "anchord-test-container"
    run("docker", "rm", "--force", name, check=False)
    run("docker", "run", "--detach", "--name", name, *CLOSED, "--user", f"{OWNER}:{OWNER}",
        "-v", f"{avatars}:{ROOT}", image)  # fmt: skip
    yield Container(name)
    run("docker", "rm", "--force", "--volumes", name, check=False)


def upload(video: Path, avatars: Path, pack: str) -> Path:
    """Put the video into a pack as the folder's owner does; where its timeline will be."""
    folder = avatars / pack
    folder.mkdir()
    shutil.copy(video, folder / "idle.webm")
    for path in (folder, folder / "idle.webm"):
        os.chown(path, OWNER, OWNER)
    return folder / TIMELINE


def test_with_everything_closed_a_dropped_video_gives_a_timeline(
    running: Container, avatars: Path, video: Path
) -> None:
    """No network, no capability, nothing writable: and health, status and stop work."""
    timeline = upload(video, avatars, "one")
    took_s = wait_until(timeline.exists, limit_s=60, what="a timeline")
    FIGURES.append(f"container: timeline {took_s:.1f} s after the drop, of which 2 s are settling")

    assert (timeline.stat().st_uid, timeline.stat().st_mode & 0o777) == (OWNER, 0o644)
    health = run("docker", "exec", running.name, "anchord", "health")
    assert health.stdout.startswith("well: ")
    log = [json.loads(line) for line in run("docker", "logs", running.name).stderr.splitlines()]
    assert [line["event"] for line in log][:3] == ["daemon_started", "worker_ready", "timeline_written"]
    held = {layer for layer, state in log[1]["sandbox"].items() if state.startswith("on")}
    # The engine's own filter may forbid landlock; what must hold does.
    assert {"limits", "no_new_privs", "seccomp"} <= held
    FIGURES.append(f"container: the worker is held in by {', '.join(sorted(held))}")

    started_s = time.monotonic()
    run("docker", "stop", "--time", "20", running.name)
    stopped_s = time.monotonic() - started_s
    FIGURES.append(f"container: stopped in {stopped_s:.1f} s")
    assert stopped_s < 5
    assert inspected("container", running.name)["State"]["ExitCode"] == 0  # type: ignore[index]


def test_the_filter_lets_a_process_change_to_an_empty_root_and_no_more(image: str) -> None:
    """In a namespace of its own, since Docker gives a capability to root only; see operations.md."""
    probe = SOURCE / "tests/deploy/empty_root.py"
    python = ("--user", f"{OWNER}:{OWNER}", "-v", f"{probe}:/probe.py:ro", image, "python3", "/probe.py")

    assert run("docker", "run", "--rm", *CLOSED, *python).stdout.splitlines() == [
        "mount namespace: Operation not permitted",
        "user namespace: works",
        "chroot: works",
        "passwd: not there",
    ]
    # With Docker's own filter it can't, and the worker must do without.
    own = CLOSED[: CLOSED.index("--read-only") + 1]
    assert "chroot: Operation not permitted" in run("docker", "run", "--rm", *own, *python).stdout


def test_the_image_has_what_the_lock_says_and_everybodys_licence(image: str) -> None:
    bare = ("docker", "run", "--rm", "--network", "none", "--entrypoint", "", image)
    notices = run(*bare, "cat", "/opt/anchord/share/doc/anchord/THIRD_PARTY.txt").stdout
    ask = (
        "from importlib.metadata import distributions as all\n"
        "print(*sorted(f'{one.name} {one.version}' for one in all() if one.name != 'anchord'), sep='\\n')"
    )
    installed = run(*bare, "/opt/anchord/bin/python", "-c", ask).stdout.splitlines()

    lock = (SOURCE / "requirements.runtime.lock").read_text()
    for_3_11 = [line for line in re.findall(r"^\S+==.*", lock, re.MULTILINE) if ">= '3.12'" not in line]
    assert len(installed) == len(for_3_11)
    for name, version in (line.split() for line in installed):
        assert f"{name.lower().replace('_', '-')}=={version}" in lock
        assert f"| {name} | {version} |" in notices
        assert f"{name} {version}" in notices.replace(f"| {name} | {version} |", ""), f"no text of {name}"
    assert "x264" in notices
    assert "GNU GENERAL PUBLIC LICENSE" in run(*bare, "cat", "/usr/share/common-licenses/GPL-3").stdout
    labels = inspected("image", image)["Config"]["Labels"]  # type: ignore[index]
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0 AND GPL-3.0-or-later"


def test_docker_itself_finds_it_healthy(running: Container) -> None:
    wait_until(
        lambda: inspected("container", running.name)["State"]["Health"]["Status"] == "healthy",  # type: ignore[index]
        limit_s=60,
        what="HEALTHCHECK says healthy",
    )


def test_one_pack_can_be_extracted_by_hand(running: Container, avatars: Path, video: Path) -> None:
    """As the first version's document has it, with the service's name and the command changed."""
    wait_until(upload(video, avatars, "one").exists, limit_s=60, what="the daemon's own timeline")
    told = run(
        "docker", "exec", running.name, "anchord", "extract", "--avatar-id", "one", "--sample-rate", "1"
    )

    assert "coverage" in told.stdout
    assert json.loads((avatars / "one" / TIMELINE).read_bytes())["source"]["sample_every_n_frames"] == 1


def test_the_image_is_small_and_holds_nothing_to_build_with(image: str, running: Container) -> None:
    found = inspected("image", image)
    size = int(str(found["Size"]))
    FIGURES.append(f"image: {size / 1e6:.0f} MB unpacked")

    assert size < MAX_BYTES
    assert found["Config"]["User"] == "anchord"  # type: ignore[index]
    for tool in ("gcc", "pip", "pip3", "/opt/anchord/bin/pip"):
        assert running.ends_with(f"command -v {tool}") != 0, tool
    assert (
        running.sh(
            "ls -A /var/lib/apt/lists /var/cache/apt /root/.cache 2>/dev/null | grep -v :", check=False
        )
        == ""
    )


@pytest.fixture(scope="module")
def compose() -> tuple[str, ...]:
    """The command: Docker's plug-in, or the one of the distribution."""
    if run("docker", "compose", "version", check=False).returncode == 0:
        return ("docker", "compose")
    if not shutil.which("docker-compose"):
        run(SOURCE / "deploy/apt-install", "docker-compose", check=False)
    if not shutil.which("docker-compose"):
        pytest.fail("NOT TESTED: compose.yaml, because no compose command could be installed", pytrace=False)
    return ("docker-compose",)


@pytest.fixture(scope="module")
def nginx(base: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """nginx of the distribution, laid out as in nginx's own image."""
    context = tmp_path_factory.mktemp("nginx")
    (context / "nginx.conf").write_text(
        "pid /run/nginx.pid; error_log /dev/stderr; events {}\n"
        "http { access_log /dev/stdout; include /etc/nginx/mime.types; include /etc/nginx/conf.d/*.conf;\n"
        + "".join(f"{kind}_temp_path /var/cache/nginx/{kind};\n" for kind in
                  ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + "}\n"
    )  # fmt: skip
    (context / "Dockerfile").write_text(
        f"FROM {base}\n"
        "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "
        "--no-install-recommends nginx-light >/dev/null && mkdir -p /var/cache/nginx\n"
        'COPY nginx.conf /etc/nginx/\nCMD ["nginx", "-g", "daemon off;"]\n'
    )
    return built(NGINX, context)


def test_compose_is_a_working_site(
    image: str, nginx: str, compose: tuple[str, ...], source: Path, video: Path
) -> None:
    if not (SOURCE / "web/nginx.conf").exists():
        pytest.fail("NOT TESTED: compose.yaml, because web/ is not there", pytrace=False)
    avatars = source / "avatars"
    avatars.mkdir()
    os.chown(avatars, OWNER, OWNER)
    (source / ".env").write_text(
        f"ANCHORD_USER={OWNER}:{OWNER}\nANCHORD_IMAGE={image}\nNGINX_IMAGE={nginx}\nANCHORD_PORT={PORT}\n"
    )
    timeline = upload(video, avatars, "realistic_female_v1")
    run(*compose, "config", "--quiet", cwd=source)
    run(*compose, "up", "--detach", "--no-build", cwd=source)
    try:
        wait_until(timeline.exists, limit_s=60, what="a timeline")
        exec_ = (
            *compose,
            "exec",
            "-T",
            "anchord",
            "anchord",
            "extract",
            "--avatar-id",
            "realistic_female_v1",
        )
        assert "coverage" in run(*exec_, "--sample-rate", "2", cwd=source).stdout

        served = fetched("/avatars/realistic_female_v1/anchors_timeline.json")
        assert json.loads(served)["source"]["sample_every_n_frames"] == 2
        assert b"<html" in fetched("/").lower()

        # What compose.yaml says of both: the narrow filter, logs that end, and packs that are only data.
        for service in ("anchord", "nginx"):
            name = run(*compose, "ps", "-q", service, cwd=source).stdout.strip()
            host = inspected("container", name)["HostConfig"]
            assert host["LogConfig"] == {"Type": "local", "Config": {"max-file": "3", "max-size": "10m"}}  # type: ignore[index]
            assert host["CapDrop"] == ["ALL"]  # type: ignore[index]
        (avatars / "realistic_female_v1/link.json").symlink_to("/etc/passwd")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(
                f"http://127.0.0.1:{PORT}/avatars/realistic_female_v1/link.json", timeout=5
            )
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/avatars/", timeout=5) as listing:
            assert listing.headers["Content-Security-Policy"].endswith("; sandbox")
    finally:
        run(*compose, "down", "--volumes", cwd=source)


def fetched(path: str) -> bytes:
    """What nginx serves there."""
    last: OSError | None = None
    for _ in range(50):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=5) as answer:
                content = answer.read()
                assert isinstance(content, bytes)
                return content
        except OSError as error:
            last = error
            time.sleep(0.2)
    raise AssertionError(f"{path} is not served: {last}")
