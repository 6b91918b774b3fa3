"""
The process that decodes videos: ``python -m anchord.service.worker_process``.

It is given one socket, over which jobs come with the open file of their video and answers go back.
It opens no file, writes none, reaches no network (see ``sandbox``), and ends when the daemon does.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import socket
import sys
from typing import TYPE_CHECKING, cast

from anchord import timeline
from anchord.errors import AnchordError, WorkerError
from anchord.model import checked_model
from anchord.service import jobs, sandbox

if TYPE_CHECKING:
    from anchord.tracking.faces import FaceFinder

# A progress message for every frame would cost more than it tells.
_PROGRESS_EVERY = 10

# What libraries import on first use, when no file can be opened any more.
_IMPORTED_LATE = ("numpy.ma", "av.subtitles.stream")

# A landmarker, its queue of pictures and its stacks take up to 150 MiB each at 4K: on a machine of
# many cores one for each would not fit into memory_mb, and an idle clip is over before they are made.
_MOST_THREADS_UNASKED = 4


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

    threads, memory_mb = int(sys.argv[1]), int(sys.argv[2])
    try:
        finder = FaceFinder(
            checked_model(), threads=threads or min(_MOST_THREADS_UNASKED, len(os.sched_getaffinity(0)))
        )
        finder.rehearse()
        for module in _IMPORTED_LATE:
            importlib.import_module(module)
        layers = sandbox.shut(cast("sandbox.Mode", sys.argv[3]), memory_mb=memory_mb)
    except AnchordError as error:
        channel.sendall(jobs.encode(jobs.Failed(number=-1, error=type(error).__name__, message=str(error))))
        return
    channel.sendall(jobs.encode(jobs.Ready(sandbox=layers)))

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
            except MemoryError:
                message = (
                    f"{job.video}: needs more memory than worker.memory_mb = {memory_mb} allows; "
                    "use a smaller video, or raise it in anchord.toml"
                )
                return jobs.Failed(number=job.number, error=WorkerError.__name__, message=message)
            return jobs.Extracted(number=job.number, content=timeline.encode(made))

    _warm_up(finder)
    while received := _receive(channel):
        channel.sendall(jobs.encode(work(*received)))
    finder.close()


def _warm_up(finder: FaceFinder) -> None:
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
