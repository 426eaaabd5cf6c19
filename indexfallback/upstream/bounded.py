"""Connections whose headers have to arrive within one limit, all together.

The library begins its limit anew with each byte, so that a server which sends one a second is
listened to for hours.
"""

import contextlib
import socket
import threading

import urllib3

from indexfallback.upstream.watchdog import Watchdog

#: One for all connections of the process.
_watchdog = Watchdog()


class KeptError(ConnectionError):
    """A kept connection broke, as it does when its other side has closed it meanwhile."""


class _Plain(urllib3.connection.HTTPConnection):
    """Bounds an answer's headers as a whole: each byte of them would begin the limit anew."""

    _answered = False

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


POOLS = {"http": _PlainPool, "https": _SecurePool}
