"""Whether this machine has a way to anywhere, as its routing table says."""

import socket

#: Addresses that nobody has (RFC 5737 and 3849): to ask the routing table, nothing is sent.
_NOBODY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def has_route() -> bool:
    """Tell whether this machine has a route to anywhere outside; nothing is sent."""
    for family, address in _NOBODY:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:  # no route, or no such protocol: ask for the other one
            continue
        return True
    return False
