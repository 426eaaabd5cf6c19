"""What stands between clients, shim and indexes: certificates, and proxies that catch too much."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine

#: What clients take for the proxy of an http address, the shim's.
_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
#: What they take for the hosts that need none, the stronger first.
_EXCEPTIONS = ("no_proxy", "NO_PROXY")


def offline(machine: Machine) -> Iterator[Finding]:
    """Find why nothing new can be installed while nothing is broken."""
    cause = machine.offline_state.presumed
    if cause is not None:
        what = f"{cause.words}: what is not in the cache is not found, and new versions are hidden"
        yield warn("offline", what, cause.remedy.rstrip("."))
    elif machine.offline_state.heeds_network:
        yield ok("offline", "the indexes are asked")
    else:
        yield ok("offline", "off: the indexes are asked, network or not")


def certificates(machine: Machine) -> Iterator[Finding]:
    """Find a CA bundle that cannot be read."""
    bundle = machine.settings.ca_bundle
    if bundle is None:
        yield ok("certificates", "the system's store is used")
    elif machine.trust_problem:
        origin = machine.settings.origins.get("ca_bundle", "the settings")
        what = f"the CA bundle {bundle} ({origin}) cannot be used: {machine.trust_problem}"
        yield fail("certificates", what, "Correct it, or remove the setting for the system's store")
    else:
        yield ok("certificates", f"those in {bundle}")


def proxies(machine: Machine) -> Iterator[Finding]:
    """Find proxies that clients would ask for the shim."""
    found = False
    for option in machine.pip_options("proxy"):
        found = True
        yield fail(
            "proxy",
            f"{option.where} sets proxy, which pip asks for 127.0.0.1 too, whatever NO_PROXY says",
            "Remove it there, and set HTTPS_PROXY and NO_PROXY=127.0.0.1,localhost instead",
        )
    name = next((name for name in _PROXIES if machine.environ.get(name)), None)
    if name is not None and not _is_excepted(machine):
        found = True
        tell = fail if machine.pointed else warn
        yield tell(
            "proxy",
            f"{name} catches requests to {machine.shim} (not those of `indexfallback run`)",
            _exception(machine),
        )
    if not found:
        yield ok("proxy", "none catches requests to the shim")


def _exception(machine: Machine) -> str:
    """Return what excepts this machine; the spelling that is set is the one that counts."""
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
    except ValueError:  # names
        return False


CHECKS = (offline, certificates, proxies)
