"""
What the page of ``make demo`` can do beside showing: make a pack's sprites, and take in a recording.

Only for a person at this machine: whoever asks must name this machine as the host, which another site's page
behind a name of its own does not, and send a header that no other site's page may send.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
# A browser's recording of some seconds has a few MB.
_MAX_BYTES = 64 << 20


def routes(page: Path, avatars: Path) -> list[Route]:
    """
    The page, told that it may ask, and what it asks for.

    Args:
        page: the page's folder.
        avatars: the avatars root.
    """

    async def index(_request: Request) -> Response:
        text = (page / "index.html").read_text()
        told = f'<meta name="anchord-demo" content="{avatars.name}">'
        return HTMLResponse(text.replace("</head>", f"{told}</head>"), headers={"Cache-Control": "no-cache"})

    async def make(request: Request) -> Response:
        folder = _folder(request, avatars)
        if not folder.is_dir():
            raise HTTPException(404, f"there is no {folder.name}")
        command = [sys.executable, "-m", "anchord", "sprites", str(folder)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        said, complaint = await process.communicate()
        is_made = process.returncode == 0
        return JSONResponse(
            {"ok": is_made, "text": (said if is_made else complaint).decode(errors="replace")}
        )

    async def record(request: Request) -> Response:
        folder = _folder(request, avatars)
        if (folder / "idle.webm").exists():
            raise HTTPException(409, f"{folder.name} has a video already: choose another name")
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > _MAX_BYTES:
                raise HTTPException(413, f"larger than {_MAX_BYTES >> 20} MiB")
        folder.mkdir(exist_ok=True)
        # Under another name until it is whole, as every upload should be.
        part = folder / ".idle.part"
        part.write_bytes(content)
        os.replace(part, folder / "idle.webm")  # noqa: PTH105  never a move to another disk
        return JSONResponse({"ok": True, "text": f"{folder}/idle.webm"}, status_code=201)

    return [
        Route("/", index),
        Route("/index.html", index),
        Route("/make/{pack}", make, methods=["POST"]),
        Route("/record/{pack}", record, methods=["POST"]),
    ]


def _folder(request: Request, avatars: Path) -> Path:
    """The pack that is asked for by somebody who may."""
    if request.url.hostname not in _HOSTS or request.headers.get("x-anchord") != "page":
        raise HTTPException(403, "only the page on this machine may ask for that")
    pack: str = request.path_params["pack"]
    if not _ID.fullmatch(pack):
        raise HTTPException(400, f"{pack!r}: a name has letters, digits, - and _, 40 at most")
    return avatars / pack
