"""The ways to keep a shim running for clients that are set up: the service, or the background."""

import time
from dataclasses import dataclass
from typing import Protocol

from indexfallback.cli import background
from indexfallback.cli.options import Options
from indexfallback.cli.output import tilde
from indexfallback.cli.running import found, root
from indexfallback.cli.service import job_of, wait_for_shim, warn_about_passwords
from indexfallback.config import Settings
from indexfallback.service.manager import Manager, ServiceError, manager


class Way(Protocol):
    """A way to keep a shim running. Both methods raise an `IndexFallbackError`."""

    #: Its name in the record of ``init``.
    name: str

    @property
    def what(self) -> str:
        """How the shim runs, for a message."""
        ...

    def start(self, options: Options, settings: Settings) -> None:
        """Start a shim with these options; return when it answers. ``settings`` are its own."""
        ...

    def stop(self, settings: Settings) -> None:
        """Stop the shim, if it runs; return when it has ended."""
        ...


@dataclass(frozen=True)
class Background:
    """A process of its own, which ends with the machine."""

    name = "background"

    @property
    def what(self) -> str:
        """How the shim runs, for a message."""
        return "in the background, until the machine stops"

    def start(self, options: Options, settings: Settings) -> None:
        """Start the process."""
        background.start([*options.as_arguments(), "serve", "--port", str(settings.port)], settings)

    def stop(self, settings: Settings) -> None:
        """End the process."""
        background.stop(settings)


@dataclass(frozen=True)
class Service:
    """The job of the service manager that is installed already."""

    system: Manager
    name = "service"

    @property
    def what(self) -> str:
        """How the shim runs, for a message."""
        return f"at each login, as {self.system.kind} {tilde(self.system.place)}"

    def start(self, options: Options, settings: Settings) -> None:  # noqa: ARG002 - the job's own
        """Start the job."""
        self.system.start()
        wait_for_shim(settings)

    def stop(self, settings: Settings) -> None:
        """Stop the job until the next login."""
        self.system.stop()
        _wait_for_end(settings)


@dataclass(frozen=True)
class Installation(Service):
    """The job of the service manager, which is installed to start, and removed to stop."""

    name = "installation"

    def start(self, options: Options, settings: Settings) -> None:
        """Install the job, and start it."""
        warn_about_passwords(settings)
        self.system.install(job_of(options, settings))
        wait_for_shim(settings)

    def stop(self, settings: Settings) -> None:
        """Stop the job, and remove it."""
        self.system.uninstall()
        _wait_for_end(settings)


def best_way() -> Way:
    """Return the way for this user: the service manager if it works, else the background."""
    try:
        system = manager()
    except ServiceError:  # the system has none
        return Background()
    if not system.works():
        return Background()
    return Service(system) if system.state() is not None else Installation(system)


def way_named(name: str) -> Way:
    """Return the way with a name from the record of ``init``."""
    if name == Background.name:
        return Background()
    kind = Installation if name == Installation.name else Service
    return kind(manager())


def way_of(pid: int, settings: Settings) -> Way | None:
    """Return the way in which a shim of this user runs; None for one of a terminal or script."""
    try:
        if background.pid_file(settings.port).read_text("ascii").strip() == str(pid):
            return Background()
    except (OSError, ValueError):  # none was started in the background
        pass
    way = best_way()
    return way if way.name == Service.name else None


def _wait_for_end(settings: Settings) -> None:
    ends = time.monotonic() + background.STOP_SECONDS
    while found(settings) is not None:
        if time.monotonic() > ends:
            raise ServiceError(root(settings), "the shim does not end", "stop it yourself")
        time.sleep(0.05)  # another process gives no event to wait for
