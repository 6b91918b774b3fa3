import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
import uvicorn

from anchord.demo.serve import site


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    page, pack = folder / "page", folder / "avatars" / "someone"
    page.mkdir()
    pack.mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>")
    (pack / "idle.webm").write_bytes(bytes(range(200)))
    (pack / "base_face.png").write_bytes(b"png")
    (pack / "anchors_timeline.json").write_text('{"version": 1}')
    (pack / "anchord.toml").write_text("sample_rate = 1")
    (pack / ".anchord-tmp").write_text("half a timel")
    for name in ("evil.html", "evil.js", "evil.svg"):
        (pack / name).write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>ran()</script></svg>")
    (folder / "secret").write_text("secret")
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    config = uvicorn.Config(site(folder / "page", folder / "avatars"), port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.listen()  # at once, so that the first question can wait in line
    thread = threading.Thread(target=server.run, args=([socket],))
    thread.start()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def ask(url: str, **headers: str) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_the_page_and_its_avatars_are_served(url: str) -> None:
    assert ask(f"{url}/")[1].get_content_type() == "text/html"
    assert ask(f"{url}/avatars/someone/idle.webm")[1].get_content_type() == "video/webm"


def test_a_video_is_given_in_ranges(url: str) -> None:
    status, headers, body = ask(f"{url}/avatars/someone/idle.webm", Range="bytes=10-19")
    assert (status, body) == (206, bytes(range(10, 20)))
    assert headers["Content-Range"] == "bytes 10-19/200"


def test_a_timeline_that_did_not_change_is_not_sent_again(url: str) -> None:
    address = f"{url}/avatars/someone/anchors_timeline.json"
    status, headers, _ = ask(address)
    assert (status, headers["Cache-Control"]) == (200, "no-cache")
    assert ask(address, If_None_Match=headers["ETag"])[0] == 304


def test_sprites_are_kept_for_long(url: str) -> None:
    assert "max-age=2592000" in ask(f"{url}/avatars/someone/base_face.png")[1]["Cache-Control"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("evil.html", "application/octet-stream"),
        ("evil.js", "application/octet-stream"),
        ("evil.svg", "image/svg+xml"),
        ("idle.webm", "video/webm"),
    ],
)
def test_what_was_uploaded_is_data_with_the_policy_that_nginx_gives_it(
    url: str, name: str, kind: str
) -> None:
    headers = ask(f"{url}/avatars/someone/{name}")[1]
    policy = headers["Content-Security-Policy"]

    assert (headers.get_content_type(), headers["X-Content-Type-Options"]) == (kind, "nosniff")
    assert f'"{policy}"' in (Path(__file__).parents[2] / "web/nginx.conf").read_text()
    assert policy.endswith("; sandbox") == (name != "idle.webm")


@pytest.mark.parametrize(
    "path",
    [
        "/avatars/someone/anchord.toml",
        "/avatars/someone/.anchord-tmp",
        "/avatars/../secret",
        "/avatars/%2e%2e/secret",
        "/avatars/%2e%2e/",
        "/avatars/nobody/",
        "/../secret",
    ],
)
def test_what_is_nobodys_business_is_not_there(url: str, path: str) -> None:
    assert ask(f"{url}{path}")[0] == 404


def test_folders_are_listed_in_the_json_of_nginx(url: str) -> None:
    (pack,) = json.loads(ask(f"{url}/avatars/")[2])
    assert (pack["name"], pack["type"]) == ("someone", "directory")
    files = {entry["name"]: entry for entry in json.loads(ask(f"{url}/avatars/someone/")[2])}
    assert files["idle.webm"]["size"] == 200
    assert files["idle.webm"]["mtime"].endswith("GMT")
    assert ".anchord-tmp" not in files


def post(url: str, content: bytes = b"", **headers: str) -> int:
    request = urllib.request.Request(
        url, data=content, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_page_is_told_that_it_may_ask(url: str) -> None:
    assert ask(f"{url}/")[2] == b"<!doctype html>"  # which has no head to be told in
    assert ask(f"{url}/index.html")[0] == 200


def test_a_recording_becomes_a_new_packs_video_and_replaces_none(url: str, folder: Path) -> None:
    assert post(f"{url}/record/new", b"a clip", x_anchord="page") == 201
    assert (folder / "avatars" / "new" / "idle.webm").read_bytes() == b"a clip"
    assert post(f"{url}/record/new", b"another", x_anchord="page") == 409
    assert post(f"{url}/record/someone", b"another", x_anchord="page") == 409
    assert (folder / "avatars" / "new" / "idle.webm").read_bytes() == b"a clip"


@pytest.mark.parametrize("path", ["make/someone", "record/other"])
def test_nobody_but_the_page_on_this_machine_may_ask(url: str, path: str) -> None:
    assert post(f"{url}/{path}") == 403
    assert post(f"{url}/{path}", x_anchord="page", host="evil.example:8080") == 403


@pytest.mark.parametrize("name", ["..", ".hidden", "a%2Fb", "a b", "x" * 41])
def test_a_name_that_is_no_folder_beside_the_others_is_refused(url: str, name: str) -> None:
    assert post(f"{url}/record/{name.replace(' ', '%20')}", b"a clip", x_anchord="page") in (400, 404, 405)


def test_a_pack_that_is_not_there_is_not_made_to_speak(url: str) -> None:
    assert post(f"{url}/make/nobody", x_anchord="page") == 404
