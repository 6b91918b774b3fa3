"""
The page and an avatars folder at http://localhost:8080/, for development.

``python -m anchord.demo.serve PAGE AVATARS`` does what ``web/nginx.conf`` does, with nothing to set up:
range requests, revalidation, folder listings in nginx's JSON, dotfiles and anchord.toml denied, what
lies in a pack served as data that can't run.
"""

from __future__ import annotations

import sys
from email.utils import formatdate
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from anchord.demo import making

_SPRITES = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".svg"}
_VIDEOS = {".webm", ".mp4", ".m4v", ".mov", ".mkv"}

# What nginx.conf says of a pack's files; a video that is opened on its own must be able to load itself.
_POLICY = "default-src 'none'; {}base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_FILE_POLICY = _POLICY.format("style-src 'unsafe-inline'; ") + "; sandbox"
_VIDEO_POLICY = _POLICY.format("media-src 'self'; style-src 'unsafe-inline'; ")


class Files(StaticFiles):
    """Static files with the manners of ``web/nginx.conf``."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file; never a dotfile or a settings file."""
        parts = Path(path).parts
        if any(part.startswith(".") and part != "." for part in parts) or "anchord.toml" in parts:
            raise HTTPException(status_code=404)
        response = await super().get_response(path, scope)
        kind = Path(path).suffix.lower() if scope["root_path"].endswith("/avatars") else None
        response.headers["Cache-Control"] = "public, max-age=2592000" if kind in _SPRITES else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if kind is not None:
            is_video = kind in _VIDEOS
            response.headers["Content-Security-Policy"] = _VIDEO_POLICY if is_video else _FILE_POLICY
            if not (is_video or kind in _SPRITES or kind == ".json"):
                response.headers["Content-Type"] = "application/octet-stream"
        return response


def listing(folder: Path) -> list[dict[str, str | int]]:
    """What stands in *folder*, as nginx's ``autoindex_format json`` tells it."""
    entries: list[dict[str, str | int]] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        facts = path.stat()
        mtime = formatdate(facts.st_mtime, usegmt=True)
        if path.is_dir():
            entries.append({"name": path.name, "type": "directory", "mtime": mtime})
        else:
            entries.append({"name": path.name, "type": "file", "mtime": mtime, "size": facts.st_size})
    return entries


def site(page: Path, avatars: Path) -> Starlette:
    """The application: *page* at the top, *avatars* below it."""

    async def listed(request: Request) -> Response:
        folder = request.path_params.get("pack", "")
        if folder.startswith(".") or not (avatars / folder).is_dir():
            raise HTTPException(status_code=404)
        return JSONResponse(listing(avatars / folder), headers={"Cache-Control": "no-cache"})

    return Starlette(
        routes=[
            Route("/avatars/", listed),
            Route("/avatars/{pack}/", listed),
            Mount("/avatars", Files(directory=avatars)),
            *making.routes(page, avatars),
            Mount("/", Files(directory=page, html=True)),
        ]
    )


def main(page: str, avatars: str, port: str = "8080") -> None:
    """Serve until interrupted; on this machine only."""
    print(f"The page: http://localhost:{port}/", flush=True)
    uvicorn.run(site(Path(page), Path(avatars)), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
