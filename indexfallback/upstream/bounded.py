"""Connections that are bounded: which addresses they may reach, and how long headers may take.

The headers of an answer have to arrive within one limit, all together: the library begins its
limit anew with each byte, and waits for hours for a server that sends one a second.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import urllib3

from indexfallback.upstream.watchdog import Watchdog

#: One for all connections of the process.
_watchdog = Watchdog()


class KeptError(ConnectionError):
    """A kept connection broke, as it does when its other side has closed it meanwhile."""


#: Takes a host and the IP address that a new connection to it has reached; raises OSError if
#: nothing may be sent there.
CheckPeer = Callable[[str, str], None]


class _Plain(urllib3.connection.HTTPConnection):
    """Bounds an answer's headers as a whole: each byte of them would begin the limit anew."""

    _answered = False

    def __init__(self, *args: Any, check_peer: CheckPeer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._check_peer = check_peer

    def _new_conn(self) -> socket.socket:
        """Return a new socket, checked before TLS or a request is sent by it.

        The address is the socket's own: a second lookup of the name might give another.
        """
        sock = super()._new_conn()
        try:
            if self._check_peer is not None:
                self._check_peer(self.host, sock.getpeername()[0])
        except OSError:
            sock.close()
            raise
        return sock

    def connect(self) -> None:
        """Connect, with nothing answered yet."""
        super().connect()
        self._answered = False

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own
        """Return the answer as soon as its headers are there; raises TimeoutError."""
        late = threading.Event()
        sock = self.sock

        def stop() -> None:
            late.set()
            with contextlib.suppress(OSError):  # closed already
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

        watched = _watchdog.watch(float(self.timeout), stop)  # type: ignore[arg-type]  # always set
        try:
            answer = super().getresponse()
        except Exception as error:
            if late.is_set():
                raise TimeoutError from None
            if self._answered and isinstance(error, ConnectionError):
                raise KeptError(*error.args) from error
            raise
        finally:
            _watchdog.cancel(watched)
        if late.is_set():  # to the library, headers that break off are whole
            answer.close()
            raise TimeoutError
        self._answered = True
        return answer


class _Secure(_Plain, urllib3.connection.HTTPSConnection):
    """The same with TLS."""


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


def pools(check_peer: CheckPeer | None) -> dict[str, Callable[..., urllib3.HTTPConnectionPool]]:
    """Return by scheme what makes pools of such connections."""
    return {
        "http": partial(_PlainPool, check_peer=check_peer),
        "https": partial(_SecurePool, check_peer=check_peer),
    }
