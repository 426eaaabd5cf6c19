"""Runs a command as a child process, forwards signals to it, and returns its exit code."""

import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from indexfallback.cli.output import say

#: Exit codes as in a shell: the command does not exist, ...
NOT_FOUND = 127
#: ... or cannot be run, ...
_NOT_RUNNABLE = 126
#: ... or a signal ended it, whose number is added.
_SIGNALLED = 128
_FORWARDED = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)  # fmt: skip


def run_child(command: Sequence[str], environment: dict[str, str]) -> int:
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
