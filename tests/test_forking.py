"""A forked process is one that a start of Python would have made."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.forking import Process, start_program
from tests.in_process import ROOT
from tests.serving import clean_environment, end_program, wait_until

_SECONDS = 60


@contextmanager
def started(directory: Path, *arguments: str, **more: str) -> Iterator[tuple[Process, Path]]:
    """Give a process of the program and the file of its standard error."""
    log = directory / "log"
    with log.open("wb") as stderr:
        environ = clean_environment(directory, **more)
        process = start_program(arguments, stderr=stderr, env=environ)
    try:
        yield process, log
    finally:
        end_program(process)


def anew(arguments: tuple[str, ...], environ: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """Start a Python for the program; return its exit code and what it wrote."""
    command = [sys.executable, "-m", "indexfallback", *arguments]
    done = subprocess.run(command, env=environ, cwd=ROOT, check=False, capture_output=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("config", "path"), ("serve", "--nothing"), ("--config", "/nowhere", "serve")],
    ids=["well", "of the environment", "usage", "configuration"],
)
def test_exit_code_and_output_are_the_same(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with started(tmp_path, *arguments, INDEXFALLBACK_CONFIG="/elsewhere") as (process, log):
        code = process.wait(_SECONDS)
        assert process.stdout is not None
        found = code, process.stdout.read(), log.read_bytes()
    environ = clean_environment(tmp_path, INDEXFALLBACK_CONFIG="/elsewhere")
    assert found == anew(arguments, environ)


def test_a_signal_ends_it_and_is_its_exit_code(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--port", "0", "--json") as (process, _):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.poll() is None
        process.kill()
        assert process.wait(_SECONDS) == -signal.SIGKILL
        assert process.poll() == process.returncode == -signal.SIGKILL


def test_it_has_no_file_of_another_one(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        started(tmp_path / "other", "serve", "--port", "0", "--json") as (other, _),
        started(tmp_path, "serve", "--port", "0", "--json") as (process, _),
    ):
        for each in (other, process):
            assert each.stdout is not None
            assert each.stdout.readline()
        assert other.stdin is not None
        kept = os.fstat(other.stdin.fileno()).st_ino
        folder = Path(f"/proc/{process.pid}/fd")
        assert kept not in {path.stat().st_ino for path in folder.iterdir() if path.exists()}


def test_one_that_has_ended_leaves_no_process(tmp_path: Path) -> None:
    with started(tmp_path, "--version") as (process, _):
        process.wait(_SECONDS)
    wait_until(lambda: not psutil.pid_exists(process.pid), 5, "it is left")
