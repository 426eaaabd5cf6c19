"""The shim itself: it runs where clients look for it, as this version and configuration."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine

_START = "indexfallback serve, or at each login: indexfallback service install"
_RESTART = "Stop it and start it again"


def is_there(machine: Machine) -> Iterator[Finding]:
    """Find a shim that clients are pointed at and that does not run, or another one."""
    health = machine.health
    if health is None and machine.is_port_taken:
        yield fail(
            "shim",
            f"{machine.shim} is taken by another program",
            "Stop that, or set server.port, and set the clients up again",
        )
    elif health is None and machine.pointed:
        yield fail(
            "shim",
            f"none runs on {machine.shim}, where clients look for one "
            f"({', '.join(machine.pointed)}): each project costs pip 7.5 s and is then not found",
            _START,
        )
    elif health is None:
        yield ok("shim", f"none runs on {machine.shim}, and no client looks for one there")
    elif health.get("version") != machine.version:
        what = f"version {health.get('version')} runs, and this is {machine.version}"
        yield warn("shim", f"{what} (process {health.get('pid')})", _RESTART)
    elif health.get("configuration") != machine.settings.fingerprint:
        what = f"it runs with another configuration than this one (process {health.get('pid')})"
        yield warn("shim", what, _RESTART)
    else:
        yield ok("shim", f"version {machine.version} runs on {machine.shim}")


CHECKS = (is_there,)
