"""Checks of the network: the offline state, and proxies between client and shim."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from indexfallback.doctor.finding import Cause, Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine

#: Variables with the proxy for http addresses, such as the shim's.
_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
#: Variables with the hosts that need no proxy; the first one set counts.
_EXCEPTIONS = ("no_proxy", "NO_PROXY")


def offline(machine: Machine) -> Iterator[Finding]:
    """Find that the shim is offline."""
    cause = machine.offline_state.presumed
    if cause is not None:
        what = f"{cause.words}: only cached projects and files are available"
        yield warn("offline", what, cause.remedy.rstrip("."), states=Cause.NETWORK)
    elif machine.offline_state.detects_network:
        yield ok("offline", "the indexes are asked")
    else:
        yield ok("offline", "off: the indexes are asked, network or not")


def proxies(machine: Machine) -> Iterator[Finding]:
    """Find proxies that would receive the clients' requests to the shim."""
    found = False
    for option in machine.pip_options("proxy"):
        found = True
        yield fail(
            "proxy",
            f"{option.where} sets proxy, which pip uses for 127.0.0.1 as well, despite NO_PROXY",
            "Remove it there, and set HTTPS_PROXY and NO_PROXY=127.0.0.1,localhost instead",
        )
    name = next((name for name in _PROXIES if machine.environ.get(name)), None)
    if name is not None and not _is_excepted(machine):
        found = True
        tell = fail if machine.pointed else warn
        yield tell(
            "proxy",
            f"{name} also applies to requests to {machine.shim}, except in `indexfallback run`",
            _exception(machine),
        )
    if not found:
        yield ok("proxy", "none applies to requests to the shim")


def _exception(machine: Machine) -> str:
    """Return the command that excepts this machine, in the variable that is set."""
    name = next((name for name in _EXCEPTIONS if machine.environ.get(name)), None)
    if name is None:
        return "export NO_PROXY=127.0.0.1,localhost"
    return f'export {name}="${name},127.0.0.1,localhost"'


def _is_excepted(machine: Machine) -> bool:
    host = machine.settings.host
    listed = next(filter(None, map(machine.environ.get, _EXCEPTIONS)), "")
    return any(_matches(part.strip(), host) for part in listed.split(","))


def _matches(part: str, host: str) -> bool:
    if part in ("*", host) or part.rpartition(":")[0] == host:
        return True
    try:
        return ip_address(host) in ip_network(part)
    except ValueError:  # a host name
        return False


CHECKS = (offline, proxies)
