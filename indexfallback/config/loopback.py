"""Loopback hosts: those that only this machine can connect to."""

import functools
import ipaddress

_NAMES = frozenset({"localhost", "localhost.localdomain"})


#: Characters of the longest host name (RFC 1035, 2.3.4), and brackets.
_LONGEST = 255


def is_loopback(host: str) -> bool:
    """Tell whether a host name or an IP address is on the loopback interface."""
    return len(host) <= _LONGEST and _is_loopback(host)


@functools.lru_cache(maxsize=64)
def _is_loopback(host: str) -> bool:
    bare = host.strip("[]")
    if bare.lower() in _NAMES:
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:  # a host name
        return False
