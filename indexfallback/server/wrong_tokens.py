"""Wrong tokens, counted for each client: after some within a minute the answer is 429.

Only wrong tokens are counted, and only they are refused: an office behind one address goes on with
its right tokens while a job there tries a wrong one. Each token is therefore looked up, which costs
a hash and one read of an index, the same for every wrong one; nothing is written for it, and it is
random, so that no number of tries finds one. The limit tells a client to stop.

Locks: ``_lock`` guards the counts; there is no I/O under it.
"""

import math
import threading
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from indexfallback.memory.table import Table

#: Wrong tokens of one client within `SECONDS`: pip tries one twice, and a person mistypes a few.
MOST = 10
SECONDS = 60.0
#: The network that one customer of a provider has in IPv6 (RFC 6177).
_PREFIX = 64


class _Count(NamedTuple):
    #: When the first of them was tried, on the clock.
    began: float
    number: int


class WrongTokens:
    """The wrong tokens of the last minute, by client."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Count by a monotonic ``clock``."""
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Table[str, _Count] = Table("server.wrong_tokens.WrongTokens._counts")

    def tried(self, address: str) -> int:
        """Count a wrong token of a client; return the whole seconds that it is to wait.

        It is 0 for the first `MOST` within `SECONDS`.
        """
        client, now = _client(address), self._clock()
        with self._lock:
            count = self._counts.get(client)
            if count is None or now - count.began >= SECONDS:
                count = _Count(now, 0)
            count = count._replace(number=count.number + 1)
            self._counts.put(client, count)
        return math.ceil(count.began + SECONDS - now) if count.number > MOST else 0


def _client(address: str) -> str:
    """Return what one client can send from: its address, or in IPv6 its network."""
    try:
        ip = ip_address(address)
    except ValueError:  # a Unix socket has no address
        return address
    if not isinstance(ip, IPv6Address):
        return address
    return str(ip.ipv4_mapped or ip_network((int(ip), _PREFIX), strict=False))
