"""A tunnel, its client, a user's proxy, and hosts with TLS."""

import contextlib
import os
import socket
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, final
from urllib.parse import urlsplit

import msgspec
import trustme
import urllib3

from indexfallback.clients.tunnel_process import Tunnel, TunnelProcess, tunnel_process
from indexfallback.config import Settings
from indexfallback.process.child import Child
from indexfallback.server.proof import Place, Prover
from indexfallback.store.secret import user_secret
from indexfallback.tunnel.messages import Task
from indexfallback.tunnel.outbound import connect
from indexfallback.tunnel.process import opened_tunnel
from indexfallback.tunnel.relay import relay
from indexfallback.tunnel.report import Activity
from tests.fakes import FakeIndex

#: An origin of the chain that exists nowhere: what answers at it is the tunnel.
ORIGIN = "https://packages.example.com"
SECONDS = 30.0


class Host:
    """A real host: an index with TLS on loopback, and the bundle of who trusts it."""

    def __init__(self, index: FakeIndex, bundle: Path) -> None:
        self.index = index
        self.bundle = bundle

    @property
    def origin(self) -> str:
        return self.index.base


@contextlib.contextmanager
def host(directory: Path, *names: str, **options: Any) -> Iterator[Host]:
    """Give an index whose certificate is for some names, by default 127.0.0.1."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
    bundle = directory / "host-ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with FakeIndex(tls=context, **options) as index:
        yield Host(index, bundle)


class Tunnelled:
    """A tunnel, and a program that uses it."""

    def __init__(self, tunnel: Tunnel) -> None:
        self.tunnel = tunnel
        self.environment = tunnel.environment(os.environ)
        self.url = self.environment["HTTPS_PROXY"]
        self.bundle = Path(self.environment["SSL_CERT_FILE"])

    @property
    def port(self) -> int:
        return int(self.tunnel.address.rpartition(":")[2])

    @property
    def login(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[0]

    @property
    def token(self) -> str:
        """What stands after ``Basic`` in Proxy-Authorization."""
        return b64encode(self.login.encode()).decode()

    def connected(self, target: str, *fields: str) -> socket.socket:
        """Return a connection through the tunnel, for which CONNECT has succeeded."""
        sock = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        login = f"Proxy-Authorization: Basic {self.token}"
        lines = (f"CONNECT {target} HTTP/1.1", login, *fields)
        sock.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += sock.recv(1)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        return sock

    @contextlib.contextmanager
    def client(self, **options: Any) -> Iterator[urllib3.ProxyManager]:
        """Give a client that has the password and trusts the bundle."""
        values = {"proxy_headers": urllib3.make_headers(proxy_basic_auth=self.login),
                  "ca_certs": str(self.bundle), "retries": False, "timeout": SECONDS}  # fmt: skip
        with urllib3.ProxyManager(self.url, **{**values, **options}) as client:
            yield client

    def ask(
        self, url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET",
        body: Any = None,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """Return the whole answer to one request."""
        with self.client() as client:
            return client.request(
                method, url, headers=dict(headers or {}), body=body, redirect=False
            )


def prove(shim: FakeIndex) -> None:
    """Let a stand-in prove that it is a shim of this user."""
    settings = Settings(indexes=(), cache_dir=Path("cache"))
    prover = Prover(user_secret(), Place("127.0.0.1", shim.port), settings)
    shim.health = lambda challenge: msgspec.json.encode(
        {"name": "indexfallback", **prover.health(challenge)}
    )


class _Here(Child):
    """Answers as the process of a tunnel does, which takes 0.5 s to start."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._activity: Activity | None = None
        self._answer: msgspec.Struct | None = None

    def send(self, line: bytes) -> None:
        if self._activity is None:
            task = msgspec.json.decode(line, type=Task)
            self._answer, self._activity = self._stack.enter_context(opened_tunnel(task))
        else:
            self._answer = self._activity.report()

    def receive(self, seconds: float) -> bytes:
        return msgspec.json.encode(self._answer)


@contextlib.contextmanager
def tunnelled(shim: FakeIndex, *origins: str) -> Iterator[Tunnelled]:
    """Give a tunnel to a shim for some origins, in this process and with its environment."""
    prove(shim)
    with contextlib.ExitStack() as stack:
        yield Tunnelled(TunnelProcess(_Here(stack)).open(shim.url, origins or (ORIGIN,)))


@contextlib.contextmanager
def tunnelled_by_process(shim: FakeIndex, *origins: str) -> Iterator[Tunnelled]:
    """Give such a tunnel in a process of its own."""
    prove(shim)
    with tunnel_process() as process:
        yield Tunnelled(process.open(shim.url, origins or (ORIGIN,)))


@final
class UserProxy:
    """A user's own http proxy; every host is at a port of loopback for it."""

    def __init__(self, port: int, login: str = "") -> None:
        self.asked: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _ProxyHandler)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        self.login = login
        self.target = port
        self.address = f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.login}@{self.address}" if self.login else f"http://{self.address}"

    def __enter__(self) -> "UserProxy":
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _is_welcome(self) -> bool:
        owner: UserProxy = self.server.owner  # type: ignore[attr-defined]
        sent = self.headers.get("Proxy-Authorization", "").removeprefix("Basic ")
        owner.asked.append((self.command, self.path))
        if b64decode(sent).decode() == owner.login:
            return True
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_CONNECT(self) -> None:
        if self._is_welcome():
            self.send_response(200)
            self.end_headers()
            relay(self.connection, connect("127.0.0.1", self.server.owner.target))  # type: ignore[attr-defined]
            self.close_connection = True

    def do_GET(self) -> None:
        if self._is_welcome():
            body = f"by the proxy: {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
