"""The unit under a real systemd, installed as README.md says. The tests build on each other."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.deploy.conftest import FIGURES, SOURCE, Container, run, wait_until

ROOT = "/usr/share/nginx/html/avatars"
TIMELINE = "anchors_timeline.json"


@pytest.fixture(scope="module")
def server(clean_server: Container, source: Path, video: Path) -> Container:
    """anchord, installed and enabled by the commands in README.md; says how long that took."""
    block = re.search(r"## On a server\n.*?```sh\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL)
    assert block, "README.md has no commands below ## On a server"
    assert block[1] in (SOURCE / "docs/operations.md").read_text()
    commands = [line for line in block[1].splitlines() if not line.startswith("git clone")]
    clean_server.put(source, "/root/anchord")
    clean_server.sh("rm -rf /root/anchord/wheels")
    clean_server.put(video, "/root/idle.webm")
    started_s = time.monotonic()
    # pip's own variables name a folder of wheels; nothing else differs from a newcomer's path.
    clean_server.sh(
        "set -e; export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels DEBIAN_FRONTEND=noninteractive; cd /root\n"
        + "\n".join(commands).replace("sudo ", "")
    )
    drop(clean_server, "first")
    FIGURES.append(f"from a clean Debian to the first timeline: {time.monotonic() - started_s:.0f} s")
    return clean_server


def drop(server: Container, pack: str) -> float:
    """
    Put the video into a pack as an upload does; seconds until its timeline is there.

    Mostly that takes 4 s. What is promised, even if every file event is lost, is the next rescan (60 s).
    """
    server.sh(f"mkdir -p {ROOT}/{pack} && cp /root/idle.webm {ROOT}/{pack}/")
    took_s = wait_until(
        lambda: has_timeline(server, pack),
        limit_s=90,
        what=f"a timeline of {pack}",
        tell=lambda: journal(server, "--lines 20"),
    )
    FIGURES.append(f"unit: timeline of {pack} {took_s:.1f} s after the drop")
    return took_s


def has_timeline(server: Container, pack: str) -> bool:
    return server.ends_with(f"test -e {ROOT}/{pack}/{TIMELINE}") == 0


def shown(server: Container, key: str) -> str:
    return server.sh(f"systemctl show --value --property {key} anchord")


def journal(server: Container, *options: str) -> str:
    return server.sh(f"journalctl --unit anchord --output cat --no-pager {' '.join(options)}")


def worker_of(server: Container) -> str:
    return server.sh("pgrep -f '[a]nchord.worker.process'", check=False)


def test_a_dropped_video_gives_a_timeline_that_the_web_server_may_read(server: Container) -> None:
    assert server.sh(f"runuser -u www-data -- head -c 12 {ROOT}/first/{TIMELINE}") == '{"version":1'
    assert server.sh(f"stat -c '%U:%G %a' {ROOT}/first/{TIMELINE}") == "anchord:www-data 644"


def test_status_says_what_it_does(server: Container) -> None:
    wait_until(
        lambda: shown(server, "StatusText") == "watching 1 pack (inotify)", limit_s=40, what="the status line"
    )


def test_health_and_doctor_say_that_all_is_well(server: Container) -> None:
    assert server.sh("runuser -u www-data -- anchord health").startswith("well: 1 pack")
    findings = server.sh("runuser -u anchord -- anchord doctor")
    assert "bad " not in findings, findings


def test_every_layer_of_the_workers_sandbox_holds_under_the_unit_too(server: Container) -> None:
    """The hardening must not keep the worker's own sandbox from closing."""
    lines = journal(server).splitlines()
    layers = [json.loads(line)["sandbox"] for line in lines if '"worker_ready"' in line]

    assert layers
    assert {"limits", "no_new_privs", "seccomp", "landlock"} <= set(layers[-1])
    assert all(state.startswith("on") for state in layers[-1].values()), layers[-1]


