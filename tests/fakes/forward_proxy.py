"""An HTTP proxy with a password that leads host names to ports of this machine.

Clients behind it use realistic addresses without a network, and can reach nothing else.
"""

import http.client
import socket
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing, suppress
from threading import Lock, Thread
from types import TracebackType
from typing import NamedTuple, final
from urllib.parse import quote, urlsplit

from tests.fakes.wire import Reply, Request, read_request, send

#: What is taken at once.
_PIECE = 64 * 1024
#: No client of a test is silent for longer, seconds.
_SILENT = 120.0
#: Every thread ends at once when its connections are shut, seconds.
_ENDS = 30.0
#: Headers of one connection, which a proxy does not pass on.
_OWN = ("proxy-authorization", "proxy-connection", "connection", "keep-alive", "te")


class Forwarded(NamedTuple):
    """A request to the proxy that had the password."""

    method: str
    #: ``host:port``, with the default port written out.
    authority: str


@final
class ForwardProxy:
    """``with ForwardProxy({"packages.example.com:443": index.port}) as proxy``."""

    def __init__(
        self, names: Mapping[str, int], *, username: str = "me", password: str = "p@ss/word"
    ) -> None:
        """Lead each ``host:port`` to a port on loopback; all other names do not exist."""
        #: May be changed at any time.
        self.names = dict(names)
        self._login = username, password
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._socket.getsockname()[1])
        # Guards all below.
        self._lock = Lock()
        self._forwarded: list[Forwarded] = []
        self._refused = 0
        self._open: set[socket.socket] = set()
        self._threads: list[Thread] = []
        self._is_stopped = False

    @property
    def url(self) -> str:
        """The address with user name and password."""
        username, password = (quote(part, safe="") for part in self._login)
        return f"http://{username}:{password}@127.0.0.1:{self.port}"

    @property
    def forwarded(self) -> list[Forwarded]:
        """All requests with the password so far, in order."""
        with self._lock:
            return self._forwarded.copy()

    @property
    def refused(self) -> int:
        """The number of requests without the password so far."""
        with self._lock:
            return self._refused

    def clear(self) -> None:
        """Forget the requests."""
        with self._lock:
            self._forwarded.clear()
            self._refused = 0

    def __enter__(self) -> "ForwardProxy":
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._is_stopped = True
            opened = list(self._open)
        # Wakes accept() on every system.
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            pass
        for connection in opened:
            _shut(connection)
        for thread in self._threads:
            thread.join(_ENDS)
            assert not thread.is_alive(), f"{thread.name} does not end"
        self._socket.close()

    def _start(self, work: object, *arguments: object) -> None:
        thread = Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads = [old for old in self._threads if old.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            client, _ = self._socket.accept()
            with self._lock:
                if self._is_stopped:
                    client.close()
                    return
                self._open.add(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:  # a client may leave at any time
            client.settimeout(_SILENT)
            with client.makefile("rb") as reader:
                while request := read_request(reader, 0):
                    if not self._is_welcome(request):
                        reply = _refusal(407, {"Proxy-Authenticate": 'Basic realm="test"'})
                    elif request.method == "CONNECT":
                        self._connect(client, request)
                        break
                    else:
                        reply = self._ask(request)
                    if not send(client, request, reply):
                        break
        with self._lock:
            self._open.discard(client)

    def _is_welcome(self, request: Request) -> bool:
        expected = b64encode(":".join(self._login).encode()).decode()
        if request.headers.get("Proxy-Authorization") == f"Basic {expected}":
            return True
        with self._lock:
            self._refused += 1
        return False

    def _port(self, method: str, authority: str) -> int | None:
        with self._lock:
            self._forwarded.append(Forwarded(method, authority))
        return self.names.get(authority)

    def _connect(self, client: socket.socket, request: Request) -> None:
        server = self._reach(request.target)
        if server is None:
            send(client, request, _refusal(502, {"Connection": "close"}))
            return
        with server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._lock:
                self._open.add(server)
            self._start(_pour, client, server)
            _pour(server, client)
        with self._lock:
            self._open.discard(server)

    def _reach(self, authority: str) -> socket.socket | None:
        port = self._port("CONNECT", authority)
        if port is None:
            return None
        try:
            return socket.create_connection(("127.0.0.1", port), _SILENT)
        except ConnectionRefusedError:
            return None

    def _ask(self, request: Request) -> Reply:
        """Return the answer to a request in absolute form."""
        url = urlsplit(request.target)
        port = self._port(request.method, f"{url.hostname}:{url.port or 80}")
        if url.scheme != "http" or port is None:
            return _refusal(502)
        path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _OWN}
        with closing(http.client.HTTPConnection("127.0.0.1", port, _SILENT)) as connection:
            try:
                connection.request(request.method, path, request.body, headers)
                answer = connection.getresponse()
                body = answer.read()
            except OSError:
                return _refusal(502)
        kept = {key: value for key, value in answer.getheaders() if key.lower() not in _OWN}
        return Reply(answer.status, kept, body)


def _refusal(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"Content-Type": "text/plain", **(headers or {})}, b"%d\n" % status)


def _pour(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side ends, and end the other."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    _shut(target)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
