"""The service manager of the system: systemd, launchd or the Windows task scheduler."""

import getpass
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from indexfallback.errors import LocatedError
from indexfallback.service.job import Job
from indexfallback.service.launchd import AGENT, agent
from indexfallback.service.systemd import UNIT, unit
from indexfallback.service.windows import TASK, task

#: Timeout of a service manager's command in seconds; usually it takes less than one.
_SECONDS = 30.0


#: What to do where no service manager starts the shim, as in containers and WSL.
_WITHOUT = "start the shim by `indexfallback serve --background`"


class ServiceError(LocatedError):
    """The command ``where`` of the service manager failed."""


class Manager(Protocol):
    """Runs a job at login. Each method raises `ServiceError`."""

    #: The system's term for the job: ``systemd user unit``.
    kind: str

    @property
    def place(self) -> str:
        """The file that defines the job, or its name in the system."""
        ...

    def text(self, job: Job) -> str:
        """Return the definition of the job."""
        ...

    def install(self, job: Job) -> None:
        """Install the job, in place of an earlier one, and start it."""
        ...

    def uninstall(self) -> bool:
        """Stop and remove the job; tell whether it was installed."""
        ...

    def works(self) -> bool:
        """Tell whether it runs jobs of this user: not in most containers, nor over each login."""
        ...

    def start(self) -> None:
        """Start the job that is installed."""
        ...

    def stop(self) -> None:
        """Stop the job that is installed, until the next login or `start`."""
        ...

    def state(self) -> str | None:
        """Return the system's word for the job's state; None if it is not installed."""
        ...

    def show_logs(self, *, lines: int, follow: bool) -> None:
        """Print the last lines of the job's log, and with ``follow`` all new ones."""
        ...


def manager(platform: str = sys.platform, home: Path | None = None) -> Manager:
    """Return the service manager of this system.

    Raises:
        ServiceError: the system is not supported.

    """
    home = Path.home() if home is None else home
    if platform == "linux":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return _Systemd(config / "systemd" / "user" / UNIT)
    if platform == "darwin":
        return _Launchd(home / "Library" / "LaunchAgents" / AGENT, home / "Library" / "Logs")
    if platform == "win32":
        return _TaskScheduler()
    raise ServiceError(
        "service", f"services are not supported on {platform}", _WITHOUT
    )  # fmt: skip


class _Systemd:
    kind = "systemd user unit"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.place = str(file)

    def text(self, job: Job) -> str:
        return unit(job)

    def install(self, job: Job) -> None:
        # Before the file is written.
        _do("systemctl", "--user", "show-environment", remedy=_WITHOUT)
        _write(self.file, self.text(job))
        self._control("daemon-reload")
        self._control("enable", UNIT)
        self._control("restart", UNIT)

    def uninstall(self) -> bool:
        if not self.file.exists():
            return False
        self._control("disable", "--now", UNIT)
        self.file.unlink()
        self._control("daemon-reload")
        return True

    def works(self) -> bool:
        return _succeeds("systemctl", "--user", "show-environment")

    def start(self) -> None:
        self._control("start", UNIT)

    def stop(self) -> None:
        self._control("stop", UNIT)

    def state(self) -> str | None:
        if not self.file.exists():
            return None
        # The exit code is not 0 unless the unit is active.
        return _ask("systemctl", "--user", "is-active", UNIT).stdout.strip() or "unknown"

    def show_logs(self, *, lines: int, follow: bool) -> None:
        _show("journalctl", "--user", "--unit", UNIT, f"--lines={lines}", *["--follow"] * follow)

    def _control(self, *arguments: str) -> None:
        _do("systemctl", "--user", *arguments, remedy="log in as this user, or see "
            "`journalctl --user --unit indexfallback`")  # fmt: skip


