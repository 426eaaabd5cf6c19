"""A shim for as long as a command needs one: a running one, or a process of its own."""

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

#: A shim that has not answered by then will not, seconds: 0.5 are usual.
START_SECONDS = 20.0
#: A shim ends within a second; one in a transfer is killed after three.
STOP_SECONDS = 5.0
#: The shim imports what we import, wherever our path came from (a buildout's eggs), and nothing
#: that lies in the current directory, as it would with ``-m``.
_MAIN = """\
import os, sys
sys.path[:] = sys.argv.pop(1).split(os.pathsep)
from indexfallback.cli import main
main()
"""
#: What of the settings is for others than the command on this machine.
_FOR_ONE_COMMAND: dict[str, Any] = {
    "host": "127.0.0.1", "tls_cert": None, "tls_key": None, "base_path": "", "trusted_proxies": (),
}  # fmt: skip


class ShimNotStartedError(IndexFallbackError):
    """The shim for a command did not come up."""

    def __str__(self) -> str:
        return "the local index did not start; try `indexfallback serve` to see why"


@contextmanager
def shim_for(settings: Settings, *, verbose: int = 0) -> Iterator[str]:
    """Give the address of a shim with these settings: a running one, or one for as long.

    ``verbose`` is how much one of our own says on standard error. Raises `ShimNotStartedError`.
    """
    if settings.tls_cert is None:  # else its certificate names it as others reach it
        try:
            refuse_if_served(settings.host, settings.port, settings.fingerprint)
        except AlreadyServedError as error:
            yield error.url
            return
        except IndexFallbackError:  # another program's port: a free one does as well
            pass
    with _own_shim(replace(settings, **_FOR_ONE_COMMAND), verbose) as url:
        yield url


def ask_shim(url: str, path: str) -> Any:
    """Return the JSON that the shim of a simple API's address answers; raises as `ask` does."""
    return ask(url, path)


@contextmanager
def _own_shim(settings: Settings, verbose: int) -> Iterator[str]:
    options = ["--port", "0", "--json", "--stop-at-eof", "--settings-from-stdin"]
    path = pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", _MAIN, path, *["-v"] * verbose, "serve", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the command; the shim ends with us, by its standard input.
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
    """Hand over the settings, passwords and all: where no other user and no child sees them."""
    if process.stdin is None:
        return
    try:
        process.stdin.write(line)
        process.stdin.flush()
    except BrokenPipeError:
        raise ShimNotStartedError from None


def _wait_for(process: "subprocess.Popen[bytes]") -> str:
    """Return a starting shim's address as soon as it answers."""
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
            ask_shim(url, "/-/health")
        except NoAnswer:  # the worker is still starting
            time.sleep(0.01)  # nothing else tells when it listens
        else:
            return url
    raise ShimNotStartedError
