"""A shim for one command: the running one, or a child process that ends with the command."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from os import pathsep
from typing import Any

from indexfallback.config import Settings
from indexfallback.config.wire import encode_settings
from indexfallback.errors import IndexFallbackError
from indexfallback.server.address import AlreadyServedError, NoAnswer, ask, refuse_if_served

#: Timeout of the start in seconds; 0.5 is usual.
START_SECONDS = 20.0
#: Timeout of the end in seconds. A shim ends within a second, or three during a transfer.
STOP_SECONDS = 5.0
#: The child has our import path, such as the eggs of a buildout, but not the current directory,
#: which ``-m`` would add.
_MAIN = """\
import os, sys
sys.path[:] = sys.argv.pop(1).split(os.pathsep)
from indexfallback.cli import main
main()
"""
#: Replaces the settings that are for other machines.
_FOR_ONE_COMMAND: dict[str, Any] = {
    "host": "127.0.0.1", "tls_cert": None, "tls_key": None, "base_path": "", "trusted_proxies": (),
}  # fmt: skip


class ShimNotStartedError(IndexFallbackError):
    """The shim for a command did not start."""

    def __str__(self) -> str:
        return "the local index did not start; try `indexfallback serve` to see why"


@contextmanager
def shim_for(settings: Settings, *, verbose: int = 0) -> Iterator[str]:
    """Yield the address of a shim with these settings: the running one, or a new one.

    ``verbose`` is the log level of a new one. Raises `ShimNotStartedError`.
    """
    if settings.tls_cert is None:  # the certificate is for the name that other machines use
        try:
            refuse_if_served(settings.host, settings.port, settings.fingerprint)
        except AlreadyServedError as error:
            yield error.url
            return
        except IndexFallbackError:  # another program has the port: the child takes a free one
            pass
    with _own_shim(replace(settings, **_FOR_ONE_COMMAND), verbose) as url:
        yield url


@contextmanager
def _own_shim(settings: Settings, verbose: int) -> Iterator[str]:
    options = ["--port", "0", "--json", "--stop-at-eof", "--settings-from-stdin"]
    path = pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", _MAIN, path, *["-v"] * verbose, "serve", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the command only; the shim ends when we close its standard input.
        start_new_session=True,
    )
    try:
        _send(process, encode_settings(settings))
        yield _wait_for(process)
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _send(process: "subprocess.Popen[bytes]", line: bytes) -> None:
    """Send the settings, passwords included, through a pipe that no other process can read."""
    if process.stdin is None:
        return
    try:
        process.stdin.write(line)
        process.stdin.flush()
    except BrokenPipeError:
        raise ShimNotStartedError from None


def _wait_for(process: "subprocess.Popen[bytes]") -> str:
    """Return the address of a starting shim as soon as it answers."""
    lines: queue.Queue[bytes] = queue.Queue()
    reader = threading.Thread(
        target=lambda: lines.put(process.stdout.readline() if process.stdout else b""), daemon=True
    )
    reader.start()
    ends = time.monotonic() + START_SECONDS
    try:
        url: str = json.loads(lines.get(timeout=START_SECONDS))["url"]
    except (queue.Empty, ValueError):
        raise ShimNotStartedError from None
    while time.monotonic() < ends and process.poll() is None:
        try:
            ask(url, "/-/health")
        except NoAnswer:  # it is announced just before it listens
            time.sleep(0.01)  # there is no event to wait for
        else:
            return url
    raise ShimNotStartedError
