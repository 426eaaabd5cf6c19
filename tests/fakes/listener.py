"""A listening port with one thread a connection, which can be refused, ignored and taken back."""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLContext
from threading import Lock, Thread

from tests.fakes.wire import Reply, Request, read_request, send

#: Clients open up to 50 connections at once, and load tests many more.
_BACKLOG = 1024
#: A server that ignores a host's SYN is told from a slow one by no answer for so long on
#: loopback; enough, since there the answer takes microseconds.
_LOOPBACK_ANSWER = 0.05
#: Linux queues one or two connections for a backlog of none.
_MAX_FILLERS = 8
#: Every thread ends at once when its connection is shut, seconds.
_ENDS = 30.0


class Listener:
    """Accepts connections and lets ``handle`` answer their requests."""

    def __init__(
        self, handle: Callable[[Request], Reply], *, port: int = 0, tls: SSLContext | None = None
    ) -> None:
        self._handle = handle
        self._tls = tls
        self._socket: socket.socket | None = None
        self._accepting: Thread | None = None
        self._threads: list[Thread] = []
        self._connections: set[socket.socket] = set()
        # Hold the queue of an ignoring port full.
        self._fillers: list[socket.socket] = []
        self._lock = Lock()
        self.port = port
        #: Connections, and bytes sent in bodies, so far.
        self.accepted = 0
        self.sent = 0

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "https" if self._tls else "http"

    def open(self) -> None:
        """Listen, on the same port as before if there was one."""
        if self._accepting is not None:
            return
        self._release_fillers()
        listening = self._bound()
        listening.listen(_BACKLOG)
        self._accepting = Thread(target=self._accept, args=(listening,), daemon=True)
        self._accepting.start()

    def refuse(self) -> None:
        """Refuse connections: hold the port, bound and not listening."""
        self.close()
        self._bound()

    def ignore(self) -> None:
        """Leave connection attempts unanswered: a full queue, which Linux treats so."""
        self.refuse()
        self._bound().listen(0)
        for _ in range(_MAX_FILLERS):
            filler = socket.socket()
            filler.settimeout(_LOOPBACK_ANSWER)
            self._fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return
        raise OSError("this system answers even when the queue of connections is full")

    def drop(self) -> None:
        """Close all connections; their threads end by themselves."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _shut(connection)

    def close(self) -> None:
        """Stop listening and close all connections."""
        self._release_fillers()
        accepting, self._accepting = self._accepting, None
        if accepting is not None:
            # Wakes accept() on every system, which closing the socket does not.
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                pass
            accepting.join()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self.drop()

    def join(self) -> None:
        """Wait for the threads of all connections."""
        for thread in self._threads:
            thread.join(_ENDS)
            assert not thread.is_alive(), f"{thread.name} does not end"
        self._threads.clear()

    def _bound(self) -> socket.socket:
        """Return the socket bound to the port, made if need be."""
        if self._socket is None:
            bound = socket.socket()
            if os.name == "posix":
                # Windows would let others take the port.
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", self.port))
            self.port = bound.getsockname()[1]
            self._socket = bound
        return self._socket

    def _release_fillers(self) -> None:
        if self._fillers and self._socket is not None:
            self._socket.close()
            self._socket = None
        while self._fillers:
            self._fillers.pop().close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection = listening.accept()[0]
            except OSError as error:
                # The client left before it was accepted; anything else is the test's business.
                if error.errno != errno.ECONNABORTED:
                    raise
                continue
            if self._accepting is None:
                connection.close()
                return
            self.accepted += 1
            with self._lock:
                self._connections.add(connection)
            thread = Thread(target=self._serve, args=(connection, self.accepted), daemon=True)
            self._threads = [old for old in self._threads if old.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        """Answer the requests of one connection until either side ends it."""
        try:
            # The client's leaving, or `drop`, is no fault of the test.
            with suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(connection, number)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _converse(self, connection: socket.socket, number: int) -> None:
        channel = connection.dup()
        if self._tls is not None:
            with channel:
                channel = self._tls.wrap_socket(channel, server_side=True)
        with channel, channel.makefile("rb") as reader:
            while request := read_request(reader, number):
                reply = self._handle(request)
                try:
                    if not send(channel, request, reply):
                        return
                finally:
                    with self._lock:
                        self.sent += reply.sent


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
