"""A child process that runs a command of ours and ends with us: lines in, lines of JSON out."""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import pathsep

#: Timeout of the end in seconds. A shim ends within a second, or three during a transfer.
_STOP_SECONDS = 5.0
#: The child has our import path, such as the eggs of a buildout, but not the current directory,
#: which ``-m`` would add.
_MAIN = """\
import importlib, os, sys
sys.path[:] = sys.argv.pop(1).split(os.pathsep)
importlib.import_module(sys.argv.pop(1)).main()
"""


def log_options(verbose: int) -> list[str]:
    """Return the options for a log level: the number of ``-v``, or -1 for ``-q``."""
    return ["-q"] if verbose < 0 else ["-v"] * verbose


class ChildError(Exception):
    """The child has ended, or does not answer in time."""


class Child:
    """A running child process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._lines: queue.Queue[bytes] = queue.Queue()
        # Ends with the child, which closes the pipe.
        threading.Thread(target=self._read, name="child-output", daemon=True).start()

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def send(self, line: bytes) -> None:
        """Send a line through a pipe that no other process can read; raises `ChildError`."""
        if self._process.stdin is None:
            raise ChildError
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except (OSError, ValueError):  # it has ended, or we have closed the pipe
            raise ChildError from None

    def receive(self, seconds: float) -> bytes:
        """Return the next line of the child; raises `ChildError`."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise ChildError from None
        if not line:
            self._lines.put(b"")  # for the next call
            raise ChildError
        return line

    def _read(self) -> None:
        output = self._process.stdout
        while output is not None and (line := output.readline()):
            self._lines.put(line)
        self._lines.put(b"")


@contextmanager
def child(*arguments: str, module: str = "indexfallback.cli") -> Iterator[Child]:
    """Run ``main`` of a module until the end of the block, where its standard input ends.

    By default that is ``indexfallback ARGUMENTS``.
    """
    path = pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", _MAIN, path, module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the command only; the child ends when we close its standard input.
        start_new_session=True,
    )
    try:
        yield Child(process)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        with suppress(OSError):  # it has ended, and a line to it is still in our buffer
            process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
