"""Pools of HTTP connections that check the address of the peer and limit the time for headers.

One time limit covers all headers of an answer: the library restarts its limit with each byte, and
would wait for hours for a server that sends one byte a second.
"""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import requests
import requests.adapters
import urllib3

from indexfallback.upstream.trust import context_of
from indexfallback.upstream.watchdog import Watchdog

#: Idle connections kept to one host: half of what pip, uv and a browser open at the same time.
POOL_SIZE = 24

#: The part of a URL after the host, without the fragment (RFC 3986, appendix B).
_AFTER_HOST = re.compile(r"[^:]*://[^/?#]*([^#]*)")

#: One for all connections of the process.
_watchdog = Watchdog()


class StaleConnectionError(ConnectionError):
    """A reused connection broke; usually the server has closed it in the meantime."""


#: Takes a host and the IP address that a new connection to it has; raises OSError if nothing may be
#: sent there.
CheckPeer = Callable[[str, str], None]


class _HTTPConnection(urllib3.connection.HTTPConnection):
    """A connection with one time limit for all headers of an answer."""

    _answered = False

    def __init__(self, *args: Any, check_peer: CheckPeer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._check_peer = check_peer

    def _new_conn(self) -> socket.socket:
        """Return a new socket, whose peer is checked before anything is sent.

        The address is the one of the socket: a second lookup of the name might return another.
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
        """Connect; the new connection has not answered yet."""
        super().connect()
        self._answered = False

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own
        """Return the answer as soon as its headers have arrived; raises TimeoutError."""
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
                raise StaleConnectionError(*error.args) from error
            raise
        finally:
            _watchdog.cancel(watched)
        if late.is_set():  # the library takes truncated headers for complete ones
            answer.close()
            raise TimeoutError
        self._answered = True
        return answer


class _HTTPSConnection(_HTTPConnection, urllib3.connection.HTTPSConnection):
    """The same with TLS."""


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class Adapter(requests.adapters.HTTPAdapter):
    """Uses these pools, with one TLS context rather than a CA bundle read for each connection."""

    def __init__(self, ca_bundle: Path | None, check_peer: CheckPeer | None) -> None:
        self._ca_bundle = ca_bundle
        self._check_peer = check_peer
        super().__init__(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE, max_retries=0)

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The TLS context; the first use reads the CA bundle, which takes 20 ms of CPU."""
        return context_of(self._ca_bundle)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give the context to every pool with TLS."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools(self._check_peer)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Give the context to every pool behind a proxy; its address is the user's choice."""
        manager = super().proxy_manager_for(*args, ssl_context=self.context, **kwargs)
        manager.pool_classes_by_scheme = self._pools(None)
        return manager

    def _pools(
        self, check_peer: CheckPeer | None
    ) -> dict[str, Callable[..., urllib3.HTTPConnectionPool]]:
        """Return the constructor of a pool for each scheme."""

        def with_tls(*args: Any, **kwargs: Any) -> _HTTPSPool:
            kwargs["ssl_context"] = self.context
            return _HTTPSPool(*args, check_peer=check_peer, **kwargs)

        return {"http": partial(_HTTPPool, check_peer=check_peer), "https": with_tls}

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return the request target; the whole URL for a proxy that forwards HTTP."""
        url = super().request_url(request, proxies)
        return request_target(str(request.url)) if url.startswith("/") else url

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave verification to the context."""


def request_target(url: str) -> str:
    """Return the request target of a URL (RFC 9112, 3.2.1), with its exact spelling.

    To split and join the URL would drop an empty query, and change the number of slashes after the
    host, depending on the versions of Python and `requests`. Segments of dots are resolved, which
    every client does (RFC 3986, 5.2.4), and not every server.
    """
    found = _AFTER_HOST.match(url)
    target = found[1] if found else ""
    if "/." in target:
        target = _without_dots(target)
    return target if target.startswith("/") else f"/{target}"


def _without_dots(target: str) -> str:
    path, question, query = target.partition("?")
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept[1:] = kept[1:-1]
        elif segment != ".":
            kept.append(segment)
    end = "/" if path.endswith(("/.", "/..")) else ""
    return f"{'/'.join(kept)}{end}{question}{query}"
