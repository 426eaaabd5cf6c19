"""Tells whether this machine has a route to any other, from its routing table."""

import socket

#: Addresses for documentation (RFC 5737, RFC 3849), which no machine has.
_UNASSIGNED = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def has_route() -> bool:
    """Tell whether this machine has a route to any other; nothing is sent."""
    for family, address in _UNASSIGNED:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:  # no route, or the protocol is not supported: try the other one
            continue
        return True
    return False
