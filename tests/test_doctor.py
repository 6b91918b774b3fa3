from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from anchord.cli import anchord
from anchord.commands import doctor
from anchord.commands.premises import Finding, examine_packs
from anchord.settings import MetricsSettings, Settings

NOBODY = 65534


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """This process without root's rights, where it has them."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setgroups(groups)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An avatars root that anybody may reach, with one good pack."""
    # pytest's own are closed to others; how many there are depends on how many processes test.
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()).resolve():
            break
        folder.chmod(0o755)
    root = tmp_path / "avatars"
    (root / "good").mkdir(parents=True)
    (root / "good" / "idle.webm").write_bytes(b"x")
    root.chmod(0o777)
    (root / "good").chmod(0o777)
    return root


def bad(findings: Iterator[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict == "bad"]


def test_a_good_machine_has_nothing_bad(root: Path) -> None:
    """With the real decoders, model, worker and kernel of this machine."""
    findings = list(doctor.examine(Settings(), root))

    assert not bad(iter(findings)), findings
    assert {finding.subject for finding in findings} >= {
        "kernel",
        "user",
        "versions",
        "model",
        "decoders",
        "worker",
        "root",
        "inotify",
        "packs",
        "daemon",
    }


def test_every_finding_that_is_bad_names_its_fix(tmp_path: Path) -> None:
    settings = Settings(metrics=MetricsSettings(textfile="/nowhere/anchord.prom"))
    found = bad(doctor.examine(settings, tmp_path / "missing"))

    assert [finding.subject for finding in found] == ["root", "metrics"]
    assert all(finding.fix for finding in found)


def test_packs_that_this_user_may_not_write_are_named_with_the_command(root: Path) -> None:
    (root / "good").chmod(0o555)

    with as_nobody():
        (found,) = bad(examine_packs(Settings(), root))
        fix = f"setfacl -R -m u:{os.geteuid()}:rwX {root}"

    assert (found.text, found.fix) == ("good: may not be read and written by this user", fix)


def test_a_pack_that_a_web_server_cannot_read_is_noted(root: Path) -> None:
    (root / "good" / "idle.webm").chmod(0o600)

    notes = [finding.text for finding in examine_packs(Settings(), root) if finding.verdict == "note"]

    assert notes == ["good: a web server of another user may not be able to read them"]


def test_a_pack_with_broken_settings_is_bad_and_the_others_are_still_counted(root: Path) -> None:
    (root / "broken").mkdir(mode=0o777)
    (root / "broken" / "anchord.toml").write_text("sample_rat = 1")

    findings = list(examine_packs(Settings(), root))

    assert ["sample_rate" in finding.text for finding in bad(iter(findings))] == [True]
    assert findings[-1].text == "1 of 2 have all they need"


def test_a_decoder_library_that_cannot_be_loaded_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'ImportError: no libavcodec' >&2; exit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    (found,) = doctor._decoders()

    assert (found.verdict, found.text) == ("bad", "PyAV cannot be loaded: ImportError: no libavcodec")


def test_the_commands_end_with_what_they_found(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    runner = CliRunner()

    assert runner.invoke(anchord, ["doctor", "--root", str(root), "--json"]).exit_code == 0
    assert runner.invoke(anchord, ["doctor", "--root", str(root / "none")]).exit_code == 1
    assert runner.invoke(anchord, ["health", "--root", str(root)]).exit_code == 1
