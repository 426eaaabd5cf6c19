"""``run``: runs a command with a shim, and reports what the shim did for it."""

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from indexfallback.cli.chain import is_from_pip, print_chain
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import say, say_more
from indexfallback.clients.environment import client_environment
from indexfallback.clients.shim_process import shim_for
from indexfallback.clients.troubles import Status, troubles
from indexfallback.server.address import NoAnswer, ask
from indexfallback.words import counted

#: Exit codes as in a shell: the command does not exist, ...
_NOT_FOUND = 127
#: ... or cannot be run, ...
_NOT_RUNNABLE = 126
#: ... or a signal ended it, whose number is added.
_SIGNALLED = 128
_FORWARDED = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)  # fmt: skip


@click.command(
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "indexfallback run -- pip install PROJECT", "indexfallback --offline run -- uv sync"
    ),
)
@click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
@takes_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(options: Options, command: tuple[str, ...], quiet: bool) -> None:
    """Run COMMAND; all package clients in it use the chain."""
    settings = options.settings()
    if shutil.which(command[0]) is None:
        say(f"{command[0]}: no such command")
        sys.exit(_NOT_FOUND)
    if not quiet and is_from_pip(settings):
        say("no configuration yet, using pip's")
        print_chain(settings, err=True)
    began = time.time()
    with shim_for(settings, verbose=options.verbose) as url:
        code = _run(command, client_environment(os.environ, url))
        _report(url, began, failed=code != 0, quiet=quiet)
    sys.exit(code)


def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run a command, forward signals to it, and return its exit code as a shell would."""
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
    """Forwards signals, and queues those that arrive before the command has started.

    Ctrl-C is not forwarded to a running command: the terminal sends it to the command itself.
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
    # SIG_IGN would be inherited by the command. If we have inherited it ourselves, because a shell
    # runs us in the background, it stays.
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
        status = ask(url, f"/-/status?since={began}&namesakes={str(failed).lower()}")
    except NoAnswer as error:
        say(f"the local index has stopped answering ({error})")
        return
    for trouble in troubles(status, began) if failed else ():
        say(trouble.sentence)
        for detail in trouble.details:
            say_more(detail)
    projects = status["activity"]["projects"]
    if projects and not quiet:
        say(_summary(projects))


def _summary(projects: dict[str, Status]) -> str:
    owners = Counter(served["owner"] for served in projects.values())
    shares = ", ".join(f"{count:,} from {owner}" for owner, count in owners.items())
    cached = sum(served["how"] not in ("asked", "ahead") for served in projects.values())
    stale = sum(served["how"] == "stale" for served in projects.values())
    waited = math.fsum(served["waited"] for served in projects.values())
    note = f" ({stale:,} stale)" if stale else ""
    return (
        f"{counted(len(projects), 'project')}: {shares}; {cached:,} from cache{note}; "
        f"{waited:.1f} s spent waiting for indexes"
    )