def test_it_has_no_socket_of_the_internet_and_no_capability(server: Container) -> None:
    pid = shown(server, "MainPID")
    assert server.sh(f"grep -h CapEff /proc/{pid}/status").split()[1] == "0" * 16
    assert server.sh(f"tail -qn +2 /proc/{pid}/net/tcp /proc/{pid}/net/udp /proc/{pid}/net/raw") == ""


def test_a_reload_reads_the_settings_and_works_off_what_is_stale(server: Container) -> None:
    server.sh(
        "sed -i 's/^sample_rate = .*/sample_rate = 6/' /etc/anchord/anchord.toml; systemctl reload anchord"
    )
    wait_until(
        lambda: '"sample_every_n_frames":6' in server.sh(f"cat {ROOT}/first/{TIMELINE}"),
        limit_s=20,
        what="a new one",
    )
    assert '"settings_reloaded"' in journal(server)


def test_broken_settings_leave_a_running_daemon_alone_and_start_no_loop(server: Container) -> None:
    server.sh("cp /etc/anchord/anchord.toml /root/good.toml; echo 'txtfile = 1' >>/etc/anchord/anchord.toml")
    server.sh("systemctl reload anchord")
    wait_until(lambda: '"settings_refused"' in journal(server, "-p err"), limit_s=10, what="the refusal")
    assert shown(server, "ActiveState") == "active"

    assert server.ends_with("systemctl restart anchord") != 0
    time.sleep(7)  # RestartSec is 5: a loop would have begun
    assert (shown(server, "ActiveState"), shown(server, "ExecMainStatus"), shown(server, "NRestarts")) == (
        "failed",
        "78",
        "0",
    )
    server.sh("cp /root/good.toml /etc/anchord/anchord.toml; systemctl restart anchord")


def test_a_killed_worker_and_a_killed_daemon_are_replaced(server: Container) -> None:
    drop(server, "second")
    server.sh(f"kill -9 {worker_of(server)}")
    drop(server, "third")

    before = shown(server, "MainPID")
    server.sh("systemctl kill --signal KILL --kill-whom main anchord")
    wait_until(
        lambda: shown(server, "ActiveState") == "active" and shown(server, "MainPID") != before,
        limit_s=20,
        what="another daemon",
    )
    drop(server, "fourth")


def test_a_hung_daemon_is_ended_by_the_watchdog(server: Container) -> None:
    """With a shorter watchdog, so that nobody has to wait for 90 s."""
    server.sh(
        "mkdir -p /etc/systemd/system/anchord.service.d; "
        "printf '[Service]\\nWatchdogSec=20\\n' >/etc/systemd/system/anchord.service.d/test.conf; "
        "systemctl daemon-reload; systemctl restart anchord"
    )
    before = shown(server, "MainPID")
    time.sleep(25)
    assert shown(server, "MainPID") == before  # it is not ended while it is well
    server.sh(f"kill -STOP {before}")
    wait_until(
        lambda: shown(server, "ActiveState") == "active" and shown(server, "MainPID") not in (before, "0"),
        limit_s=60,
        what="another daemon",
    )
    server.sh(
        "rm -r /etc/systemd/system/anchord.service.d; systemctl daemon-reload; systemctl restart anchord"
    )


def test_a_full_disk_is_told_and_tried_again(server: Container) -> None:
    server.sh(f"mkdir {ROOT}/full; mount -t tmpfs -o size=700k,mode=777 none {ROOT}/full")
    server.sh(f"head -c 710k /dev/zero >{ROOT}/full/fill 2>/dev/null || true; rm -f {ROOT}/full/fill")
    server.sh(f"cp /root/idle.webm {ROOT}/full/; cat /dev/zero >{ROOT}/full/fill 2>/dev/null || true")
    server.sh("systemctl reload anchord")  # a mount makes no file event: look now, not at the next rescan
    wait_until(
        lambda: "No space left on device" in journal(server, "-p err"),
        limit_s=30,
        what="word of the full disk",
    )
    assert shown(server, "ActiveState") == "active"
    assert server.sh(f"ls -A {ROOT}/full").split() == ["fill", "idle.webm"]  # no temporary file

    server.sh(f"rm {ROOT}/full/fill")
    wait_until(lambda: has_timeline(server, "full"), limit_s=60, what="the timeline after all")
    server.sh(f"umount {ROOT}/full; rmdir {ROOT}/full")


