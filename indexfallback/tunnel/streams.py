"""A connection with a buffer, from which heads and bodies of HTTP messages are read.

One thread uses a stream at a time.
"""

import contextlib
import socket
import ssl
import time

from indexfallback.tunnel.heads import HEAD_SIZE, HeadError, end_of_head

#: Bytes read at once: 16 TLS records. Larger pieces are no faster.
PIECE = 256 * 1024
#: Bytes of a line of chunked coding at most, extensions included.
_LINE_SIZE = 8 * 1024


class EndOfStreamError(ConnectionError):
    """The other side closed the connection within a message."""

    def __init__(self) -> None:
        super().__init__("the connection was closed in the middle")


class Stream:
    """A socket and the bytes that were received and not yet used.

    ``exact`` is for a plain socket that may become something else after a head: no byte after the
    head is received with it. Each method raises OSError, TimeoutError included.
    """

    def __init__(self, sock: socket.socket, *, exact: bool = False) -> None:
        self.sock = sock
        self._exact = exact
        self._buffer = bytearray()

    def close(self) -> None:
        """Close the connection."""
        self.sock.close()

    def end(self) -> None:
        """Send the end of the stream, which TLS proves to be complete."""
        with contextlib.suppress(OSError, ValueError):  # the other side has gone
            if isinstance(self.sock, ssl.SSLSocket):
                # Without waiting for the alert that comes back.
                self.sock.settimeout(0)
                self.sock.unwrap()
            else:
                self.sock.shutdown(socket.SHUT_WR)

    def read_head(self, first_byte: float, rest: float) -> bytes:
        """Return a head; nothing if the other side has closed the connection instead.

        ``first_byte`` and ``rest`` are the limits of time in seconds. Raises `HeadError` for one
        that is too long.
        """
        seen, ends = 0, 0.0
        while True:
            self._drop_empty_lines()
            size = end_of_head(self._buffer, seen)
            if size >= 0:
                return self._take(size)
            seen = len(self._buffer)
            if seen > HEAD_SIZE:
                raise HeadError("the head is too long")
            if seen and not ends:
                ends = time.monotonic() + rest
            self._wait_at_most(ends - time.monotonic() if ends else first_byte)
            if not self._receive_head():
                if seen:
                    raise EndOfStreamError
                return b""

    def read_line(self) -> bytes:
        """Return a line without its end; raises `HeadError` for one that is too long."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _LINE_SIZE:
                raise HeadError("a chunk header is too long")
            if not self._receive():
                raise EndOfStreamError
        return self._take(end + 1).rstrip(b"\r\n")

    def read_into(self, target: memoryview) -> int:
        """Receive some bytes into a buffer and return their number, 0 at the end."""
        if self._buffer:
            size = min(len(target), len(self._buffer))
            target[:size] = self._take(size)
            return size
        return self.sock.recv_into(target)

    def has_data(self, seconds: float) -> bool:
        """Tell whether data, or the end of the stream, arrives in time."""
        if self._buffer:
            return True
        before = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            self._receive()
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            self.sock.settimeout(before)
        return True

    def discard(self) -> bool:
        """Drop what was received; return whether there was anything."""
        found = bool(self._buffer)
        self._buffer.clear()
        return found

    def _drop_empty_lines(self) -> None:
        """Drop the empty lines that some clients send after a body (RFC 9112, 2.2)."""
        while self._buffer.startswith((b"\r", b"\n")):
            del self._buffer[0]

    def _wait_at_most(self, seconds: float) -> None:
        if seconds <= 0:
            raise TimeoutError("no complete head in time")
        self.sock.settimeout(seconds)

    def _receive_head(self) -> bool:
        if not self._exact:
            return self._receive()
        arrived = self.sock.recv(HEAD_SIZE, socket.MSG_PEEK)
        size = end_of_head(self._buffer + arrived, len(self._buffer))
        return self._receive(size - len(self._buffer) if size >= 0 else len(arrived))

    def _receive(self, most: int = 64 * 1024) -> bool:
        """Receive into the buffer; return False at the end."""
        arrived = self.sock.recv(most)
        self._buffer += arrived
        return bool(arrived)

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken
