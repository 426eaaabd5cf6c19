"""Locks between processes, released when a process ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from indexfallback.store.locks import FileLock

_HOLDER = """
import sys
from pathlib import Path
from indexfallback.store.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def holder(path: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"True\n"
    return process


def test_a_lock_is_one_holders_at_a_time(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


@pytest.mark.fault(59)
def test_another_process_keeps_us_out_until_it_is_killed(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "a.lock")
    with holder(lock.path) as process:
        try:
            assert not lock.acquire()
        finally:
            process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.communicate()
    assert lock.acquire()
    lock.release()


@pytest.mark.fault(59)
def test_a_lock_file_that_was_left_behind_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_text("12345")
    lock = FileLock(tmp_path / "a.lock")
    assert lock.acquire()
    lock.release()
    assert (tmp_path / "a.lock").read_text() == "12345"


def test_the_directory_of_a_lock_is_made(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "new" / "a.lock")
    assert lock.acquire()
    lock.release()


def test_releasing_twice_is_harmless(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "a.lock")
    assert lock.acquire()
    lock.release()
    lock.release()


@pytest.mark.fault(60)
@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="the system cannot refuse links")
@pytest.mark.parametrize("target", ["victim", "nowhere"])
def test_a_symbolic_link_in_place_of_the_lock_file_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a.lock").symlink_to(tmp_path / target)
    with pytest.raises(OSError, match="symbolic links"):
        FileLock(tmp_path / "a.lock").acquire()
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()
