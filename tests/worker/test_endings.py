"""An exit status says what happened, and which limit it was."""

from __future__ import annotations

import signal

import pytest

from anchord.worker.endings import how_it_ended


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "ended with status 0"),
        (1, "ended with status 1: ValueError: the last line"),
        (-signal.SIGXCPU, "was ended by SIGXCPU: over worker.cpu_s = 1800"),
        (
            -signal.SIGSYS,
            "was ended by SIGSYS: it tried what its sandbox forbids; the video may be an attack",
        ),
        (-signal.SIGABRT, "was ended by SIGABRT: ValueError: the last line"),
        (-signal.SIGSEGV, "was ended by SIGSEGV: a library crashed"),
        (-signal.SIGKILL, "was ended by SIGKILL: by someone else, or by the kernel for want of memory"),
        (-signal.SIGTERM, "was ended by SIGTERM"),
        (-99, "was ended by signal 99"),
    ],
)
def test_an_exit_status_is_put_into_words(status: int, words: str) -> None:
    """With the limit that was broken, by its name in the settings."""
    assert how_it_ended(status, cpu_s=1800, last_line="ValueError: the last line") == words


def test_a_kill_of_our_own_says_why() -> None:
    """Nobody else is suspected then."""
    words = how_it_ended(-signal.SIGKILL, killed_for="over worker.timeout_s = 900")
    assert words == "was ended by SIGKILL: over worker.timeout_s = 900"
