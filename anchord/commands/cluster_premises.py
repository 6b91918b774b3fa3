"""What stands in the way of this machine's part in a cluster; for ``anchord doctor``."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path

from anchord.commands.cluster import wing
from anchord.commands.premises import Finding
from anchord.errors import SettingsError
from anchord.settings import ClusterSettings

# So long before its end a certificate is told of.
_SOON_DAYS = 30
_ANSWER_S = 5.0


def examine_cluster(settings: ClusterSettings) -> Iterator[Finding]:
    """
    Look at certificates and the way to the scheduler; at nothing where there is no cluster.

    Args:
        settings: the cluster's.
    """
    if not settings.scheduler:
        return
    try:
        membership, certificates = wing("membership"), wing("certificates")
        security, address = membership.security(settings), membership.scheduler_address(settings)
        left = certificates.days_left(Path(settings.certificate), now=dt.datetime.now(dt.UTC))
    except SettingsError as error:
        yield Finding(subject="cluster", verdict="bad", text=str(error), fix="see docs/cluster.md")
        return
    yield Finding(
        subject="cluster",
        verdict="ok" if left > _SOON_DAYS else "note" if left > 0 else "bad",
        text=f"{settings.certificate} holds for {left:.0f} more days",
        fix="" if left > _SOON_DAYS else "anchord certificates makes another; then start the member again",
    )
    context = security.get_connection_args("client")["ssl_context"]
    try:
        with (
            socket.create_connection((address.host, address.port), _ANSWER_S) as plain,
            context.wrap_socket(plain) as secure,
        ):
            # Whoever is not let in hears of it here; a scheduler speaks first.
            answers = bool(secure.recv(1))
    except OSError as error:
        answers, why = False, str(error)
    else:
        why = "" if answers else "it hung up"
    yield Finding(
        subject="cluster",
        verdict="ok" if answers else "bad",
        text=f"{address} answers" if answers else f"{address} does not answer: {why}",
        fix="" if answers else "start anchord scheduler there; look at firewalls and certificates",
    )
