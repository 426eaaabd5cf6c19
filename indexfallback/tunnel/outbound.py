"""Connections to the shim and to real hosts, by the user's proxy where there is one."""

import socket
import ssl
from collections.abc import Callable

from indexfallback.tunnel.heads import HeadError, parse_response, write_head
from indexfallback.tunnel.origins import Origin
from indexfallback.tunnel.route import ProxyAddress, Route
from indexfallback.tunnel.streams import Stream

#: Limit for each address of a host, seconds: below pip's time-out, 15 s.
_CONNECT_SECONDS = 10.0
#: Limit for a proxy's answer and for a TLS handshake: the proxy may look up names first.
_HANDSHAKE_SECONDS = 30.0


class NotConnectedError(Exception):
    """A host could not be connected to; the message says which one, and why."""


class Outbound:
    """Opens connections to real hosts.

    ``make_context`` returns the TLS context with what the user trusts; it is called once.
    """

    def __init__(self, route: Route, make_context: Callable[[], ssl.SSLContext]) -> None:
        self.route = route
        self._make_context = make_context
        self._context: ssl.SSLContext | None = None

    def relay_to(self, target: Origin) -> socket.socket:
        """Return a connection to a host and port whose bytes are the client's own."""
        proxy = self.route.proxy_for(target)
        if proxy is None:
            return connect(target.host, target.port)
        sock = _connect_proxy(proxy)
        try:
            _ask_proxy(sock, proxy, target)
        except NotConnectedError:
            sock.close()
            raise
        return sock

    def open(self, target: Origin) -> tuple[Stream, ProxyAddress | None]:
        """Return a connection for requests to an origin.

        A proxy in the result expects requests with the whole address (RFC 9112, 3.2.2).
        """
        if target.scheme == "http":
            proxy = self.route.proxy_for(target)
            sock = _connect_proxy(proxy) if proxy else connect(target.host, target.port)
            return Stream(sock), proxy
        return Stream(self._secure(self.relay_to(target), target)), None

    def _secure(self, sock: socket.socket, target: Origin) -> ssl.SSLSocket:
        context = self._context
        if context is None:
            # Two threads may both make one, which is harmless.
            context = self._context = self._make_context()
        sock.settimeout(_HANDSHAKE_SECONDS)
        try:
            return context.wrap_socket(sock, server_hostname=target.host)
        except (OSError, ValueError) as error:  # the latter for a host that cannot be a name
            sock.close()
            raise NotConnectedError(f"TLS with {target.authority} failed: {_why(error)}") from error


def connect(host: str, port: int) -> socket.socket:
    """Connect to a host; raises `NotConnectedError`."""
    try:
        sock = socket.create_connection((host, port), _CONNECT_SECONDS)
    except (OSError, UnicodeError) as error:  # the latter for a host that cannot be a name
        raise NotConnectedError(f"{host}:{port} cannot be connected to: {_why(error)}") from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _connect_proxy(proxy: ProxyAddress) -> socket.socket:
    try:
        return connect(proxy.host, proxy.port)
    except NotConnectedError as error:
        raise NotConnectedError(f"the proxy {error}") from error


def _ask_proxy(sock: socket.socket, proxy: ProxyAddress, target: Origin) -> None:
    host = f"[{target.host}]" if ":" in target.host else target.host
    where = f"{host}:{target.port}"
    stream = Stream(sock, exact=True)
    try:
        sock.sendall(write_head(f"CONNECT {where} HTTP/1.1", [("Host", where), *proxy.fields]))
        data = stream.read_head(_HANDSHAKE_SECONDS, _HANDSHAKE_SECONDS)
        answer = parse_response(data) if data else None
    except (OSError, HeadError) as error:
        raise NotConnectedError(f"the proxy {proxy} failed: {_why(error)}") from error
    if answer is None:
        raise NotConnectedError(f"the proxy {proxy} closed the connection to {where}")
    if answer.status // 100 != 2:  # noqa: PLR2004 - successful, RFC 9110, 15.3
        raise NotConnectedError(
            f"the proxy {proxy} refused {where}: {answer.status} {answer.reason}".rstrip()
        )


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
