"""A socket-level fault proxy: bytes go through it late, slowly, in slices, or not at all.

It knows nothing of HTTP, so that it stands in front of any server, a real one too.
"""

import socket
import ssl
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from types import TracebackType
from typing import final

#: What is taken at once; small, so that limits of bytes and time are kept closely.
_PIECE = 16 * 1024
#: How often a proxy that lets nothing through looks whether it is to stop, seconds.
_LOOK = 0.02
#: Every thread ends at once when its connections are shut, seconds.
_ENDS = 30.0


@dataclass
class Faults:
    """What happens to the bytes on their way back; may be changed at any time."""

    #: Seconds before a connection's first byte.
    latency: float = 0.0
    #: Bytes a second; 0 is as many as come.
    bandwidth: float = 0.0
    #: Bytes in one piece; 0 is as they come.
    slice: int = 0
    #: Bytes of a connection's answer after which it is closed; None lets all through.
    cut: int | None = None
    #: The byte at this place of a connection's answer that is changed; None changes none.
    flip: int | None = None
    #: Close by RST instead of FIN.
    reset: bool = False
    #: Take everything, answer nothing.
    blackhole: bool = False
    #: Seconds up and seconds down in turn, down closing every connection; 0 is always up.
    flap: float = 0.0


@final
class FaultProxy:
    """Forwards a port of its own to ``target``; ``with FaultProxy(index.port) as proxy``."""

    def __init__(
        self, target: int, *, port: int = 0, tls: ssl.SSLContext | None = None, **faults: float
    ) -> None:
        """Forward to a port on loopback; with ``tls``, speak TLS to whoever connects."""
        self.faults = Faults(**faults)  # type: ignore[arg-type]  # checked by the dataclass
        #: Connections so far.
        self.accepted = 0
        self._target = target
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = int(self._socket.getsockname()[1])
        self._began = time.monotonic()
        self._stopped = Event()
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[Thread] = []

    @property
    def base(self) -> str:
        """The address of the proxy, without a last slash."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> "FaultProxy":
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            pass  # wakes accept() on every system
        with self._lock:
            opened = list(self._open)
        for connection in opened:
            _shut(connection)
        for thread in self._threads:
            thread.join(_ENDS)
            assert not thread.is_alive(), f"{thread.name} does not end"
        self._socket.close()

    def _start(self, work: object, *arguments: object) -> None:
        thread = Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            client, _ = self._socket.accept()
            if self._stopped.is_set():
                client.close()
                return
            self.accepted += 1
            self._start(self._serve, client)

    def _is_down(self) -> bool:
        period = self.faults.flap
        return period > 0 and int((time.monotonic() - self._began) / period) % 2 == 1

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):  # faults break connections on purpose
            if self._tls is not None:
                client = self._tls.wrap_socket(
                    client, server_side=True, do_handshake_on_connect=False
                )
            with client, socket.create_connection(("127.0.0.1", self._target)) as server:
                self._hold(client, server)
                if isinstance(client, ssl.SSLSocket):
                    client.do_handshake()
                self._start(self._forward, client, server)
                self._back(server, client)
                with self._lock:
                    self._open -= {client, server}
                _shut(server)
        client.close()

    def _hold(self, *connections: socket.socket) -> None:
        """Have connections shut when it stops; raises OSError if it has."""
        with self._lock:
            self._open.update(connections)
            if self._stopped.is_set():
                raise ConnectionAbortedError

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(_PIECE):
                server.sendall(piece)
            server.shutdown(socket.SHUT_WR)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        sent = 0
        self._stopped.wait(self.faults.latency)
        while piece := server.recv(_PIECE):
            while self.faults.blackhole and not self._stopped.wait(_LOOK):
                pass
            if self._is_down():
                break
            left = len(piece) if self.faults.cut is None else max(0, self.faults.cut - sent)
            self._send(client, self._flipped(piece[:left], sent))
            sent += min(left, len(piece))
            if left <= len(piece) and self.faults.cut is not None:
                break
        if self.faults.reset:
            # Closing with a linger of zero seconds sends RST.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.shutdown(socket.SHUT_RD)  # or the other thread would keep it open
        else:
            _shut(client)

    def _flipped(self, piece: bytes, sent: int) -> bytes:
        """Return a piece with one byte changed, if that lies in it."""
        place = -1 if self.faults.flip is None else self.faults.flip - sent
        if not 0 <= place < len(piece):
            return piece
        return piece[:place] + bytes((piece[place] ^ 1,)) + piece[place + 1 :]

    def _send(self, client: socket.socket, piece: bytes) -> None:
        size = self.faults.slice or len(piece) or 1
        if self.faults.bandwidth:
            # Tenths of a second, so that slow is slow and not late.
            size = min(size, max(1, int(self.faults.bandwidth / 10)))
        for start in range(0, len(piece), size):
            client.sendall(piece[start : start + size])
            if self.faults.bandwidth and self._stopped.wait(size / self.faults.bandwidth):
                return


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
