"""The command line in the process of the tests: a start of Python for each call takes 0.5 s."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO
from unittest.mock import patch

from indexfallback.cli import PROGRAM, main

ROOT = Path(__file__).parents[1]


def indexfallback(
    *arguments: str, environ: Mapping[str, str], directory: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    """Call the program's ``main``, and return its exit code and output.

    It finds what a process of its own would find: this environment and current directory, standard
    streams without a terminal, which its child processes inherit, no handler of a signal and none
    of the log. An exception that would be a traceback of that process is raised here.
    """
    threads = set(threading.enumerate())
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with (
            _streams(out, err), _log(), _signals(), _current(directory),
            patch.dict(os.environ, environ, clear=True),
            patch.object(sys, "argv", [PROGRAM, *arguments]),
        ):  # fmt: skip
            code = _exit_code()
        left = [thread for thread in threading.enumerate() if thread not in threads]
        assert all(thread.daemon for thread in left), f"{arguments} leaves threads: {left}"
        return subprocess.CompletedProcess([PROGRAM, *arguments], code, _text(out), _text(err))


def _exit_code() -> int:
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


@contextlib.contextmanager
def _streams(out: IO[bytes], err: IO[bytes]) -> Iterator[None]:
    """Connect the standard streams, and the descriptors that child processes inherit."""
    with Path(os.devnull).open("rb") as nothing, contextlib.ExitStack() as stack:
        for number, file in enumerate((nothing, out, err)):
            before = os.dup(number)
            stack.callback(os.close, before)
            stack.callback(os.dup2, before, number)
            os.dup2(file.fileno(), number)
        for name, number, mode, errors in (
            ("stdin", 0, "r", "strict"),
            ("stdout", 1, "w", "strict"),
            ("stderr", 2, "w", "backslashreplace"),
        ):
            stream = os.fdopen(number, mode, encoding="utf-8", errors=errors, closefd=False)
            stack.enter_context(stream)
            stack.enter_context(patch.object(sys, name, stream))
        yield


@contextlib.contextmanager
def _current(directory: Path) -> Iterator[None]:
    """Work in a directory."""
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _log() -> Iterator[None]:
    """Take the handlers of pytest off the log, and undo what a command does to it."""
    loggers = logging.getLogger(), logging.getLogger("indexfallback")
    before = [
        (logger, logger.handlers[:], logger.filters[:], logger.level, logger.propagate)
        for logger in loggers
    ]
    for logger in loggers:
        logger.handlers.clear()
    try:
        yield
    finally:
        for logger, handlers, filters, level, propagate in before:
            logger.handlers[:], logger.filters[:] = handlers, filters
            logger.setLevel(level)
            logger.propagate = propagate


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Undo what a command does to the handlers of signals."""
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)
