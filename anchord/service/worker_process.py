"""
The process that decodes videos: ``python -m anchord.service.worker_process``.

It is given one socket, over which jobs come with the open file of their video and answers go back.
It opens no file of a pack, writes none, and ends when the daemon does.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from typing import TYPE_CHECKING

from anchord import timeline
from anchord.errors import AnchordError
from anchord.model import checked_model
from anchord.service import jobs, sandbox

if TYPE_CHECKING:
    from anchord.tracking.faces import FaceFinder

# A progress message for every frame would cost more than it tells.
_PROGRESS_EVERY = 10


def main() -> None:
    """Work off jobs until the daemon closes its end."""
    channel = socket.socket(fileno=os.dup(0))
    # Libraries may read or print what they like: nothing of it gets into the conversation.
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123  descriptors, not a file
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sandbox.end_with_parent()

    # The wings meet here and nowhere else: the parent never loads a decoder or a model.
    from anchord.tracking.extract import extract
    from anchord.tracking.faces import FaceFinder

    try:
        finder = FaceFinder(checked_model(), threads=int(sys.argv[1]))
    except AnchordError as error:
        channel.sendall(jobs.encode(jobs.Failed(number=-1, error=type(error).__name__, message=str(error))))
        return
    channel.sendall(jobs.encode(jobs.Ready(sandbox={})))

    def work(job: jobs.Job, descriptor: int) -> jobs.Answer:
        def on_progress(done: int, expected: int) -> None:
            if done % _PROGRESS_EVERY == 0:
                channel.sendall(jobs.encode(jobs.Progress(number=job.number, done=done, expected=expected)))

        with os.fdopen(descriptor, "rb") as stream:
            if job.unless_sha256 and hashlib.file_digest(stream, "sha256").hexdigest() == job.unless_sha256:
                return jobs.Unchanged(number=job.number)
            try:
                made = extract(stream, job.video, job.settings, job.limits, finder, on_progress=on_progress)
            except AnchordError as error:
                return jobs.Failed(number=job.number, error=type(error).__name__, message=str(error))
            return jobs.Extracted(number=job.number, content=timeline.encode(made))

    _serve(channel, work, finder)


def _serve(channel: socket.socket, work, finder: FaceFinder) -> None:  # type: ignore[no-untyped-def]
    warm_up(finder)
    while received := _receive(channel):
        channel.sendall(jobs.encode(work(*received)))
    finder.close()


def warm_up(finder: FaceFinder) -> None:
    """Let every thread make its landmarker while the first job is still on its way."""
    for _ in range(finder.threads):
        finder.submit(lambda: None)


def _receive(channel: socket.socket) -> tuple[jobs.Job, int] | None:
    """The next job and the descriptor of its video; None when the daemon closed its end."""
    head, descriptors, _flags, _address = socket.recv_fds(channel, jobs.LENGTH_BYTES, 1)
    if not head:
        return None
    head += _exactly(channel, jobs.LENGTH_BYTES - len(head))
    content = _exactly(channel, int.from_bytes(head, "big"))
    return jobs.decode_job(content), descriptors[0]


def _exactly(channel: socket.socket, count: int) -> bytes:
    content = bytearray()
    while len(content) < count:
        part = channel.recv(count - len(content))
        if not part:
            raise SystemExit(0)
        content += part
    return bytes(content)


if __name__ == "__main__":
    main()
