"""
An endpoint that takes a video and answers with its timeline: ``uvicorn upload:app``, in this folder.

``curl -F video=@idle.webm http://localhost:8000/timelines``

Put a proxy with a limit of its own in front (nginx: client_max_body_size): by the time this sees an upload,
it is already in a temporary file.
"""

import tempfile
import threading
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Response, UploadFile
from fastapi.params import File

from anchord import AnchordError, VideoError, extract
from anchord.timeline import encode

MOST_BYTES = 64 << 20
#: So many videos are worked on at once; who comes later is told to come again.
_places = threading.BoundedSemaphore(2)

app = FastAPI()


@app.post("/timelines")
def timeline_of(video: Annotated[UploadFile, File()]) -> Response:
    """The timeline of an uploaded video. FastAPI runs this in a thread, since it is no coroutine."""
    if (video.size or 0) > MOST_BYTES:
        raise HTTPException(413, f"larger than {MOST_BYTES} bytes")
    if not _places.acquire(blocking=False):
        raise HTTPException(503, "busy, try again", headers={"Retry-After": "5"})
    try:
        # A folder of its own: an anchord.toml or a manifest beside it would count.
        with tempfile.TemporaryDirectory() as folder:
            # Never under the name that the sender chose.
            file = Path(folder) / "idle"
            file.write_bytes(video.file.read(MOST_BYTES))
            made = extract(file)
    except VideoError as error:
        raise HTTPException(422, str(error)) from error
    except AnchordError as error:
        raise HTTPException(503 if error.is_environment else 422, str(error)) from error
    finally:
        _places.release()
    return Response(encode(made), media_type="application/json")
