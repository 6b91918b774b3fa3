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
    commands = block[1].splitlines()
    clean_server.put(source, "/root/anchord")
    clean_server.sh("rm -rf /root/anchord/wheels")
    clean_server.put(video, "/root/idle.webm")
    started_s = time.monotonic()
    # pip's own variables name a folder of wheels; nothing else differs from a newcomer's path.
    offline = "export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels DEBIAN_FRONTEND=noninteractive"
    clean_server.sh(f"set -e; {offline}; cd /root/anchord\n" + "\n".join(commands).replace("sudo ", ""))
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
    # The container's root is an overlay, whose lower layer no event tells of.
    wait_until(
        lambda: shown(server, "StatusText") == "watching 1 pack (inotify+poll)",
        limit_s=40,
        what="the status line",
        tell=lambda: shown(server, "StatusText"),
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
    # Threads the kernel can only count for a whole user; under the unit TasksMax= does.
    off = {layer for layer, state in layers[-1].items() if not state.startswith("on")}
    assert off <= {"threads"}, layers[-1]


def under_the_unit(server: Container, command: str) -> str:
    """What a command prints that runs in the service's place, with all that the unit says but its type."""
    unit = "/usr/local/lib/systemd/system/anchord.service"
    changes = "-e s/^Type=.*/Type=exec/ -e s/^Restart=.*// -e s/^NotifyAccess=.*// -e s/^WatchdogSec=.*//"
    # Another runtime folder: that of the daemon, which runs meanwhile, is not to be touched.
    changes += f" -e s#^RuntimeDirectory=.*## -e 's#^ExecStart=.*#ExecStart={command}#'"
    server.sh(f"sed {changes} {unit} >/run/systemd/system/tried.service; systemctl daemon-reload")
    server.sh("systemctl start tried")
    wait_until(
        lambda: server.sh("systemctl is-active tried", check=False) in ("inactive", "failed"),
        limit_s=20,
        what="the end of what was tried",
    )
    return server.sh(
        "journalctl --sync; journalctl --output cat --no-pager --unit tried --identifier python3"
    )


def test_the_unit_lets_a_process_change_to_an_empty_root_and_no_more(server: Container) -> None:
    """What the worker does before its first video, and what operations.md says of it."""
    server.put(SOURCE / "tests/deploy/empty_root.py", "/usr/local/lib/empty_root.py")
    said = under_the_unit(server, "/usr/bin/python3 /usr/local/lib/empty_root.py").splitlines()
    server.sh("rm /usr/local/lib/empty_root.py")

    assert said == [
        "mount namespace: Operation not permitted",
        "user namespace: not needed",
        "chroot: works",
        "passwd: not there",
    ]


def test_it_has_no_socket_of_the_internet_and_one_capability_of_its_own(server: Container) -> None:
    pid = shown(server, "MainPID")
    change_root = f"{1 << 18:016x}"
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert server.sh(f"grep -h {kind} /proc/{pid}/status").split()[1] == change_root
    namespaces = server.sh(f"readlink /proc/{pid}/ns/user /proc/1/ns/user").split()
    assert len(set(namespaces)) == 2
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


def in_place(server: Container, lines: str) -> None:
    """Put a drop-in in place; :func:`taken_back` takes it away."""
    folder = "/etc/systemd/system/anchord.service.d"
    server.sh(f"mkdir -p {folder}; printf '%s\n' '{lines}' >{folder}/test.conf; systemctl daemon-reload")


def taken_back(server: Container) -> None:
    server.sh("rm -r /etc/systemd/system/anchord.service.d; systemctl daemon-reload")


def test_whatever_ends_it_and_however_often_it_is_started_again(server: Container) -> None:
    """A stray SIGTERM ends it well, which is no reason to stay away; and no limit ends the attempts."""
    before = shown(server, "MainPID")
    server.sh(f"kill -TERM {before}")
    wait_until(
        lambda: shown(server, "ActiveState") == "active" and shown(server, "MainPID") != before,
        limit_s=20,
        what="another daemon",
    )

    in_place(server, '[Service]\nExecStart=\nExecStart=/bin/sh -c "exit 74"\nRestartSec=50ms')
    server.sh("systemctl restart anchord", check=False)
    # Five within ten seconds is where systemd gives up, if it is not told otherwise.
    wait_until(lambda: int(shown(server, "NRestarts")) > 12, limit_s=30, what="many restarts")
    taken_back(server)
    wait_until(lambda: shown(server, "ActiveState") == "active", limit_s=20, what="a start after all")


def test_the_runtime_folder_outlives_a_stop(server: Container) -> None:
    """A lock in it must be the same file for whoever takes it."""
    before = server.sh("stat -c '%i %U %a' /run/anchord")
    server.sh("systemctl restart anchord; systemctl stop anchord")
    assert server.sh("stat -c '%i %U %a' /run/anchord") == before
    assert before.endswith(" anchord 755")
    server.sh("systemctl start anchord")


def blocks(heading: str, language: str) -> list[str]:
    """The blocks of commands or settings below a heading of operations.md."""
    text = (SOURCE / "docs/operations.md").read_text()
    section = re.search(rf"^## {heading}\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE)
    assert section, heading
    return re.findall(rf"```{language}\n(.*?)```", section[1], re.DOTALL)


def as_user(server: Container, user: str, script: str) -> bool:
    """Whether a script works for somebody."""
    return server.ends_with(f"runuser -u {user} -- sh -c '{script}'") == 0


def test_rights_on_a_pack_reach_no_further(server: Container) -> None:
    """The commands of operations.md, on a real file system, as real users."""
    make, share, sticky = blocks("Permissions, with nginx", "sh")
    give, take, keep = share.splitlines()
    server.sh("apt-get install -qq -y acl >/dev/null 2>&1; chmod 755 /root; chmod 644 /root/idle.webm")
    server.sh("for user in alice bob carol; do useradd $user; done")

    server.sh(make)
    assert as_user(server, "alice", f"cp /root/idle.webm {ROOT}/ada/")
    wait_until(lambda: has_timeline(server, "ada"), limit_s=90, what="a timeline of ada")
    assert server.sh(f"runuser -u www-data -- head -c 12 {ROOT}/ada/{TIMELINE}") == '{"version":1'
    for beyond in (f"mkdir {ROOT}/more", f"ln -s /etc {ROOT}/link", f"mv {ROOT}/ada {ROOT}/eve",
                   f"mv {ROOT}/first {ROOT}/gone", f"rm -r {ROOT}/ada", f"touch {ROOT}/first/mine",
                   f"rm {ROOT}/first/{TIMELINE}"):  # fmt: skip
        assert not as_user(server, "alice", beyond), beyond
    # All of ada's content was hers to delete; the folder was not.
    assert server.sh(f"ls -A {ROOT}/ada") == ""

    write = f"touch {ROOT}/ada/words.txt && rm {ROOT}/ada/words.txt"
    assert not as_user(server, "bob", write)
    server.sh(give)
    assert as_user(server, "bob", write)
    # What the one makes, the other may replace; and anchord still writes there.
    assert as_user(server, "bob", f"cp /root/idle.webm {ROOT}/ada/ && mkdir {ROOT}/ada/sprites")
    replace = f"cp --remove-destination /root/idle.webm {ROOT}/ada/ && touch {ROOT}/ada/sprites/one"
    assert as_user(server, "alice", replace)
    wait_until(lambda: has_timeline(server, "ada"), limit_s=90, what="another timeline of ada")
    server.sh(f"{take}; {keep}")
    assert not as_user(server, "bob", write)
    assert not as_user(server, "bob", f"touch {ROOT}/ada/sprites/two")

    server.sh(sticky)
    assert as_user(server, "carol", f"mkdir {ROOT}/carols && cp /root/idle.webm {ROOT}/carols/")
    wait_until(lambda: has_timeline(server, "carols"), limit_s=90, what="a timeline of carol's")
    for beyond in (f"mv {ROOT}/ada {ROOT}/eve", f"mv {ROOT}/first {ROOT}/gone", f"touch {ROOT}/ada/mine"):
        assert not as_user(server, "carol", beyond), beyond
    server.sh(f"chmod -t {ROOT}; setfacl -x u:carol {ROOT}; rm -r {ROOT}/ada {ROOT}/carols; chmod 700 /root")


def test_the_drop_in_for_another_root_writes_there_runs_nothing_there_and_waits_for_its_mount(
    server: Container,
) -> None:
    unit, mount = blocks("Another avatars folder", "ini")
    server.sh("mkdir -p /srv/site /var/disk/avatars/pack; chown -R anchord /var/disk")
    server.sh("cp /root/idle.webm /var/disk/avatars/pack/; cp /bin/true /var/disk/program")
    mount_unit = "[Mount]\nWhat=/var/disk\nWhere=/srv/site\nType=none\nOptions=bind\n"
    server.sh(f"printf '{mount_unit}' >/etc/systemd/system/srv-site.mount")
    server.sh("cp /etc/anchord/anchord.toml /root/good.toml")
    server.sh("sed -i 's#^root = .*#root = \"/srv/site/avatars\"#' /etc/anchord/anchord.toml")
    in_place(server, unit)
    assert server.sh("systemd-analyze verify --man=no anchord.service 2>&1") == ""
    exposure = server.sh("systemd-analyze security --no-pager --threshold=6 anchord.service | tail -n 1")
    assert "SAFE" in exposure, exposure
    server.sh("systemctl restart anchord")

    # The mount came with it, and the timeline lies in it.
    wait_until(
        lambda: server.ends_with(f"test -e /var/disk/avatars/pack/{TIMELINE}") == 0,
        limit_s=60,
        what="a timeline in the other root",
        tell=lambda: journal(server, "--lines 20"),
    )
    inside = f"nsenter --mount --target {shown(server, 'MainPID')}"
    assert server.ends_with("/srv/site/program") == 0
    assert "Permission denied" in server.sh(f"{inside} /srv/site/program 2>&1", check=False)
    for closed in (f"{ROOT}/mine", "/srv/mine", "/usr/mine"):
        assert "Read-only file system" in server.sh(f"{inside} touch {closed} 2>&1", check=False), closed

    # It goes with its mount, and comes back with it where that is told to bring it along.
    server.sh("systemctl stop srv-site.mount")
    assert shown(server, "ActiveState") == "inactive"
    server.sh(f"mkdir /etc/systemd/system/srv-site.mount.d; printf '%s\n' '{mount}' "
              ">/etc/systemd/system/srv-site.mount.d/test.conf; systemctl daemon-reload")  # fmt: skip
    server.sh("systemctl start srv-site.mount")
    wait_until(lambda: shown(server, "ActiveState") == "active", limit_s=20, what="anchord, with its mount")

    server.sh("systemctl stop anchord srv-site.mount; rm -r /etc/systemd/system/srv-site.mount*")
    server.sh("rm -r /var/disk; cp /root/good.toml /etc/anchord/anchord.toml")
    taken_back(server)
    server.sh("systemctl start anchord")


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
        limit_s=90,
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


def test_the_containers_filter_is_made_from_this_unit(server: Container) -> None:
    """By this systemd, which knows what each group of calls means: `make seccomp`."""
    server.sh("cd /root/anchord && cp deploy/seccomp.json /root/before.json && python3 deploy/seccomp.py")
    assert server.ends_with("cmp /root/before.json /root/anchord/deploy/seccomp.json") == 0


def test_the_notices_are_installed_with_every_text(server: Container) -> None:
    """Among them those that lie in folders whose like are taken away from a server."""
    notices = server.sh("cat /usr/local/lib/anchord/share/doc/anchord/THIRD_PARTY.txt")
    assert notices.startswith((SOURCE / "THIRD_PARTY.md").read_text())
    assert "numpy/_core/include/numpy/libdivide/LICENSE.txt" in notices


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
    assert server.ends_with("test -e /run/anchord") != 0
    assert has_timeline(server, "again")


def test_the_unit_is_as_closed_as_it_can_be() -> None:
    unit = SOURCE / "systemd/anchord.service"
    said = run("systemd-analyze", "security", "--offline=true", "--threshold=7", unit)  # in tenths

    exposure = re.search(r"Overall exposure level for anchord.service: ([\d.]+)", said.stdout)
    assert exposure
    FIGURES.append(f"exposure by systemd-analyze security: {exposure[1]}")
    assert float(exposure[1]) <= 0.7


def test_systemd_finds_nothing_to_complain_about(server: Container) -> None:
    server.sh("mkdir -p /usr/local/bin; ln -sf /bin/true /usr/local/bin/anchord")
    server.put(SOURCE / "systemd/anchord.service", "/root/anchord.service")
    assert server.sh("systemd-analyze verify --man=no /root/anchord.service 2>&1") == ""
