"""HTTP/1.1 as bytes on a socket: a request read, an answer sent as rightly or wrongly as asked."""

import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from io import BufferedReader
from threading import Event
from typing import Literal

from requests.structures import CaseInsensitiveDict

#: Pieces that an undisturbed body is sent in.
_PIECE = 256 * 1024
#: How often a second a dripping sender sends, where its rate allows it.
_DRIPS = 20


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    #: As sent, with the query.
    target: str
    headers: CaseInsensitiveDict[str]
    body: bytes
    #: Monotonic time at which its headers were complete.
    when: float
    #: The number of the connection, counted from 1.
    connection: int

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]


@dataclass
class Pace:
    """How slowly bytes leave, until lifted."""

    bytes_per_second: float
    lifted: Event


@dataclass
class Reply:
    """An answer, and what goes wrong while it is sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    #: A part of a large file is a view of it.
    body: bytes | memoryview = b""
    reason: str | None = None
    #: Whether it is a page or file that conditional requests and ranges may be about.
    entity: bool = False
    ranges: bool = False
    framing: Literal["length", "chunked", "close"] = "length"
    #: Added to the Content-Length.
    length_error: int = 0
    #: Sent in place of the whole answer.
    raw: bytes | None = None
    #: Each awaited before the first byte, at most so long (None: without end).
    waits: list[tuple[Event, float | None]] = field(default_factory=list)
    head_pace: Pace | None = None
    body_pace: Pace | None = None
    #: Bytes of the body after which the connection ends; -1 is before the headers.
    cut_after: int | None = None
    #: Whether the connection ends with RST.
    reset: bool = False
    #: Bytes of the body that were sent.
    sent: int = 0

    @property
    def closes(self) -> bool:
        """Whether the connection cannot be used again."""
        broken = self.cut_after is not None or self.length_error or self.raw is not None
        return bool(broken or self.framing == "close" or self.headers.get("Connection") == "close")


def read_request(reader: BufferedReader, connection: int) -> Request | None:
    """Read the next request of a connection; None at its end or if it is not HTTP."""
    words = reader.readline(65537).decode("latin-1").split()
    # The random bytes that TLS begins with may well have two blanks and an end of line in them.
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return None
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    while line := reader.readline(65537).decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    body = reader.read(int(headers.get("Content-Length", "0")))
    return Request(words[0], words[1], headers, body, time.monotonic(), connection)


def make_conditional(request: Request, reply: Reply) -> None:
    """Turn a whole page or file into the 304, 206 or 416 that the request asks for."""
    if not reply.entity:
        return
    if _is_known(request, reply):
        reply.status, reply.body = 304, b""
    elif reply.ranges:
        reply.headers["Accept-Ranges"] = "bytes"
        if request.method == "GET" and _range_is_valid(request, reply):
            _cut_range(request.headers["Range"], reply)


def send(sock: socket.socket, request: Request, reply: Reply) -> bool:
    """Send an answer; tell whether the connection may be used again."""
    for lifted, seconds in reply.waits:
        lifted.wait(seconds)
    if reply.raw is not None:
        sock.sendall(reply.raw)
    elif reply.cut_after is None or reply.cut_after >= 0:
        for piece in _paced(_head(request, reply), reply.head_pace):
            sock.sendall(piece)
        if request.method != "HEAD" and reply.status != 304:
            _send_body(sock, reply)
    if reply.reset:
        # Linger for no time: close() then sends RST in place of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return not reply.closes and request.headers.get("Connection", "").lower() != "close"


def _is_known(request: Request, reply: Reply) -> bool:
    etag, modified = reply.headers.get("ETag"), reply.headers.get("Last-Modified")
    if tags := request.headers.get("If-None-Match"):
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return tags.strip() == "*" or (etag is not None and etag.removeprefix("W/") in known)
    since = request.headers.get("If-Modified-Since")
    if since is None or modified is None:
        return False
    return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)


def _range_is_valid(request: Request, reply: Reply) -> bool:
    if "Range" not in request.headers:
        return False
    condition = request.headers.get("If-Range")
    validators = (reply.headers.get("ETag"), reply.headers.get("Last-Modified"))
    return condition is None or condition in validators


def _cut_range(header: str, reply: Reply) -> None:
    """Apply one range; of several, or of none that can be read, the whole is the answer."""
    unit, _, spec = header.partition("=")
    first, dash, last = spec.strip().partition("-")
    total = len(reply.body)
    if unit.strip() != "bytes" or not dash or not (first + last).isdigit():
        return
    start = int(first) if first else max(total - int(last), 0)
    end = min(int(last), total - 1) if first and last else total - 1
    if start > end:
        reply.status, reply.body = 416, b""
        reply.headers["Content-Range"] = f"bytes */{total}"
        return
    reply.status, reply.body = 206, memoryview(reply.body)[start : end + 1]
    reply.headers["Content-Range"] = f"bytes {start}-{end}/{total}"


def _head(request: Request, reply: Reply) -> bytes:
    reason = reply.reason
    if reason is None:
        known = reply.status in HTTPStatus.__members__.values()
        reason = HTTPStatus(reply.status).phrase if known else "Unknown"
    headers = dict(reply.headers)
    if reply.framing == "chunked":
        headers["Transfer-Encoding"] = "chunked"
    elif reply.framing == "length" and reply.status != 304:
        headers.setdefault("Content-Length", str(len(reply.body) + reply.length_error))
    if reply.closes and reply.framing == "close":
        headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {reply.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8")


def _send_body(sock: socket.socket, reply: Reply) -> None:
    for piece in _paced(memoryview(reply.body)[: reply.cut_after], reply.body_pace):
        if reply.framing == "chunked":
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), bytes(piece)))
        else:
            sock.sendall(piece)
        reply.sent += len(piece)
    if reply.framing == "chunked" and reply.cut_after is None:
        sock.sendall(b"0\r\n\r\n")


def _paced(data: bytes | memoryview, pace: Pace | None) -> Iterator[memoryview]:
    """Yield ``data`` in pieces, waiting between them as ``pace`` demands."""
    view = memoryview(data)
    while view:
        if pace is None or pace.lifted.is_set():
            size = _PIECE
        else:
            size = max(1, round(pace.bytes_per_second / _DRIPS))
        yield view[:size]
        view = view[size:]
        if pace is not None and view:
            pace.lifted.wait(size / pace.bytes_per_second)
