"""Which hosts are this machine, for nobody else to reach."""

import functools
import ipaddress

_NAMES = frozenset({"localhost", "localhost.localdomain"})


@functools.lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Tell whether a host name or address literal is this machine's loopback."""
    bare = host.strip("[]")
    if bare.lower() in _NAMES:
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:  # a name
        return False
