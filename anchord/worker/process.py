"""
The process that decodes videos: ``python -m anchord.worker.process``.

It is given one socket, over which jobs come with the open file of their video and answers go back.
It opens no file, writes none, reaches no network (see ``sandbox``), and ends when its parent does.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import socket
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeAlias, cast

from anchord import timeline
from anchord.errors import AnchordError, IncompleteVideoError, ModelError, SettingsError, VideoError
from anchord.model import checked_model
from anchord.printable import printable
from anchord.settings import MAX_BASE_BYTES
from anchord.worker import protocol
from anchord.worker.sandbox import layers

if TYPE_CHECKING:
    from io import BufferedReader

    from anchord.tracking.faces import FaceFinder
    from anchord.tracking.faces.finder import Asked

OnProgress: TypeAlias = Callable[[int, int], None]

# A progress message for every frame would cost more than it tells.
_PROGRESS_EVERY = 10

# What libraries import on first use, when no file can be opened any more.
_IMPORTED_LATE = ("numpy.ma", "av.subtitles.stream")

# The libraries start threads for every core that they see, needed or not: 225 on 64 cores, whose stacks
# do not fit into the default memory_mb. So many are let be seen, each worker its own by chance.
_MOST_CORES = 8

# A landmarker, its queue of pictures and its stacks take up to 150 MiB each at 4K: on a machine of
# many cores one for each would not fit into memory_mb, and an idle clip is over before they are made.
_MOST_THREADS_UNASKED = 4

# A video competes with the page that it is for.
_NICE = 5


def main() -> NoReturn:
    """Work off jobs until the parent closes its end, then end at once."""
    status = 1
    try:
        _serve()
        status = 0
    except BaseException:  # noqa: BLE001  whatever it is, this process is over
        traceback.print_exc()
    finally:
        # Not the usual way, on which every library's threads are waited for, some for ever; nor where
        # even the words above find nobody who reads them any more.
        os._exit(status)


def _serve() -> None:
    threads, memory_mb, mode = int(sys.argv[1]), int(sys.argv[2]), cast("layers.Mode", sys.argv[3])
    engine = sys.argv[4]
    channel = socket.socket(fileno=os.dup(0))
    # Libraries may read or print what they like: nothing of it gets into the conversation.
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123  descriptors, not a file
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    layers.end_with_parent()
    layers.inherit_little()
    cores = os.sched_getaffinity(0)
    # Before any library is loaded, since they start threads.
    frames = threads or min(_MOST_THREADS_UNASKED, len(cores))
    most = max(_MOST_CORES, frames)
    # A unit or container may refuse either, having its own ways for it.
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    if len(cores) > most:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, random.sample(sorted(cores), most))
    cage = layers.Cage(mode, memory_mb=memory_mb, frames=frames)

    try:
        finder = _loaded(frames, engine)
        states = cage.shut()
    except ModelError as error:
        channel.sendall(protocol.encode(protocol.Unfit(error="ModelError", message=_text(error))))
        return
    except SettingsError as error:
        channel.sendall(protocol.encode(protocol.Unfit(error="SettingsError", message=_text(error))))
        return
    channel.sendall(protocol.encode(protocol.Ready(sandbox=states)))
    _warm_up(finder)
    while received := _receive(channel):
        channel.sendall(protocol.encode(_work(*received, finder, channel, memory_mb)))


def _loaded(threads: int, engine: str) -> FaceFinder:
    """The finder, with everything loaded that it and a video will ever need."""
    # The wings meet here and nowhere else: the parent never loads a decoder or a model.
    importlib.import_module("anchord.tracking.extract")
    importlib.import_module("anchord.sprites.make")
    importlib.import_module("anchord.preview.show")
    from anchord.tracking.faces import FaceFinder

    finder = FaceFinder(checked_model(), threads=threads, engine=cast("Asked", engine))
    finder.rehearse()
    for module in _IMPORTED_LATE:
        importlib.import_module(module)
    return finder


def _work(
    job: protocol.AnyJob, descriptors: list[int], finder: FaceFinder, channel: socket.socket, memory_mb: int
) -> protocol.Answer:
    def on_progress(done: int, expected: int) -> None:
        if done % _PROGRESS_EVERY == 0:
            channel.sendall(
                protocol.encode(protocol.Progress(number=job.number, done=done, expected=expected))
            )

    with contextlib.ExitStack() as opened:
        streams = [opened.enter_context(os.fdopen(descriptor, "rb")) for descriptor in descriptors]
        try:
            if isinstance(job, protocol.SpriteJob):
                return _drawn(job, streams, finder, on_progress)
            if isinstance(job, protocol.PreviewJob):
                return _previewed(job, streams, finder, on_progress)
            return _extracted(job, streams, finder, on_progress)
        except IncompleteVideoError as error:
            return protocol.Failed(number=job.number, error="IncompleteVideoError", message=_text(error))
        except VideoError as error:
            return protocol.Failed(number=job.number, error="VideoError", message=_text(error))
        except AnchordError as error:
            return protocol.Failed(number=job.number, error="WorkerError", message=_text(error))
        except MemoryError:
            message = (
                f"{job.video}: needs more memory than worker.memory_mb = {memory_mb} allows; "
                "use a smaller video, or raise it in anchord.toml"
            )
            return protocol.Failed(number=job.number, error="WorkerError", message=message)


def _extracted(
    job: protocol.Job, streams: list[BufferedReader], finder: FaceFinder, on_progress: OnProgress
) -> protocol.Extracted:
    from anchord.tracking.extract import extract

    made = extract(
        streams[0],
        job.video,
        job.settings,
        job.limits,
        finder,
        statics=job.statics,
        base=streams[1].read(MAX_BASE_BYTES) if job.has_base and len(streams) > 1 else None,
        on_progress=on_progress,
    )
    return protocol.Extracted(number=job.number, content=timeline.encode(made))


def _drawn(
    job: protocol.SpriteJob, streams: list[BufferedReader], finder: FaceFinder, on_progress: OnProgress
) -> protocol.Drawn:
    from anchord.sprites.make import Source, make

    made = make(
        Source(stream=streams[0], name=job.video, limits=job.limits, finder=finder),
        Source(stream=streams[1], name=job.speech, limits=job.limits, finder=finder) if job.speech else None,
        job.settings,
        visemes=job.visemes,
        with_preview=job.preview,
        on_progress=on_progress,
    )
    return protocol.Drawn(number=job.number, made=made)


def _previewed(
    job: protocol.PreviewJob, streams: list[BufferedReader], finder: FaceFinder, on_progress: OnProgress
) -> protocol.Previewed:
    from anchord.preview.show import Shown, show

    what = Shown(
        streams=dict(zip(job.files, streams, strict=True)),
        name=job.video,
        limits=job.limits,
        threads=finder.threads,
    )
    at_most = min(protocol.MAX_PREVIEW_BYTES[kind] for kind in ("webm", "mp4"))
    made = show(what, job.wanted, at_most=at_most, on_progress=on_progress)
    return protocol.Previewed(number=job.number, made=cast("dict[protocol.PreviewKind, bytes]", made))


def _text(error: AnchordError) -> str:
    return printable(str(error))[: protocol.MAX_TEXT]


def _warm_up(finder: FaceFinder) -> None:
    """Let every thread make its landmarker while the first job is still on its way."""
    for _ in range(finder.threads):
        finder.submit(lambda: None)


def _receive(channel: socket.socket) -> tuple[protocol.AnyJob, list[int]] | None:
    """The next job and the descriptors of its files; None when the parent closed its end."""
    head, descriptors, _flags, _address = socket.recv_fds(channel, protocol.LENGTH_BYTES, protocol.MAX_FILES)
    if not head:
        return None
    head += _exactly(channel, protocol.LENGTH_BYTES - len(head))
    content = _exactly(channel, int.from_bytes(head, "big"))
    return protocol.decode_job(content), descriptors


def _exactly(channel: socket.socket, count: int) -> bytes:
    content = bytearray()
    while len(content) < count:
        part = channel.recv(count - len(content))
        if not part:
            raise EOFError("the parent ended in the middle of a job")
        content += part
    return bytes(content)


if __name__ == "__main__":
    main()
