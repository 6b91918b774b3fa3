"""A daemon with all that it tells to: the log, systemd, the state file and Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anchord import log
from anchord.commands.cluster import executor_of
from anchord.model import checked_model
from anchord.service.daemon import Daemon
from anchord.service.plan import Plan
from anchord.service.report import state
from anchord.service.report.metrics import Metrics
from anchord.service.report.sd_notify import Notifier
from anchord.service.runner import Observer
from anchord.settings import Settings


def run_daemon(
    read_settings: Callable[[], Settings],
    root: Path | None,
    *,
    is_verbose: bool,
    once: bool = False,
    retry_s: float = 0.0,
    plan: Plan | None = None,
    observer: Observer | None = None,
) -> bool:
    """
    Run a daemon in this process until it is stopped or, with *once*, done; whether all went well.

    Args:
        read_settings: gives the settings, at the start and on SIGHUP.
        root: the avatars root, where it is not the one of the settings.
        is_verbose: log the inner steps too.
        once: as :class:`.Daemon` has it, and so the next three.
        retry_s: how long the machine's faults are tried again at the end.
        plan: what of all is done.
        observer: told about progress.

    Raises:
        AnchordError: settings, model or root are not as they should be.
    """
    sink = log.stderr_sink()

    def read() -> Settings:
        settings = read_settings()
        log.set_up(form=settings.log.format, level="debug" if is_verbose else settings.log.level, sink=sink)
        return settings

    # The worker has the same file, but what it says of it would be no reason to end.
    checked_model()
    notifier = Notifier.from_environment()
    settings = read()
    metrics = Metrics(Path(settings.metrics.textfile) if settings.metrics.textfile else None)
    try:
        daemon = Daemon(
            read_settings=read,
            root=root,
            once=once,
            retry_s=retry_s,
            plan=plan or Plan(),
            observer=observer,
            publishers=[] if once else [state.publisher(), metrics.publish],
            notifier=notifier,
            on_result=metrics.extracted,
            make_executor=executor_of(settings.cluster),
        )
        return daemon.run()
    finally:
        sink.close()