class _Launchd:
    kind = "launchd agent"

    def __init__(self, file: Path, logs: Path) -> None:
        self.file = file
        self.place = str(file)
        self._log = logs / "indexfallback.log"
        self._domain = f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"

    def text(self, job: Job) -> str:
        return agent(job, str(self._log))

    def install(self, job: Job) -> None:
        if self.file.exists():
            self.stop()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        _write(self.file, self.text(job))
        self.start()

    def uninstall(self) -> bool:
        if not self.file.exists():
            return False
        self.stop()
        self.file.unlink()
        return True

    def works(self) -> bool:
        return _succeeds("launchctl", "print", self._domain)

    def start(self) -> None:
        _do("launchctl", "bootstrap", self._domain, str(self.file), remedy=f"see {self._log}")

    def stop(self) -> None:
        _ask("launchctl", "bootout", self._service)  # fails if it does not run

    def state(self) -> str | None:
        if not self.file.exists():
            return None
        return "not loaded" if _ask("launchctl", "print", self._service).returncode else "loaded"

    def show_logs(self, *, lines: int, follow: bool) -> None:
        _show("tail", "-n", str(lines), *["-F"] * follow, str(self._log))

    @property
    def _service(self) -> str:
        return f"{self._domain}/{AGENT.removesuffix('.plist')}"


class _TaskScheduler:
    kind = "scheduled task"
    place = TASK

    def text(self, job: Job) -> str:
        domain = os.environ.get("USERDOMAIN", "")
        return task(job, f"{domain}\\{getpass.getuser()}" if domain else getpass.getuser())

    def install(self, job: Job) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, "task.xml")
            file.write_text(self.text(job), encoding="utf-16")
            self._control("/Create", "/XML", str(file), "/F")
        self.stop()
        self.start()

    def uninstall(self) -> bool:
        if self.state() is None:
            return False
        self.stop()
        self._control("/Delete", "/F")
        return True

    def works(self) -> bool:
        return _succeeds("schtasks", "/Query")

    def start(self) -> None:
        self._control("/Run")

    def stop(self) -> None:
        _ask("schtasks", "/End", "/TN", TASK)  # fails if it does not run

    def state(self) -> str | None:
        # The output is in the language of the system.
        return None if _ask("schtasks", "/Query", "/TN", TASK).returncode else "registered"

    def show_logs(self, *, lines: int, follow: bool) -> None:  # noqa: ARG002 - there is no log
        raise ServiceError(
            "service logs", "a scheduled task has no log",
            "run `indexfallback service uninstall`, then `indexfallback serve -v`",
        )  # fmt: skip

    def _control(self, action: str, *arguments: str) -> None:
        _do("schtasks", action, "/TN", TASK, *arguments, remedy="see the task in taskschd.msc")


def _write(file: Path, text: str) -> None:
    """Write a file that only its owner can read: the variables of proxies may have passwords."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text, encoding="utf-8")


def _do(*command: str, remedy: str) -> None:
    done = _ask(*command)
    if done.returncode:
        cause = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise ServiceError(" ".join(command), " ".join(cause.split()), remedy)


def _succeeds(*command: str) -> bool:
    try:
        return _ask(*command).returncode == 0
    except ServiceError:  # it cannot be run, or does not end
        return False


def _ask(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of the system, and return its output."""
    try:
        return subprocess.run(  # noqa: S603 - fixed programs, our own arguments
            command, check=False, capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        cause = f"it did not end within {_SECONDS:.0f} s"
        raise ServiceError(" ".join(command), cause, "run it yourself to see why") from None
    except OSError as error:
        raise _missing(command, error) from None


def _show(*command: str) -> None:
    """Run a program that prints to the terminal, until it ends or Ctrl-C."""
    try:
        subprocess.run(command, check=False)  # noqa: S603 - as above
    except KeyboardInterrupt:  # ends --follow
        return
    except OSError as error:
        raise _missing(command, error) from None


def _missing(command: Sequence[str], error: OSError) -> ServiceError:
    return ServiceError(
        " ".join(command), f"{command[0]} cannot be run ({error.strerror})", _WITHOUT
    )  # fmt: skip
