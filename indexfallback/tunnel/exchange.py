"""The requests of one client connection: each is answered by the shim or by the real host.

The thread of the client connection does all of it. The connection to the last host stays open for
the client's next request; those to the shim are shared (`shim`).
"""

import contextlib
import ssl
import time
from collections.abc import Iterator
from http import HTTPStatus

from indexfallback.tunnel.answers import problem
from indexfallback.tunnel.bodies import coded, pieces
from indexfallback.tunnel.heads import (
    Fields,
    Framing,
    HeadError,
    Length,
    RequestHead,
    ResponseHead,
    write_head,
)
from indexfallback.tunnel.outbound import NotConnectedError, Outbound
from indexfallback.tunnel.peer import Peer, read_answer
from indexfallback.tunnel.report import Activity
from indexfallback.tunnel.requests import Request
from indexfallback.tunnel.shim import ShimConnections
from indexfallback.tunnel.streams import Stream

#: A server that does not answer ``Expect: 100-continue`` in this time gets the body, seconds; curl
#: waits as long.
_EXPECT_SECONDS = 1.0
#: What a client still sends after an early answer is read for so long, seconds: it might not read
#: the answer of a connection that is reset.
_LINGER_SECONDS = 2.0


class _FailedError(Exception):
    """No answer; nothing was sent to the client yet, and the message is for its user."""


class _ClientGoneError(ConnectionError):
    """The client closed the connection within the body of its request."""


class Exchange:
    """Answers the requests of one client connection, one after the other."""

    def __init__(
        self, client: Stream, shim: ShimConnections, outbound: Outbound, activity: Activity
    ) -> None:
        self._client = client
        self._shim = shim
        self._activity = activity
        self._to_host = Peer(outbound.open)

    def close(self) -> None:
        """Close the connection to the host."""
        self._to_host.close()

    def answer(self, request: Request, *, intercepted: bool) -> bool:
        """Answer a request; return whether the client may send another one.

        Raises OSError if the client has gone, or if the answer broke off.
        """
        self._activity.count("requests" if intercepted else "relayed")
        try:
            if intercepted and request.is_reading:
                with self._shim.lend() as peer:
                    stream, answer = self._ask_shim(request, peer)
                    if answer.status != HTTPStatus.MISDIRECTED_REQUEST:
                        return self._pass_on(request, peer, stream, answer)
                    peer.drop(answer, request.head.method)
            if intercepted:
                self._activity.count("passed_on")
            stream, answer = self._ask_host(request)
            return self._pass_on(request, self._to_host, stream, answer)
        except _FailedError as error:
            self._activity.count("failed")
            detail = problem(HTTPStatus.BAD_GATEWAY, str(error), body=request.head.method != "HEAD")
            self._client.sock.sendall(detail)
            return False

    def _ask_shim(self, request: Request, peer: Peer) -> tuple[Stream, ResponseHead]:
        shim, login = self._shim.place, self._shim.login
        try:
            return peer.ask(shim.origin, lambda _: request.for_shim(shim.origin, shim.root, login))
        except (OSError, HeadError, NotConnectedError) as error:
            raise _FailedError(f"the local index does not answer: {error}") from error

    def _ask_host(self, request: Request) -> tuple[Stream, ResponseHead]:
        has_body = request.head.length != 0
        try:
            stream, answer = self._to_host.ask(
                request.origin,
                request.for_host,
                (lambda stream: self._send_body(request.head, stream)) if has_body else None,
            )
        except _ClientGoneError:
            raise
        except NotConnectedError as error:
            raise _FailedError(str(error)) from error
        except (OSError, HeadError) as error:
            raise _FailedError(f"{request.origin} gave no valid answer: {error}") from error
        if answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            # The client would take it for an answer to the password of the run.
            self._to_host.close()
            raise _FailedError(f"the proxy for {request.origin} wants another login")
        return stream, answer

    # -- the body of a request

    def _send_body(self, head: RequestHead, stream: Stream) -> ResponseHead | None:
        """Send the body of a request; return the answer if it came before the end of the body."""
        if "100-continue" in head.tokens("expect"):
            refusal = self._expected(stream)
            if refusal is not None:
                return self._early(head, refusal)
        try:
            for piece in coded(self._from_client(head.length), head.length):
                if stream.has_data(0):
                    return self._early(head, read_answer(stream))
                stream.sock.sendall(piece)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            # It may have answered before.
            return self._early(head, read_answer(stream))
        return None

    def _expected(self, stream: Stream) -> ResponseHead | None:
        """Let the client send its body; or return the answer of a server that does not want it."""
        if stream.has_data(_EXPECT_SECONDS):
            answer = read_answer(stream, HTTPStatus.CONTINUE)
            if answer.status >= HTTPStatus.OK:
                return answer
        self._client.sock.sendall(write_head("HTTP/1.1 100 Continue", []))
        return None

    @staticmethod
    def _early(head: RequestHead, answer: ResponseHead) -> ResponseHead:
        """Return an answer after which neither connection is used again: the body is not read."""
        head.fields.append(("Connection", "close"))
        answer.fields.append(("Connection", "close"))
        return answer

    def _from_client(self, length: Length) -> Iterator[memoryview]:
        try:
            yield from pieces(self._client, length)
        except (OSError, HeadError) as error:
            raise _ClientGoneError(*error.args) from error

    # -- the answer

    def _pass_on(self, request: Request, peer: Peer, stream: Stream, answer: ResponseHead) -> bool:
        """Send an answer to the client; return whether the client may send another request."""
        method = request.head.method
        try:
            length = answer.length(method)
        except HeadError as error:
            peer.close()
            raise _FailedError(f"{request.origin} gave no valid answer: {error}") from error
        is_old = request.head.minor == 0
        sent_as = Framing.UNTIL_CLOSE if is_old and length is Framing.CHUNKED else length
        persists = request.head.persists and sent_as is not Framing.UNTIL_CLOSE
        waiting = write_head(
            f"HTTP/1.1 {answer.status} {answer.reason}",
            _fields(answer, sent_as, persists=persists),
        )
        try:
            for piece in coded(pieces(stream, length), sent_as):
                # One packet for the head and a small body.
                self._client.sock.sendall(b"".join((waiting, piece)) if waiting else piece)
                waiting = b""
            if waiting:
                self._client.sock.sendall(waiting)
        except (OSError, HeadError) as error:
            # The client sees an incomplete body, since nothing says that this is the end.
            peer.close()
            raise ConnectionAbortedError(str(error)) from error
        peer.done(answer, method)
        return persists

    def linger(self) -> None:
        """End the connection to the client, which may still be sending."""
        self._client.end()
        ends = time.monotonic() + _LINGER_SECONDS
        with contextlib.suppress(OSError, ValueError):  # it has gone
            while self._client.has_data(max(0.0, ends - time.monotonic())):
                if not self._client.discard():
                    return


def _fields(answer: ResponseHead, sent_as: Length, *, persists: bool) -> Fields:
    fields = answer.end_to_end
    if isinstance(sent_as, Framing):
        fields = [(name, value) for name, value in fields if name.lower() != "content-length"]
    if sent_as is Framing.CHUNKED:
        fields.append(("Transfer-Encoding", "chunked"))
    if not persists:
        fields.append(("Connection", "close"))
    return fields
