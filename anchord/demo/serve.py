"""
The page and an avatars folder at http://localhost:8080/, for development.

``python -m anchord.demo.serve PAGE AVATARS`` does what ``web/nginx.conf`` does, with nothing to set up:
range requests, revalidation, folder listings in nginx's JSON, dotfiles and anchord.toml denied.
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

_SPRITES = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".svg"}


class Files(StaticFiles):
    """Static files with the manners of ``web/nginx.conf``."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file; never a dotfile or a settings file."""
        parts = Path(path).parts
        if any(part.startswith(".") and part != "." for part in parts) or "anchord.toml" in parts:
            raise HTTPException(status_code=404)
        response = await super().get_response(path, scope)
        is_sprite = scope["root_path"].endswith("/avatars") and Path(path).suffix.lower() in _SPRITES
        response.headers["Cache-Control"] = "public, max-age=2592000" if is_sprite else "no-cache"
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
            Mount("/", Files(directory=page, html=True)),
        ]
    )


def main(page: str, avatars: str) -> None:
    """Serve until interrupted; on this machine only."""
    print("The page: http://localhost:8080/", flush=True)
    uvicorn.run(site(Path(page), Path(avatars)), host="127.0.0.1", port=8080, log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
