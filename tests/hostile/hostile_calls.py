"""Every system call that a pack takes, at each of its places, with every error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.injection import ERRORS, calls_of, complaint, warm_daemon


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.timeout(1200)
def test_an_error_of_any_call_is_retried_and_costs_its_pack_alone(root: Path, error: str) -> None:
    with warm_daemon(root) as daemon:
        complaints = {
            (call, number): found
            for call, count in sorted(calls_of(daemon).items())
            for number in range(1, count + 1)
            if (found := complaint(daemon, call, error, number))
        }
        assert complaints == {}
