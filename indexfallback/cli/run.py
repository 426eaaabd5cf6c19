"""``run``: a command with a shim for as long as it runs, and a last word if it failed."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import click

from indexfallback.cli.chain import is_from_pip, print_chain
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import say
from indexfallback.cli.report import report
from indexfallback.cli.running import NoAnswer
from indexfallback.clients.environment import client_environment
from indexfallback.config import Settings
from indexfallback.errors import IndexFallbackError
from indexfallback.server.address import AlreadyServedError, ask, refuse_if_served

#: A shim that has not answered by then will not, seconds: 0.5 are usual.
START_SECONDS = 20.0
#: A shim ends within a second; one in a transfer is killed after three.
STOP_SECONDS = 5.0
#: What a shell answers for a command that it cannot find.
_NOT_FOUND = 127
#: What it answers for one that is there and cannot be run.
_NOT_RUNNABLE = 126
#: To its exit code for a command that a signal ended, the signal's number is added.
_SIGNALLED = 128
_FORWARDED = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)  # fmt: skip


class ShimNotStartedError(IndexFallbackError):
    """The shim for a command did not come up."""

    def __str__(self) -> str:
        return "the local index did not start; try `indexfallback serve` to see why"


@click.command(
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "indexfallback run -- pip install PROJECT", "indexfallback --offline run -- uv sync"
    ),
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@takes_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(options: Options, command: tuple[str, ...], quiet: bool) -> None:
    """Run COMMAND with every package client in it pointed at the chain."""
    settings = options.settings()
    if shutil.which(command[0]) is None:
        say(f"{command[0]}: no such command")
        sys.exit(_NOT_FOUND)
    if not quiet and is_from_pip(settings):
        say("no configuration yet, using pip's own")
        print_chain(settings, err=True)
    began = time.time()
    with _shim(settings, options) as url:
        code = _run(command, client_environment(os.environ, url))
        _report(url, began, failed=code != 0, quiet=quiet)
    sys.exit(code)


@contextmanager
def _shim(settings: Settings, options: Options) -> Iterator[str]:
    """Give the address of a shim with these settings: a running one, or one for as long."""
    try:
        refuse_if_served(settings.host, settings.port, settings.fingerprint)
    except AlreadyServedError as error:
        yield error.url
        return
    except IndexFallbackError:  # another program's port: a free one does as well
        pass
    with _own_shim(options) as url:
        yield url


@contextmanager
def _own_shim(options: Options) -> Iterator[str]:
    arguments = [sys.executable, "-m", "indexfallback", *options.as_arguments(), "serve"]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [*arguments, "--port", "0", "--json", "--stop-at-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the command; the shim ends with us, by its standard input.
        start_new_session=True,
    )
    try:
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
            _ask(url, "/-/health")
        except NoAnswer:  # the worker is still starting
            time.sleep(0.01)  # nothing else tells when it listens
        else:
            return url
    raise ShimNotStartedError


def _ask(url: str, path: str) -> Any:
    parts = urlsplit(url)
    return ask(parts.hostname or "", parts.port or 0, path)


def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run a command, pass signals on to it, and return its exit code as a shell would."""
    with _forwarding() as signals:
        try:
            process = subprocess.Popen(command, env=environment)  # noqa: S603 - the user's own
        except OSError as error:
            say(f"{command[0]}: cannot be run ({error.strerror})")
            return _NOT_RUNNABLE
        with process:
            signals.pass_to(process.send_signal)
            code = process.wait()
    return code if code >= 0 else _SIGNALLED - code


class _Signals:
    """Passes signals on, and keeps those that come before there is anyone to pass them to.

    Ctrl-C the terminal gives to the command as well, once that is there.
    """

    def __init__(self) -> None:
        self._send: Callable[[int], None] | None = None
        self._early: list[int] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - Python's
        if self._send is None:
            self._early.append(number)
        elif number != signal.SIGINT:
            self._send(number)

    def pass_to(self, send: Callable[[int], None]) -> None:
        self._send = send
        for number in self._early:
            send(number)


@contextmanager
def _forwarding() -> Iterator[_Signals]:
    signals = _Signals()
    numbers = set(_FORWARDED)
    # Not SIG_IGN for Ctrl-C: the command would inherit that. As it should if we have: a shell
    # ignores Ctrl-C for what it runs in the background.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        numbers.add(signal.SIGINT)
    before = {number: signal.signal(number, signals) for number in numbers}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(url: str, began: float, *, failed: bool, quiet: bool) -> None:
    try:
        status = _ask(url, f"/-/status?since={began}")
    except NoAnswer as error:
        say(f"the local index does not answer any more ({error})")
        return
    report(status, began, failed=failed, quiet=quiet)
