"""The proxy: accepts connections of the run's programs, checks the password, tells them apart.

Each client connection has a daemon thread; they end with the process. Every wait in them has a
limit, so that the bound on their number cannot block the proxy for ever.
"""

import contextlib
import hmac
import logging
import secrets
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Collection
from http import HTTPStatus

from indexfallback.tunnel.answers import LOGIN, problem
from indexfallback.tunnel.client_hello import NotClientHelloError, fingerprint
from indexfallback.tunnel.exchange import Exchange
from indexfallback.tunnel.heads import HeadError, RequestHead, parse_request
from indexfallback.tunnel.origins import Origin
from indexfallback.tunnel.outbound import NotConnectedError, Outbound
from indexfallback.tunnel.peer import SILENCE_SECONDS
from indexfallback.tunnel.relay import relay
from indexfallback.tunnel.report import Activity
from indexfallback.tunnel.requests import (
    origin_to_connect,
    request_to_origin,
    request_to_proxy,
)
from indexfallback.tunnel.shim import ShimConnections
from indexfallback.tunnel.streams import Stream

log = logging.getLogger("indexfallback.tunnel")

#: The user name in the proxy's address.
USER = "indexfallback"
#: Connections at the same time; uv opens 142.
_MOST_CONNECTIONS = 512
#: Connections that may wait to be accepted.
_BACKLOG = 1024
#: A client may leave a connection idle for so long, seconds; then it opens a new one.
_IDLE_SECONDS = 120.0
#: Limit for a head that has begun, and for a TLS handshake, seconds.
_HEAD_SECONDS = 30.0
#: Between two looks at a ClientHello that has arrived in part, seconds: no event tells of more.
_PEEK_SECONDS = 0.005
#: Largest ClientHello, with room for its headers, bytes.
_PEEK_SIZE = 80 * 1024
#: The alerts by which a client says that it does not trust a certificate (RFC 8446, 6.2), as
#: OpenSSL names them.
_DISTRUST = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "UNSUPPORTED_CERTIFICATE",
             "CERTIFICATE_EXPIRED", "ACCESS_DENIED", "DECRYPT_ERROR")  # fmt: skip


