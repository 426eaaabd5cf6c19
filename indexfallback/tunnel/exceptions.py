"""NO_PROXY: the hosts that are connected to without a proxy.

There is no standard. This is the rule of most clients: an entry is ``*``, a host, a domain with or
without the dot in front, whose subdomains it holds as well, an IP address, or a network
(``10.0.0.0/8``); each but ``*`` may have a port (``example.com:8080``).
"""

import ipaddress
from collections.abc import Iterable

from indexfallback.tunnel.origins import ip_address


def entries(value: str) -> list[str]:
    """Return the entries of a value of NO_PROXY, which commas or spaces separate."""
    return value.replace(",", " ").split()


def is_excepted(host: str, port: int, excepted: Iterable[str]) -> bool:
    """Tell whether an entry names a host, which is in lower case and without brackets."""
    return any(_matches(host, port, entry.lower()) for entry in excepted)


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    name, wanted = _split(entry)
    if wanted not in ("", str(port)):
        return False
    address = ip_address(host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(name, strict=False)
        except ValueError:  # a domain
            return False
    domain = name.removeprefix("*").lstrip(".").rstrip(".")
    return bool(domain) and f".{host.rstrip('.')}".endswith(f".{domain}")


def _split(entry: str) -> tuple[str, str]:
    """Return the host and the port of an entry."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    name, colon, port = entry.rpartition(":")
    if colon and ":" not in name:
        return name, port
    return entry, ""  # no port, or an IPv6 address without brackets