def test_a_root_that_is_deleted_and_made_again_is_served_again(server: Container) -> None:
    """ProtectSystem=strict and ReadWritePaths must not pin the old folder."""
    server.sh(f"rm -r {ROOT}")
    wait_until(lambda: '"root_lost"' in journal(server, "-p err"), limit_s=90, what="word of the lost root")
    server.sh("systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/anchord.conf")
    drop(server, "again")


def test_the_journal_knows_what_needs_a_person(server: Container) -> None:
    server.sh(f"mkdir -p {ROOT}/bad; echo 'not a video' >{ROOT}/bad/idle.webm")
    wait_until(lambda: '"video_refused"' in journal(server, "-p warning"), limit_s=20, what="the refusal")

    errors, infos = journal(server, "-p err"), journal(server, "-p info")
    assert '"timeline_written"' in infos
    assert '"timeline_written"' not in errors
    assert '"video_refused"' not in errors
    assert "unknown key" in errors  # what ended the daemon above
    assert not re.search(r"^<\d>", infos, re.MULTILINE)


def test_an_upgrade_keeps_the_settings_and_starts_the_new_version(server: Container) -> None:
    before = shown(server, "MainPID")
    server.sh("cd /root/anchord && PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels make install")

    assert "sample_rate = 6" in server.sh("cat /etc/anchord/anchord.toml")
    assert shown(server, "ActiveState") == "active"
    assert shown(server, "MainPID") != before


def test_a_package_can_be_made_of_it_without_touching_the_machine(server: Container) -> None:
    """DESTDIR: nothing that is put there names the folder it was made in, and the service goes on."""
    before = shown(server, "MainPID")
    server.sh(
        "cd /root/anchord && PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels make install DESTDIR=/root/p PREFIX=/usr"
    )

    assert server.sh("grep -rIl /root/p /root/p --include='*.cfg' --include='anchord*' || true") == ""
    assert server.sh("head -n 1 /root/p/usr/bin/anchord") == "#!/usr/lib/anchord/bin/python3"
    assert "ExecStart=/usr/bin/anchord run" in server.sh("cat /root/p/usr/lib/systemd/system/anchord.service")
    assert server.ends_with("test -e /root/p/etc/anchord/anchord.toml") == 0
    assert shown(server, "MainPID") == before


def test_a_stop_is_quick_and_clean(server: Container) -> None:
    started_s = time.monotonic()
    server.sh("systemctl stop anchord")

    assert time.monotonic() - started_s < 5
    assert (shown(server, "ActiveState"), shown(server, "Result")) == ("inactive", "success")
    assert worker_of(server) == ""


def test_uninstalling_leaves_what_belongs_to_people(server: Container) -> None:
    server.sh("cd /root/anchord && make uninstall")

    left = server.sh("find / -xdev -name '*anchord*' -not -path '/root/*' -not -path '/proc/*'")
    assert sorted(left.split()) == ["/etc/anchord", "/etc/anchord/anchord.toml"]
    assert has_timeline(server, "again")


def test_the_unit_is_as_closed_as_it_can_be() -> None:
    unit = SOURCE / "systemd/anchord.service"
    said = run("systemd-analyze", "security", "--offline=true", "--threshold=6", unit)  # in tenths

    exposure = re.search(r"Overall exposure level for anchord.service: ([\d.]+)", said.stdout)
    assert exposure
    FIGURES.append(f"exposure by systemd-analyze security: {exposure[1]}")
    assert float(exposure[1]) <= 0.6


def test_systemd_finds_nothing_to_complain_about(server: Container) -> None:
    server.sh("mkdir -p /usr/local/bin; ln -sf /bin/true /usr/local/bin/anchord")
    server.put(SOURCE / "systemd/anchord.service", "/root/anchord.service")
    assert server.sh("systemd-analyze verify --man=no /root/anchord.service 2>&1") == ""
