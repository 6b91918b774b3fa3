"""Each system call that a pack takes, once with an error; ``make hostile`` tries all with every error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.injection import ERRORS, calls_of, complaint, warm_daemon


@pytest.mark.timeout(300)
def test_an_error_of_any_call_is_retried_and_costs_its_pack_alone(root: Path) -> None:
    with warm_daemon(root) as daemon:
        calls = sorted(calls_of(daemon))
        assert {"openat", "openat2", "fsync"} <= set(calls)
        complaints = {}
        for number, call in enumerate(calls):
            error = ERRORS[number % len(ERRORS)]
            if found := complaint(daemon, call, error, 1):
                complaints[call, error] = found
        assert complaints == {}
