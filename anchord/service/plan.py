"""What one run over all packs is to do of all that is stale, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from anchord.service.queue import Queue
from anchord.service.reconciler import Reconciler
from anchord.service.runner import Runner
from anchord.service.watching.scanner import Known
from anchord.worker.executor import Task


def everything(_task: Task) -> bool:
    """Whatever is stale."""
    return True


@dataclass(slots=True, kw_only=True)
class Outcome:
    """
    What came of a run.

    Args:
        packs: how many there are.
        written: timelines that were made.
        up_to_date: those that were as they should.
        unwanted: stale ones that the plan leaves alone.
        left: tasks that were not begun, in their order.
        parked: reason, without the pack's name -> how many packs it holds for.
        retrying: the same for what the machine got wrong to the end.
    """

    packs: int = 0
    written: int = 0
    up_to_date: int = 0
    unwanted: int = 0
    left: list[Task] = field(default_factory=list)
    parked: Counter[str] = field(default_factory=Counter)
    retrying: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Plan:
    """
    Which tasks are done.

    Args:
        is_wanted: asked of each.
        most: so many are begun; None: all.
        looks_first: every pack is looked at before the first is begun, so that the order holds for all of
            them, and how many there are is known.
    """

    is_wanted: Callable[[Task], bool] = everything
    most: int | None = None
    looks_first: bool = False
    outcome: Outcome = field(default_factory=Outcome, init=False)

    def tell(self, known: Known, queue: Queue[Task], reconciler: Reconciler, runner: Runner) -> None:
        """Note what came of it."""
        self.outcome = Outcome(
            packs=len(known.seen),
            written=runner.written,
            up_to_date=reconciler.up_to_date,
            unwanted=reconciler.unwanted,
            left=queue.ahead(),
            parked=Counter(
                parked.reason.replace(f"{known.root}/{pack}/", "") for pack, parked in queue.parked.items()
            ),
            retrying=Counter(
                retry.reason.replace(f"{known.root}/{pack}/", "") for pack, retry in queue.retries.items()
            ),
        )
