"""The system's own manager of services: systemd, launchd or the task scheduler."""

import getpass
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexfallback.errors import IndexFallbackError
from indexfallback.service.job import Job
from indexfallback.service.launchd import AGENT, agent
from indexfallback.service.systemd import UNIT, unit
from indexfallback.service.windows import TASK, task

#: A manager answers at once, or it hangs, seconds.
_SECONDS = 30.0


@dataclass(eq=False)
class ServiceError(IndexFallbackError):
    """The system's manager of services did not do what it was asked to."""

    command: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"`{self.command}` failed: {self.cause}; {self.remedy}"


class Manager(Protocol):
    """What has the system run a job at login. Each method raises `ServiceError`."""

    #: What the system calls what it runs: ``systemd user unit``.
    kind: str

    @property
    def place(self) -> str:
        """The file that says what is run, or the name that the system has for it."""
        ...

    def text(self, job: Job) -> str:
        """Return what is written for the job."""
        ...

    def install(self, job: Job) -> None:
        """Have the job run from now on, in place of what was installed before."""
        ...

    def uninstall(self) -> bool:
        """Stop the job and forget it; tell whether there was one."""
        ...

    def state(self) -> str | None:
        """Return what the system says of the job; None if it is not installed."""
        ...

    def show_logs(self, *, lines: int, follow: bool) -> None:
        """Print what the job wrote last, and with ``follow`` what it writes from now on."""
        ...


def manager(platform: str = sys.platform, home: Path | None = None) -> Manager:
    """Return the manager of this system.

    Raises:
        ServiceError: it has none that is known here.

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
        "service", f"no way to start programs at login is known here ({platform})",
        "start `indexfallback serve` in your own way",
    )  # fmt: skip


class _Systemd:
    kind = "systemd user unit"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.place = str(file)

    def text(self, job: Job) -> str:
        return unit(job)

    def install(self, job: Job) -> None:
        self._control("show-environment")  # nothing is written where there is no manager
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

    def state(self) -> str | None:
        if not self.file.exists():
            return None
        # It says so by its exit code too, where it is anything but active.
        return _ask("systemctl", "--user", "is-active", UNIT).stdout.strip() or "unknown"

    def show_logs(self, *, lines: int, follow: bool) -> None:
        _show("journalctl", "--user", "--unit", UNIT, f"--lines={lines}", *["--follow"] * follow)

    def _control(self, *arguments: str) -> None:
        _do("systemctl", "--user", *arguments, remedy="log in with a session of your own, or see "
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
            _ask("launchctl", "bootout", self._service)  # which fails where it does not run
        self._log.parent.mkdir(parents=True, exist_ok=True)
        _write(self.file, self.text(job))
        _do("launchctl", "bootstrap", self._domain, str(self.file), remedy=f"see {self._log}")

    def uninstall(self) -> bool:
        if not self.file.exists():
            return False
        _ask("launchctl", "bootout", self._service)  # as above
        self.file.unlink()
        return True

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
        _ask("schtasks", "/End", "/TN", TASK)  # which fails where it does not run
        self._control("/Run")

    def uninstall(self) -> bool:
        if self.state() is None:
            return False
        _ask("schtasks", "/End", "/TN", TASK)  # as above
        self._control("/Delete", "/F")
        return True

    def state(self) -> str | None:
        # What else it says is in the system's own language.
        return None if _ask("schtasks", "/Query", "/TN", TASK).returncode else "registered"

    def show_logs(self, *, lines: int, follow: bool) -> None:  # noqa: ARG002 - there is none
        raise ServiceError(
            "service logs", "a scheduled task keeps no log",
            "run `indexfallback service uninstall`, then `indexfallback serve -v` to see it",
        )  # fmt: skip

    def _control(self, action: str, *arguments: str) -> None:
        _do("schtasks", action, "/TN", TASK, *arguments, remedy="look at it in taskschd.msc")


def _write(file: Path, text: str) -> None:
    """Write a file that only its owner may read: proxies have passwords, too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text, encoding="utf-8")


def _do(*command: str, remedy: str) -> None:
    done = _ask(*command)
    if done.returncode:
        cause = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise ServiceError(" ".join(command), " ".join(cause.split()), remedy)


def _ask(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run one of the system's programs: the only way out to them, besides `_show`."""
    try:
        return subprocess.run(  # noqa: S603 - fixed programs, our own arguments
            command, check=False, capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ServiceError(" ".join(command), f"no end after {_SECONDS:.0f} s", "see why") from None
    except OSError as error:
        raise _missing(command, error) from None


def _show(*command: str) -> None:
    """Run a program that prints for the user until it, or the user, ends it."""
    try:
        subprocess.run(command, check=False)  # noqa: S603 - as above
    except KeyboardInterrupt:  # the way to end --follow
        return
    except OSError as error:
        raise _missing(command, error) from None


def _missing(command: Sequence[str], error: OSError) -> ServiceError:
    return ServiceError(
        " ".join(command), f"{command[0]} cannot be run ({error.strerror})",
        "start `indexfallback serve` in your own way",
    )  # fmt: skip
