"""
The seam between who decides what to do and who does it: tasks go in, messages come back.

Whoever is behind it, on this machine or another, each task that was submitted is answered by exactly
one ``Finished``.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from anchord.errors import AnchordError
from anchord.files import FileKey
from anchord.packs import FeedKey
from anchord.settings import Limits, PackSettings, WorkerSettings


class Task(Struct, frozen=True, kw_only=True):
    """One piece of work, complete when it is queued."""

    #: Its id, which may hold surrogates where the folder's name is no UTF-8; it never goes to a worker.
    pack: str
    settings: PackSettings
    limits: Limits
    #: What video, settings, manifest and base face looked like when this was decided.
    feed: FeedKey
    #: Of the video's content, as the parent read it.
    sha256: str
    #: Why its timeline is stale.
    reason: str
    #: User id that the video belongs to.
    owner: int
    #: What the base face's picture looked like, and its content's digest; None and empty: there was none.
    base: FileKey | None = None
    base_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a worker says the timeline is: input, not truth."""

    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """So many frames of a task's video are decoded, of so many expected (0: unknown)."""

    task: Task
    done: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A task is over; nothing more is said of it."""

    task: Task
    outcome: Draft | AnchordError


@dataclass(frozen=True, slots=True)
class PlacesChanged:
    """There may be more places than before, though no task is over."""


Said: TypeAlias = Progressed | Finished | PlacesChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """
    What the workers are doing; *detail* says what is wrong where they are not healthy.

    *lost* are those on other machines that starting anything anew here would not bring back.
    """

    state: Literal["working", "idle", "down", "lost"]
    healthy: bool
    detail: str = ""
    #: So many tasks can be worked on at once, and so many are.
    places: int = 1
    working: int = 0


class Executor(Protocol):
    """Does tasks. Every method returns at once but ``kill``; none raises for what a worker did."""

    @property
    def restarts(self) -> int:
        """Workers that were lost so far."""

    def places(self) -> int:
        """How many more tasks it takes now."""

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        """Do a task. The streams of its video and of the base face are taken over, and closed."""

    def reload(self, settings: WorkerSettings) -> None:
        """Other settings, which hold from the next task on."""

    def close(self) -> None:
        """Take nothing new: idle workers end, what runs goes on."""

    def kill(self) -> None:
        """End every process now, from any thread; returns within seconds, and nothing survives."""

    def health(self) -> Health:
        """What the workers are doing now."""
