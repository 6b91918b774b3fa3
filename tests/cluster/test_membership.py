"""Addresses and certificates in the settings, and what is said where they are not what they should be."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import dask.config
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.cluster import certificates, membership
from anchord.cluster.membership import Address, address_in
from anchord.errors import SettingsError
from anchord.settings import ClusterSettings


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("tls://192.0.2.7:8786", "192.0.2.7", 8786),
        ("localhost:1", "localhost", 1),
        ("127.0.0.1", "127.0.0.1", 0),
        ("[::1]:8786", "::1", 8786),
        ("[::1]", "::1", 0),
    ],
)
def test_an_address_is_a_host_and_perhaps_a_port(text: str, host: str, port: int) -> None:
    assert address_in(text, "--listen") == Address(host, port)


@pytest.mark.parametrize("text", ["", ":8786", "host:", "host:x", "host:65536", "host:-1", "tls://"])
def test_what_is_no_address_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--listen = .*must be HOST:PORT"):
        address_in(text, "--listen")


@given(st.sampled_from(["192.0.2.7", "node-1.example.org", "::1", "2001:db8::7"]), st.integers(0, 65_535))
def test_an_address_is_read_as_it_is_written(host: str, port: int) -> None:
    assert address_in(str(Address(host, port)), "cluster.listen") == Address(host, port)


def settings(folder: Path, **other: str) -> ClusterSettings:
    files = {
        "ca": str(folder / "ca.pem"),
        "certificate": str(folder / "node1.pem"),
        "key": str(folder / "node1.key"),
    }
    return ClusterSettings(scheduler="tls://127.0.0.1:1", **{**files, **other})  # type: ignore[arg-type]


def test_only_tls_1_3_with_a_certificate_is_spoken(tmp_path: Path) -> None:
    list(certificates.make(tmp_path, ["node1"], days=1))
    context = membership.security(settings(tmp_path)).get_listen_args("scheduler")["ssl_context"]
    assert (context.minimum_version.name, context.verify_mode.name) == ("TLSv1_3", "CERT_REQUIRED")


@pytest.mark.parametrize("key", ["ca", "certificate", "key"])
def test_a_certificate_that_is_missing_is_named(tmp_path: Path, key: str) -> None:
    list(certificates.make(tmp_path, ["node1"], days=1))
    with pytest.raises(SettingsError, match=rf"cluster\.{key} is not set"):
        membership.security(settings(tmp_path, **{key: ""}))
    with pytest.raises(SettingsError, match=rf"cluster\.{key} = .*No such file"):
        membership.security(settings(tmp_path, **{key: "/nowhere/at/all"}))


def test_files_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    list(certificates.make(tmp_path, ["node1", "node2"], days=1))
    with pytest.raises(SettingsError, match="do not fit together"):
        membership.security(settings(tmp_path, key=str(tmp_path / "node2.key")))
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(SettingsError, match="do not fit together"):
        membership.security(settings(tmp_path))


def test_an_address_that_the_others_cannot_reach_is_refused() -> None:
    """They would only find out job by job."""
    far = ClusterSettings(scheduler="tls://192.0.2.1:8786")
    with pytest.raises(SettingsError, match=r"cluster\.listen = .*this machine's own address"):
        membership.listen_address(far)
    with pytest.raises(SettingsError, match=r"--listen = .*nobody on another machine"):
        membership.listen_address(far, "localhost:1")
    assert membership.listen_address(far, "192.0.2.7:1") == Address("192.0.2.7", 1)
    near = ClusterSettings(scheduler="tls://[::1]:8786")
    assert membership.listen_address(near) == Address("127.0.0.1", 0)


def test_no_scheduler_is_named() -> None:
    with pytest.raises(SettingsError, match=r"cluster\.scheduler is not set"):
        membership.scheduler_address(ClusterSettings())


def test_nobody_else_tells_dask_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings come from files and variables all over a machine, and could take encryption away."""
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION", "false")
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__PRELOAD", "evil")
    membership.prepare()
    assert dask.config.get("distributed.comm.require-encryption") is True
    assert dask.config.get("distributed.scheduler.preload", []) == []
    assert not any(name.startswith("DASK_") for name in os.environ)


def test_dasks_folder_is_private_and_nothing_is_imported_from_it() -> None:
    with membership.scratch() as options:
        folder = Path(options["local_directory"])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        sys.path.insert(0, str(folder / "dask-scratch-space"))
        membership.forget_scratch(str(folder / "dask-scratch-space"))
        assert not any(str(folder) in entry for entry in sys.path)
    assert not folder.exists()
