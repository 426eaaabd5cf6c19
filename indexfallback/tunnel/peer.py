"""A server that the requests of one client connection go to, by a connection that is kept open."""

import ssl
from collections.abc import Callable
from http import HTTPStatus

from indexfallback.tunnel.bodies import pieces
from indexfallback.tunnel.heads import Framing, HeadError, ResponseHead, parse_response
from indexfallback.tunnel.origins import Origin
from indexfallback.tunnel.route import ProxyAddress
from indexfallback.tunnel.streams import EndOfStreamError, Stream

#: Limit for each wait for a byte, seconds; clients have shorter ones of their own. The answer to
#: an upload may take minutes.
SILENCE_SECONDS = 600.0
#: How a connection fails that the other side has closed while it was idle.
_CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)

#: Returns a connection to an origin, and the proxy that wants the whole address, if any.
Open = Callable[[Origin], tuple[Stream, ProxyAddress | None]]
#: Returns the head of a request for that proxy.
Write = Callable[[ProxyAddress | None], bytes]
#: Sends the body of a request; returns the answer if it came before the end.
SendBody = Callable[[Stream], ResponseHead | None]


class Peer:
    """Sends requests one after the other, to one origin or to several."""

    def __init__(self, open_connection: Open) -> None:
        self._open = open_connection
        self._origin: Origin | None = None
        self._stream: Stream | None = None
        self.proxy: ProxyAddress | None = None

    def ask(
        self, origin: Origin, write: Write, send_body: SendBody | None = None
    ) -> tuple[Stream, ResponseHead]:
        """Send a request; return the head of the answer and the stream with its body.

        A request without a body is sent again if the kept connection turns out to be closed.
        Raises `NotConnectedError`, OSError and `HeadError`.
        """
        reused = self._stream is not None and self._origin == origin
        try:
            return self._try(origin, write, send_body)
        except _CLOSED:
            self.close()
            if not reused or send_body is not None:
                raise
            return self._try(origin, write, send_body)
        except (OSError, HeadError):
            self.close()
            raise

    def _try(
        self, origin: Origin, write: Write, send_body: SendBody | None
    ) -> tuple[Stream, ResponseHead]:
        if self._stream is None or self._origin != origin:
            self.close()
            self._stream, self.proxy = self._open(origin)
            self._origin = origin
        stream = self._stream
        stream.sock.settimeout(SILENCE_SECONDS)
        stream.sock.sendall(write(self.proxy))
        early = send_body(stream) if send_body else None
        return stream, early or read_answer(stream)

    def done(self, answer: ResponseHead, method: str) -> None:
        """Keep the connection for the next request if the answer, which was read, allows it."""
        if not answer.persists or answer.length(method) is Framing.UNTIL_CLOSE:
            self.close()

    def drop(self, answer: ResponseHead, method: str) -> None:
        """Read the body of an answer that nobody wants, so that the connection can be kept."""
        try:
            if self._stream is not None:
                for _ in pieces(self._stream, answer.length(method)):
                    pass
            self.done(answer, method)
        except (OSError, HeadError):  # the next request opens a new one
            self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def read_answer(stream: Stream, least: int = HTTPStatus.OK) -> ResponseHead:
    """Return the first answer whose status is not below ``least``; raises OSError, `HeadError`.

    Interim answers (RFC 9110, 15.2) are dropped: no client here expects one but 100.
    """
    while True:
        data = stream.read_head(SILENCE_SECONDS, SILENCE_SECONDS)
        if not data:
            raise EndOfStreamError
        stream.sock.settimeout(SILENCE_SECONDS)
        answer = parse_response(data)
        if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise HeadError("the protocol was switched without a request to do so")
        if answer.status >= least:
            return answer
