"""Hundreds of clients that want the same file at once, from one thread."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, final
from urllib.parse import urlsplit

from benchmarks.load import fetch
from benchmarks.shim import Shim

#: What a client takes at once, bytes; less than a socket holds.
_PIECE = 1 << 17
#: What the system takes for a client that does not read yet, bytes. By its own choice of 6 MB, a
#: thousand in one slow thread use up all memory for TCP, and Linux then resets some of them.
_RECEIVED = 1 << 18
#: The deadline of the shim, and as much again for the machine.
_SECONDS = 120.0
_HEAD_END = b"\r\n\r\n"


class Crowd(NamedTuple):
    """Clients of one file, and the most that a shim may need for them; None is no limit."""

    clients: int
    #: Bytes of the file.
    size: int
    #: Seconds.
    cpu: float | None
    #: MB, PSS.
    memory: float
    #: Seconds that `/-/health` takes.
    health: float


class Watched(NamedTuple):
    """The worst that was seen of a shim."""

    #: Seconds that `/-/health` took.
    health: float
    #: Of its process, PSS, MB.
    memory: float


@final
class Watch:
    """Looks at a shim's health and memory all the time; a context manager."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.worst = Watched(0.0, 0.0)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            began = time.perf_counter()
            fetch(f"{self._shim.url}-/health")
            seconds = time.perf_counter() - began
            used = self._shim.memory().pss
            self.worst = Watched(max(self.worst.health, seconds), max(self.worst.memory, used))


class _Client:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.head = b""
        self.position = -1


def all_at_once(url: str, data: bytes, clients: int) -> float:
    """Return the seconds until every one of ``clients`` has the whole of ``data``."""
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            sock = _asking(url)
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ, _Client(sock))
        while selector.get_map():
            if time.perf_counter() > began + _SECONDS:
                raise RuntimeError(f"{len(selector.get_map())} clients still wait")
            for key, _ in selector.select(1.0):
                if _is_done(key.data, memoryview(data)):
                    selector.unregister(key.fileobj)
                    key.data.sock.close()
    return time.perf_counter() - began


@contextmanager
def that_read_nothing(url: str, clients: int) -> Iterator[None]:
    """Hold connections of clients that have asked for ``url`` and take no byte of the answer."""
    with ExitStack() as stack:
        for _ in range(clients):
            stack.enter_context(_asking(url))
        yield


def _asking(url: str) -> socket.socket:
    """Return the connection of a client that has sent its request."""
    parts = urlsplit(url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVED)
    sock.settimeout(_SECONDS)
    sock.connect((parts.hostname or "", parts.port or 0))
    sock.sendall(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return sock


def _is_done(client: _Client, data: memoryview) -> bool:
    try:
        piece = memoryview(client.sock.recv(_PIECE))
    except ConnectionResetError:
        raise RuntimeError(f"a client was cut off behind {client.position} bytes") from None
    if not piece and client.position != len(data):
        raise RuntimeError(f"a client got {client.position} of {len(data)} bytes: {client.head!r}")
    if client.position < 0:
        client.head += piece
        head, end, body = client.head.partition(_HEAD_END)
        if not end:
            return False
        if b" 200 " not in head.splitlines()[0]:
            raise RuntimeError(f"a client got {head!r}")
        piece, client.position = memoryview(body), 0
    stop = client.position + len(piece)
    if data[client.position : stop] != piece:
        raise RuntimeError(f"a client got wrong bytes behind {client.position}")
    client.position = stop
    return not piece and stop == len(data)