class Proxy:
    """Serves an HTTP proxy on a free port of 127.0.0.1 for those that know its password."""

    def __init__(
        self,
        origins: Collection[Origin],
        shim: ShimConnections,
        outbound: Outbound,
        tls: ssl.SSLContext,
        activity: Activity,
    ) -> None:
        self.secret = secrets.token_urlsafe(32)
        login = b64encode(f"{USER}:{self.secret}".encode())
        self._login = login
        self._origins = frozenset(origins)
        self._shim = shim
        self._outbound = outbound
        self._tls = tls
        self._activity = activity
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._closed = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port = int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Accept connections from now on, in a thread that ends with the process."""
        threading.Thread(target=self._accept, name="tunnel-accept", daemon=True).start()

    def close(self) -> None:
        """Stop accepting connections."""
        self._closed.set()
        with contextlib.suppress(OSError):  # not every system allows it; it wakes accept()
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._shim.close()

    def _accept(self) -> None:
        while True:
            self._free.acquire()
            try:
                sock, _ = self._socket.accept()
            except OSError as error:
                self._free.release()
                if self._closed.is_set():
                    return
                log.warning("the tunnel cannot accept a connection: %s", error)
                time.sleep(_PEEK_SECONDS)  # such as no free file handle, until a connection ends
                continue
            thread = threading.Thread(
                target=self._serve, args=(sock,), name="tunnel-client", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # the system allows no more threads
                log.warning("the tunnel cannot serve a connection: %s", error)
                sock.close()
                self._free.release()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(Stream(sock, exact=True))
        except OSError as error:  # the client has gone, or its answer broke off
            log.debug("a connection ended: %s", error)
        finally:
            self._free.release()

    def _converse(self, client: Stream) -> None:
        """Answer requests to the proxy until the client leaves or asks for a tunnel."""
        with contextlib.closing(self._exchange(client)) as exchange:
            known = False
            while head := _read_request(client):
                if not self._is_known(head):
                    self._activity.count("strangers")
                    detail = "this proxy is for the programs of one `indexfallback run`"
                    status = HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
                    client.sock.sendall(problem(status, detail, fields=[LOGIN]))
                    break
                if not known:
                    self._activity.count("connections")
                    known = True
                if head.method == "CONNECT":
                    self._connect(client, head)
                    return
                try:
                    request = request_to_proxy(head)
                except ValueError as error:
                    client.sock.sendall(problem(HTTPStatus.BAD_REQUEST, str(error)))
                    break
                if not exchange.answer(request, intercepted=request.origin in self._origins):
                    break
            exchange.linger()

    def _exchange(self, client: Stream) -> Exchange:
        return Exchange(client, self._shim, self._outbound, self._activity)

    def _is_known(self, head: RequestHead) -> bool:
        scheme, _, login = head.get("proxy-authorization").partition(" ")
        is_right = hmac.compare_digest(login.strip().encode("latin-1"), self._login)
        return is_right and scheme.lower() == "basic"

    # -- CONNECT

    def _connect(self, client: Stream, head: RequestHead) -> None:
        try:
            target = origin_to_connect(head)
        except ValueError:
            client.sock.sendall(problem(HTTPStatus.BAD_REQUEST, "CONNECT needs host and port"))
            return
        if target in self._origins:
            client.sock.sendall(_CONNECTED)
            if self._intercept(client.sock, target, head.get("user-agent")):
                return
            self._relay(client.sock, target, answered=True)
        else:
            self._relay(client.sock, target, answered=False)

    def _relay(self, client: socket.socket, target: Origin, *, answered: bool) -> None:
        self._activity.count("relayed")
        try:
            server = self._outbound.relay_to(target)
        except NotConnectedError as error:
            self._activity.count("failed")
            log.info("%s", error)
            if not answered:
                client.sendall(problem(HTTPStatus.BAD_GATEWAY, str(error)))
            return
        if not answered:
            client.sendall(_CONNECTED)
        relay(client, server)

    def _intercept(self, client: socket.socket, origin: Origin, program: str) -> bool:
        """Answer for an origin; return False if the connection is to be relayed unchanged."""
        try:
            mark = _fingerprint(client)
        except NotClientHelloError:
            return False
        if self._activity.goes_past(str(origin), mark):
            return False
        client.settimeout(_HEAD_SECONDS)
        try:
            secure = self._tls.wrap_socket(client, server_side=True)
        except OSError as error:
            reason = getattr(error, "reason", None) or ""
            said_so = any(word in reason for word in _DISTRUST)
            log.info("%s: a client has refused the certificate: %s", origin, error)
            if not isinstance(error, TimeoutError):
                self._activity.refused(str(origin), mark, program, said_so=said_so)
            return True
        with secure:
            self._activity.accepted(mark)
            self._answer_all(Stream(secure), origin)
        return True

    def _answer_all(self, client: Stream, origin: Origin) -> None:
        with contextlib.closing(self._exchange(client)) as exchange:
            while head := _read_request(client):
                try:
                    request = request_to_origin(head, origin)
                except ValueError as error:
                    client.sock.sendall(problem(HTTPStatus.BAD_REQUEST, str(error)))
                    break
                if not exchange.answer(request, intercepted=True):
                    break
            exchange.linger()


_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def _read_request(client: Stream) -> RequestHead | None:
    """Return the next request, or None if the client has closed the connection or is idle."""
    try:
        data = client.read_head(_IDLE_SECONDS, _HEAD_SECONDS)
        head = parse_request(data) if data else None
        if head is not None:
            head.length  # noqa: B018 - raises for a body whose end is not known
    except HeadError as error:
        client.sock.sendall(problem(HTTPStatus.BAD_REQUEST, str(error)))
        return None
    client.sock.settimeout(SILENCE_SECONDS)
    return head


def _fingerprint(client: socket.socket) -> str:
    """Return the mark of the program by its ClientHello, which stays to be received."""
    ends = time.monotonic() + _HEAD_SECONDS
    client.settimeout(_HEAD_SECONDS)
    while True:
        arrived = client.recv(_PEEK_SIZE, socket.MSG_PEEK)
        if not arrived:
            raise ConnectionAbortedError("closed before the TLS handshake")
        found = fingerprint(arrived)
        if found is not None:
            return found
        if time.monotonic() > ends:
            raise TimeoutError("no complete ClientHello in time")
        time.sleep(_PEEK_SECONDS)
