"""Check of the shim: it runs at the clients' address, with this version and configuration."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine

_START = "indexfallback serve --background, or at each login: indexfallback service install"
_RESTART = "indexfallback serve --restart, or restart the service that runs it"


def is_there(machine: Machine) -> Iterator[Finding]:
    """Find a shim that clients use but that does not run, or one that is not this one."""
    health = machine.health
    if machine.other:
        yield _taken(machine)
    elif health is None and machine.pointed:
        yield fail(
            "shim",
            f"none runs on {machine.shim}, but clients use it ({', '.join(machine.pointed)}): "
            "pip waits 7.5 s for each project and then does not find it",
            _START,
        )
    elif health is None:
        yield ok("shim", f"none runs on {machine.shim}, and no client uses it")
    elif health.get("version") != machine.version:
        what = f"version {health.get('version')} runs, but this is {machine.version}"
        yield warn("shim", f"{what} (process {health.get('pid')})", _RESTART)
    elif not machine.has_settings:
        what = f"it runs with another configuration (process {health.get('pid')})"
        yield warn("shim", what, _RESTART)
    else:
        yield ok("shim", f"version {machine.version} runs on {machine.shim}")


def _taken(machine: Machine) -> Finding:
    holder = machine.holder
    what = f"{holder.words if holder else machine.other} uses {machine.shim}"
    if machine.pointed:
        what += f", and clients use it as an index ({', '.join(machine.pointed)})"
    remedy = "top it, or set server.port and set the clients up again"
    if holder is not None and holder.pid is not None:
        return fail("shim", what, f"S{remedy}")
    return fail("shim", what, f"`{machine.list_listeners}` names it: s{remedy}")


CHECKS = (is_there,)
