"""The examples that need more than developing does: `make examples`."""

from __future__ import annotations

import importlib
import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from anchord.settings import read_settings
from tests.films import small_film

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def upload() -> Any:
    sys.path.insert(0, str(EXAMPLES))
    try:
        return importlib.import_module("upload")
    finally:
        sys.path.remove(str(EXAMPLES))


def sent(client: TestClient, content: bytes, name: str = "../../etc/evil.webm") -> Any:
    return client.post("/timelines", files={"video": (name, io.BytesIO(content), "video/webm")})


def test_an_upload_is_answered_with_its_timeline(upload: Any) -> None:
    with TestClient(upload.app) as client:
        answer = sent(client, small_film().read_bytes())
        assert answer.status_code == 200, answer.text
        assert answer.json()["quality"]["coverage"] == 1
        refused = sent(client, b"no video")
        assert (refused.status_code, "neither a WebM" in refused.json()["detail"]) == (422, True)
        assert client.post("/timelines").status_code == 422


def test_too_much_at_once_is_told_to_come_again(upload: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(upload.app) as client:
        monkeypatch.setattr(upload, "MOST_BYTES", 4)
        assert sent(client, b"12345").status_code == 413
        for _ in range(2):
            upload._places.acquire()
        try:
            busy = sent(client, b"1234")
        finally:
            upload._places.release(2)
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")


def manifests() -> list[dict[str, Any]]:
    return [
        document
        for file in sorted((EXAMPLES / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
    ]


def test_pods_may_do_as_little_as_the_unit(tmp_path: Path) -> None:
    pods = [m["spec"]["template"]["spec"] for m in manifests() if m["kind"] == "Deployment"]
    assert len(pods) == 2
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    [settings] = [m["data"]["anchord.toml"] for m in manifests() if m["kind"] == "ConfigMap"]
    (tmp_path / "anchord.toml").write_text(settings)
    assert read_settings(tmp_path / "anchord.toml").watch.mode == "poll"
    [policy] = [m["spec"] for m in manifests() if m["kind"] == "NetworkPolicy"]
    assert set(policy) == {"podSelector", "policyTypes"}


def test_nginx_takes_the_sites_configuration(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(nginx).exists():
        subprocess.run([str(EXAMPLES.parent / "deploy/apt-install"), "nginx-light"], check=True)
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-days", "1",
         "-keyout", key, "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    text = (EXAMPLES / "site/tls.conf").read_text()
    text = text.replace("/etc/ssl/certs/avatars.example.org.pem", str(certificate))
    (tmp_path / "tls.conf").write_text(text.replace("/etc/ssl/private/avatars.example.org.key", str(key)))
    page = EXAMPLES.parent / "web/nginx.conf"
    (tmp_path / "nginx.conf").write_text(
        f"events {{}}\npid {tmp_path}/pid;\nhttp {{ include {page}; include {tmp_path}/tls.conf; }}\n"
    )
    checked = subprocess.run(
        [nginx, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_systemd_takes_the_drop_in(tmp_path: Path) -> None:
    unit = tmp_path / "anchord.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    (tmp_path / "anchord.service.d").mkdir()
    shutil.copy(EXAMPLES / "site/anchord.service.d/site.conf", tmp_path / "anchord.service.d")
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
