"""File handles: as many as the system allows, and no more clients at once than these suffice for.

Clients beyond that wait in the system's queue of connections; without a bound, files and
connections to indexes would fail in the middle of an answer.
"""

import sys

if sys.platform != "win32":
    import resource

#: Handles that are asked for at most: beyond that, some systems' select() and loops over all
#: handles get slow. A thousand clients need three thousand.
ENOUGH = 16_384
#: Handles of the process itself: database, log, libraries, pools of connections to indexes.
_OWN = 64
#: Handles of one client: its connection, and the file that it reads or the two ends of a transfer.
_OF_A_CLIENT = 3
#: Clients at once, however few handles there are.
_LEAST_CLIENTS = 4


def raise_limit() -> int:
    """Raise the limit of handles as far as it goes, and return it."""
    if sys.platform == "win32":
        return ENOUGH  # sockets are no handles of the C library there
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return ENOUGH if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS states no hard limit and has one, kern.maxfilesperproc
        return soft
    return wanted


def clients_at_once(handles: int, most: int) -> int:
    """Return how many clients may be connected at once, at most ``most``."""
    return max(_LEAST_CLIENTS, min(most, (handles - _OWN) // _OF_A_CLIENT))
