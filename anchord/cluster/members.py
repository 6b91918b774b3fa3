"""Who is in the cluster, and what the two halves of a coordinator say to each other. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from anchord.errors import AnchordError


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """
    Who is there now.

    Attributes:
        places: name of each node that is of this version, method and model -> how many jobs it does at once.
        strangers: name of each other node -> what it is.
        trouble: why the scheduler is not there; empty where it is.
    """

    places: dict[str, int] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def total(self) -> int:
        """How many jobs all nodes do at once."""
        return sum(self.places.values())

    @property
    def room(self) -> int:
        """
        How many jobs they are given: each node one more than it does at once.

        So it need not wait for the next one; should another node be free, the scheduler moves that there.
        """
        return self.total + len(self.places)

    def lack(self) -> str:
        """Why nothing can be done, and what to do about it; empty where something can."""
        if self.trouble:
            return f"the scheduler is not there: {self.trouble}; start anchord scheduler"
        if self.places:
            return ""
        if self.strangers:
            return f"no node is of this version: {self.told_strangers()}; install the same anchord on all"
        return "no node is there; start anchord node on the machines that are to work"

    def told_strangers(self) -> str:
        """The nodes of other kinds, by name."""
        return ", ".join(f"{name} is {what}" for name, what in sorted(self.strangers.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hears:
    """Who is told by a connection, from its own thread."""

    members: Callable[[Members], None]
    #: The number of a job, and its answer's bytes or why there is none.
    answered: Callable[[int, bytes | AnchordError], None]


class Connection(Protocol):
    """The way to the nodes. Every method returns at once but ``stop``, and none raises."""

    @property
    def server_address(self) -> str:
        """Where nodes get the files' bytes; empty: nowhere."""

    def submit(self, number: int, message: bytes) -> None:
        """Have a job done; its answer is told with its *number*."""

    def cancel(self, number: int) -> None:
        """Nobody wants its answer any more."""

    def stop(self) -> None:
        """End within seconds; nothing is told after that."""
