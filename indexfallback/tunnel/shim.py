"""The connections to the shim, which all client connections of a tunnel share.

Each is used by one request at a time, and kept for the next one of any client: the shim proves on
each that it is this user's, and fifty proofs at once take longer than what they are opened for.

Locks: ``ShimConnections._lock`` guards ``_idle`` and ``_is_closed``.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from indexfallback.server.asking import NoAnswer, connect_to_own, login
from indexfallback.store.secret import Secret
from indexfallback.tunnel.origins import Origin
from indexfallback.tunnel.outbound import NotConnectedError
from indexfallback.tunnel.peer import Peer
from indexfallback.tunnel.streams import Stream

#: Limit for the shim's proof, seconds: it is asked by all clients at once.
_PROOF_SECONDS = 10.0


class ShimPlace(NamedTuple):
    """Where the shim listens."""

    origin: Origin
    #: The path of its root, with a slash at the end.
    root: str
    #: That of its user.
    secret: Secret


class ShimConnections:
    """Lends connections to one shim."""

    def __init__(self, place: ShimPlace) -> None:
        self.place = place
        #: The Authorization that the shim wants.
        self.login = login(place.secret)
        self._lock = threading.Lock()
        self._idle: list[Peer] = []
        self._is_closed = False

    @contextmanager
    def lend(self) -> Iterator[Peer]:
        """Lend a connection until the end of the block, by which its answer was read or closed."""
        with self._lock:
            peer = self._idle.pop() if self._idle else Peer(self._open)
        try:
            yield peer
        except BaseException:
            peer.close()
            raise
        with self._lock:
            if not self._is_closed:
                self._idle.append(peer)
                return
        peer.close()

    def close(self) -> None:
        """Close the connections, each that is lent when it is returned."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for peer in idle:
            peer.close()

    def _open(self, shim: Origin) -> tuple[Stream, None]:
        """Return a connection on which the shim has proven that it is this user's.

        If it has ended, another user's process may listen in its place, and must get no login.
        """
        try:
            sock = connect_to_own(str(shim), self.place.secret, _PROOF_SECONDS)
        except NoAnswer as error:
            raise NotConnectedError(str(error)) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Stream(sock), None
