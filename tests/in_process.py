"""The command line in the process of the tests: a start of Python for each call takes 0.5 s."""

import contextlib
import logging
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple
from unittest.mock import patch

from indexfallback.cli import PROGRAM, main

ROOT = Path(__file__).parents[1]


def indexfallback(
    *arguments: str, environ: Mapping[str, str], directory: Path = ROOT, columns: int = 0
) -> "subprocess.CompletedProcess[str]":
    """Call the program's ``main``, and return its exit code and output.

    It finds what a process of its own would find: this environment and current directory, standard
    streams without a terminal, which its child processes inherit, no handler of a signal and none
    of the log. With ``columns`` the output goes to terminals of that width (Unix only), and colours
    and other controls are left out of what is returned. An exception that would be a traceback of
    that process is raised here.
    """
    threads = set(threading.enumerate())
    opened = partial(_terminal, columns) if columns else _file
    with opened() as out, opened() as err:
        with (
            _streams(out.writes, err.writes), _log(), _signals(), _current(directory),
            patch.dict(os.environ, environ, clear=True),
            patch.object(sys, "argv", [PROGRAM, *arguments]),
        ):  # fmt: skip
            code = _exit_code()
        left = [thread for thread in threading.enumerate() if thread not in threads]
        assert all(thread.daemon for thread in left), f"{arguments} leaves threads: {left}"
        return subprocess.CompletedProcess([PROGRAM, *arguments], code, out.text(), err.text())


def _exit_code() -> int:
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0


class _Output(NamedTuple):
    """A stream that the program writes to, and what returns all that it wrote."""

    writes: IO[bytes]
    text: Callable[[], str]


@contextlib.contextmanager
def _file() -> Iterator[_Output]:
    with tempfile.TemporaryFile() as file:

        def text() -> str:
            file.seek(0)
            return file.read().decode("utf-8")

        yield _Output(file, text)


#: Colours, and other controls of a terminal.
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@contextlib.contextmanager
def _terminal(columns: int) -> Iterator[_Output]:
    import fcntl  # noqa: PLC0415 - Unix only, as the next one
    import termios  # noqa: PLC0415

    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    received = bytearray()

    def receive() -> None:
        # The end of a terminal is an error on Linux.
        with contextlib.suppress(OSError):
            while piece := os.read(master, 65536):
                received.extend(piece)

    reader = threading.Thread(target=receive, daemon=True)
    reader.start()
    with os.fdopen(slave, "wb", buffering=0) as writes:

        def text() -> str:
            writes.close()
            reader.join(10)
            return _CONTROLS.sub("", received.decode("utf-8").replace("\r\n", "\n"))

        yield _Output(writes, text)
    reader.join(10)
    os.close(master)


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
