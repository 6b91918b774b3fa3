"""Tells systemd, the state file and Prometheus what the daemon does: now and then, and soon after changes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from anchord import __version__
from anchord.service.lanes import Lanes
from anchord.service.report import state
from anchord.service.report.sd_notify import Notifier
from anchord.service.rounds import Rounds
from anchord.service.runner import Runner
from anchord.service.timers import Timers
from anchord.worker.executor import Executor

# So often, at least, the state tells that the loop turns; so often, at most, while much happens.
_PUBLISH_S = 15.0
_PUBLISH_AT_MOST_S = 1.0


@dataclass(frozen=True, slots=True)
class PublishDue:
    """The state is to be told."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Teller:
    """
    What is told, and when.

    Args:
        rounds, runner, executor: what is told of.
        publishers: get the state, in lanes.
        notifier: systemd's, told from the loop itself, whose life it watches.
        lanes: where publishers run.
        timers: gets a ``PublishDue``.
        clock: seconds, never going back.
    """

    rounds: Rounds
    runner: Runner
    executor: Executor
    publishers: Sequence[Callable[[state.State], None]]
    notifier: Notifier
    lanes: Lanes
    timers: Timers
    clock: Callable[[], float] = time.monotonic
    _started_unix_s: float = field(default_factory=time.time, init=False)

    def publish_soon(self) -> None:
        """Something changed."""
        self.timers.set_by(PublishDue(), at_s=self.clock() + _PUBLISH_AT_MOST_S)

    def publish(self) -> None:
        """Tell what is going on."""
        self.timers.set(PublishDue(), at_s=self.clock() + _PUBLISH_S)
        now = self._state()
        self.notifier.publish(now)
        for i, publish in enumerate(self.publishers):
            key = f"/publisher/{i}"
            if not self.lanes.is_busy_with(key):  # one that hangs is not asked again meanwhile
                self.lanes.submit(key, "publish", partial(publish, now))

    def _state(self) -> state.State:
        health, rounds = self.executor.health(), self.rounds
        watcher, queue, verdicts = rounds.watcher, self.runner.queue, self.runner.verdicts
        return state.State(
            pid=os.getpid(),
            root=str(rounds.place.root),
            shard="" if rounds.place.shard.is_all else str(rounds.place.shard),
            version=__version__,
            started_unix_s=self._started_unix_s,
            loop_turned_unix_s=time.time(),
            watch=state.Part(
                state="lost" if rounds.lost_because else watcher.mode,
                healthy=not rounds.lost_because,
                detail=rounds.lost_because or watcher.detail,
            ),
            worker=state.Part(state=health.state, healthy=health.healthy, detail=health.detail),
            packs=state.packs_of(
                rounds.reconciler.debounce.held, queue, rounds.unanswering(), now_s=self.clock()
            ),
            counts={
                "packs": len(self.runner.known.seen),
                "written": self.runner.written,
                "failed": verdicts.failed,
                "rescans": rounds.rescans,
                "missed_by_watch": rounds.missed_by_watch,
                "overflows": watcher.overflows,
                "rebuilds": watcher.rebuilds,
                "worker_restarts": self.executor.restarts,
                "worker_places": health.places,
                "workers_working": health.working,
            },
        )
