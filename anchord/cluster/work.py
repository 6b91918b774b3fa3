"""A job on a node, from its message to its answer."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader

from anchord.cluster.places import Places
from anchord.cluster.sources import SharedRoot
from anchord.cluster.wire import (
    Made,
    NodeAnswer,
    NodeJob,
    Source,
    Which,
    decode_job,
    encode,
    kind,
    refused,
    task_of,
)
from anchord.errors import (
    AnchordError,
    ChangedVideoError,
    FileError,
    MachineError,
    NoInputError,
    WorkerStartError,
    as_ours,
)
from anchord.worker.executor import Draft

# How a file is seen here where it can't be used by its path: reasons to ask for its bytes.
_NOT_HERE = (NoInputError, FileError, MachineError, ChangedVideoError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """
    What a node does with a job.

    Args:
        name: the node's, for messages.
        root: the avatars root as this machine has it; None where it has none.
        places: where jobs are done.
        fetch: fills a file with the coordinator's bytes; blocks, with a deadline.
    """

    name: str
    root: SharedRoot | None
    places: Places
    fetch: Callable[[NodeJob, Which, Source], BufferedReader]

    def do(self, message: bytes, *, is_wanted: Callable[[], bool]) -> bytes:
        """
        Do the job in *message*; never raises.

        Args:
            message: a job of the wire.
            is_wanted: asked now and then; once it says no, the job is ended.

        Returns:
            an answer of the wire.
        """
        try:
            answer = self._answer(decode_job(message), is_wanted)
        except Exception as error:  # noqa: BLE001  whatever it is, one job and no node ends with it
            answer = refused(_of_node(self.name, as_ours(error)))
        return encode(answer)

    def _answer(self, job: NodeJob, is_wanted: Callable[[], bool]) -> NodeAnswer:
        if job.kind != kind():
            raise WorkerStartError(f"it is {kind()}, and the coordinator is {job.kind}: install the same")
        with contextlib.ExitStack() as opened:
            video = opened.enter_context(self._opened(job, "video", job.video))
            base = opened.enter_context(self._opened(job, "base", job.base)) if job.base else None
            opened.pop_all()
        outcome = self.places.do(task_of(job), video, base, is_wanted=is_wanted)
        if isinstance(outcome, Draft):
            return Made(content=outcome.content)
        is_ours = isinstance(outcome, WorkerStartError | MachineError)
        return refused(_of_node(self.name, outcome) if is_ours else outcome)

    def _opened(self, job: NodeJob, which: Which, source: Source) -> BufferedReader:
        if job.transfer == "bytes":
            return self._fetched(job, which, source)
        try:
            if self.root is None:
                raise NoInputError("it has no avatars root: start it with --root")
            return self.root.open(job.pack, source)
        except _NOT_HERE as error:
            if job.transfer == "path":
                raise MachineError(
                    f"does not see {os.fsdecode(source.name)} as the coordinator does: {error}; share the "
                    'avatars root with it, or set cluster.transfer = "auto"'
                ) from error
            return self._fetched(job, which, source)

    def _fetched(self, job: NodeJob, which: Which, source: Source) -> BufferedReader:
        if not job.server:
            raise MachineError("the coordinator serves no bytes: set cluster.listen in its anchord.toml")
        return self.fetch(job, which, source)


def _of_node(name: str, error: AnchordError) -> AnchordError:
    """An error of the node's own, with the node's name in front."""
    made = type(error)(f"node {name}: {error}")
    made.__cause__ = error.__cause__
    return made
