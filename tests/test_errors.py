"""Whose fault an error is: the one table that decides between retrying and parking."""

from __future__ import annotations

import errno
import os

import pytest

from anchord import errors
from anchord.errors import AnchordError, DefectError, FileError, MachineError, NoInputError, as_ours, fault
from anchord.guard import guarded

MACHINE = """EIO ESTALE EMFILE ENFILE ENOMEM ETIMEDOUT EAGAIN ENOSPC EDQUOT EROFS EACCES EPERM ENOTCONN EBUSY
EHOSTDOWN"""


@pytest.mark.parametrize("name", MACHINE.split())
def test_what_the_machine_may_mend_is_tried_again(name: str) -> None:
    error = as_ours(OSError(getattr(errno, name), "words", "file"))
    assert isinstance(error, MachineError)
    assert error.is_environment
    assert "file" in str(error)


@pytest.mark.parametrize("name", ["ELOOP", "ENAMETOOLONG", "EXDEV", "EISDIR", "ENXIO"])
def test_what_only_other_content_mends_is_parked(name: str) -> None:
    assert isinstance(as_ours(OSError(getattr(errno, name), "words", "file")), FileError)


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_number_has_its_place(number: int) -> None:
    assert fault(OSError(number, os.strerror(number))) in ("machine", "content", "absent")


def test_what_is_gone_is_gone() -> None:
    assert isinstance(as_ours(FileNotFoundError(errno.ENOENT, "x", "file")), NoInputError)


def test_every_error_of_ours_has_an_exit_status_and_stands_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, AnchordError):
            assert kind.__name__ in tree
            assert kind.exit_status in (1, 64, 65, 66, 69, 70, 73, 74, 75, 78)


def test_the_guard_lets_nothing_through_but_the_end_of_the_process() -> None:
    def end() -> None:
        raise SystemExit(3)

    def bug() -> int:
        nothing: dict[str, int] = {}
        return nothing["here"]

    told: list[Exception] = []
    assert guarded(lambda: 1) == 1
    assert isinstance(guarded(bug, told.append), DefectError)
    assert len(told) == 1
    with pytest.raises(SystemExit):
        guarded(end)
