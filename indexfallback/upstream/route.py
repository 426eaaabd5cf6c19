"""Tells whether this machine has a route to any other, from its routing table."""

import contextlib
import socket

from indexfallback.process.machine import fault_of

#: Addresses for documentation (RFC 5737, RFC 3849), which no machine has.
_UNASSIGNED = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def has_route() -> bool:
    """Tell whether this machine has a route to any other, as far as it can; nothing is sent."""
    for family, address in _UNASSIGNED:
        try:
            probe = socket.socket(family, socket.SOCK_DGRAM)
        except OSError as error:
            if fault_of(error) is not None:
                return True  # that it has run out of handles tells nothing of the network
            continue  # the protocol is not supported
        with probe, contextlib.suppress(OSError):  # no route: try the other one
            probe.connect((address, 9))
            return True
    return False


def shortage() -> str | None:
    """Return what this machine has run out of now, and the remedy, or None.

    A resolver that cannot open a socket says only that the host is unknown.
    """
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError as error:
        return fault_of(error)
    return None
