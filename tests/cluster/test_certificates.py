"""Certificates: what is made once stays, and others can't read keys."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from anchord.cluster import certificates
from anchord.errors import OutputError, SettingsError


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_each_member_gets_a_certificate_of_the_clusters_own_authority(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    lines = list(certificates.make(folder, ["node1", "host.example.org"], days=10))
    assert len(lines) == 3
    assert "keep it off" in lines[0]
    for name in ("node1", "host.example.org"):
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        # Strictly, as a verifier that is not Dask's would.
        told = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", "sslserver",
             "-CAfile", folder / "ca.pem", folder / f"{name}.pem"],
            capture_output=True, check=False,
        )  # fmt: skip
        assert told.returncode == 0, told.stderr
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_members_can_be_added_and_none_is_replaced(tmp_path: Path) -> None:
    list(certificates.make(tmp_path, ["node1"], days=10))
    before = content(tmp_path)
    lines = list(certificates.make(tmp_path, ["node1", "node2"], days=10))
    assert "is there already" in lines[0]
    after = content(tmp_path)
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"node2.pem", "node2.key"}


@pytest.mark.parametrize("name", ["", "ca", "../node", "a/b", ".hidden", "-x", "a b", "x" * 64, "node\n"])
def test_a_name_that_is_no_plain_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="must be letters"):
        list(certificates.make(tmp_path / "new", [name], days=10))
    assert not (tmp_path / "new").exists()


def test_half_an_authority_is_named_and_not_replaced(tmp_path: Path) -> None:
    list(certificates.make(tmp_path, ["node1"], days=10))
    (tmp_path / "ca.key").rename(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=r"ca\.key: is missing"):
        list(certificates.make(tmp_path, ["node2"], days=10))
    (tmp_path / "ca.key").write_text("nothing")
    with pytest.raises(SettingsError, match="cannot be read"):
        list(certificates.make(tmp_path, ["node2"], days=10))
    list(certificates.make(tmp_path / "other", ["node2"], days=10))
    (tmp_path / "ca.key").write_bytes((tmp_path / "other/ca.key").read_bytes())
    with pytest.raises(SettingsError, match="is not the key of"):
        list(certificates.make(tmp_path, ["node2"], days=10))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        list(certificates.make(tmp_path / "file" / "below", ["node1"], days=10))
