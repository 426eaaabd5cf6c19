"""A shim in the background, where no service manager starts it: containers, WSL, servers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import platformdirs

from indexfallback.cli.running import found, no_shim, root
from indexfallback.clients.shim_process import START_SECONDS
from indexfallback.config import Settings
from indexfallback.errors import LocatedError
from indexfallback.server.address import refuse_if_served
from indexfallback.server.asking import Kind

#: Longest wait for the end of a shim, seconds: it takes one, or three during a transfer.
STOP_SECONDS = 10.0
#: Lines of the log of a shim that did not start.
_LINES = 5


class BackgroundError(LocatedError):
    """The shim in the background does not start or end; ``where`` is its address or its log."""


def log_file(port: int) -> Path:
    """Return the path of the log of a shim in the background."""
    return _file(port, "log")


def pid_file(port: int) -> Path:
    """Return the path of the file with the number of its process."""
    return _file(port, "pid")


def start(arguments: Sequence[str], settings: Settings) -> int:
    """Start ``indexfallback ARGUMENTS`` in the background, and return the number of its process.

    ``settings`` are those of the shim. Returns when it answers. Raises `AlreadyServedError`,
    `PortTakenError` and `BackgroundError`.
    """
    refuse_if_served(
        settings.host, settings.port, settings.identity, tls=settings.tls_cert is not None
    )
    log = log_file(settings.port)
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    log.touch(mode=0o600)
    began = log.stat().st_size
    with log.open("ab") as errors:
        # Its output apart from its log is the error of a start that fails.
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "indexfallback", *arguments, "--log-file", str(log)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
    _wait(
        lambda: process.poll() is not None or _pid(settings) == process.pid,
        START_SECONDS,
        BackgroundError(
            str(log), f"no shim answers after {START_SECONDS:.0f} s", "its last lines say why"
        ),
    )
    if process.poll() is not None:
        with log.open("rb") as file:
            file.seek(began)
            said = file.read().decode(errors="replace").splitlines()[-_LINES:]
        cause = " ".join(" ".join(said).split()) or f"exit code {process.returncode}"
        raise BackgroundError(root(settings), f"the shim did not start: {cause}", "correct that")
    pid_file(settings.port).write_text(f"{process.pid}\n", encoding="ascii")
    return process.pid


def stop(settings: Settings) -> int | None:
    """End the user's shim at the configured address; return its process, None if none runs.

    Raises `BackgroundError` if another program has the port, or if it does not end.
    """
    there = found(settings)
    pid_file(settings.port).unlink(missing_ok=True)
    if there is None:
        return None
    if there.kind is not Kind.OWN or there.health.get("for_one_command"):
        what = "it is that of a command" if there.kind is Kind.OWN else no_shim(settings, there)
        raise BackgroundError(root(settings), what, "it is not stopped")
    pid: int = there.health["pid"]
    os.kill(pid, signal.SIGTERM)
    _wait(
        lambda: _pid(settings) != pid,
        STOP_SECONDS,
        BackgroundError(
            root(settings), f"process {pid} does not end", f"end it yourself: kill -9 {pid}"
        ),
    )
    return pid


def _file(port: int, ending: str) -> Path:
    return platformdirs.user_state_path("indexfallback") / f"serve-{port}.{ending}"


def _pid(settings: Settings) -> int | None:
    there = found(settings)
    return there.health["pid"] if there is not None and there.kind is Kind.OWN else None


def _wait(is_so: Callable[[], bool], seconds: float, late: BackgroundError) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends:
            raise late
        time.sleep(0.02)  # another process gives no event to wait for
