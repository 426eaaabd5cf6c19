"""Faults of this machine, told from those of others."""

import errno

import pytest

from indexfallback.process.machine import fault_of


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (OSError(errno.ENFILE, "File table overflow"), "close other programs"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "free memory"),
        (MemoryError(), "free memory"),
        (RuntimeError("can't start new thread"), "ulimit -u"),
    ],
)
def test_what_has_run_out_is_named_with_its_remedy(error: Exception, remedy: str) -> None:
    fault = fault_of(error)
    assert fault is not None
    assert fault.startswith("this machine: ")
    assert remedy in fault
    outer = ValueError("outer")
    outer.__cause__ = error
    assert fault_of(outer) == fault


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left"),
        ConnectionResetError(),
        RuntimeError("other"),
        ValueError(),
    ],
)
def test_other_errors_are_no_fault_of_this_machine(error: Exception) -> None:
    assert fault_of(error) is None
