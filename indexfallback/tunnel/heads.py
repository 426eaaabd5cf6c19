"""Heads of HTTP/1 messages: the first line and the fields (RFC 9112, 2 to 6).

Text is decoded as Latin-1, so that every byte of a field is sent on as it came.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus

#: Bytes of a head at most: twice what most servers accept.
HEAD_SIZE = 128 * 1024
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - not a password
_REQUEST_LINE = re.compile(rf"({_TOKEN}) ([!-~\x80-\xff]+) HTTP/1\.(\d)")
_STATUS_LINE = re.compile(r"HTTP/1\.(\d) (\d{3})(?: ([^\x00\r\n]*))?")
_FIELD = re.compile(rf"({_TOKEN}):[ \t]*([^\x00\r\n]*?)[ \t]*")
#: The end of a head; a lone line feed is taken as a line end (RFC 9112, 2.2).
_END = re.compile(rb"\r?\n\r?\n")
#: Fields of one connection (RFC 9110, 7.6.1); ``Proxy-Connection`` is an old client's.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
     "te", "trailer", "transfer-encoding", "upgrade")
)  # fmt: skip
_NO_CONTENT = frozenset((HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED))

Fields = list[tuple[str, str]]


class HeadError(ValueError):
    """A head is not valid HTTP/1, or too long."""


class Framing(Enum):
    """How the end of a body is found, where its length is not stated."""

    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"


#: The length of a body in bytes, 0 for none; or how its end is found.
Length = int | Framing


@dataclass
class Head:
    """What the heads of requests and of responses have in common."""

    #: 0 for HTTP/1.0, 1 for HTTP/1.1.
    minor: int
    fields: Fields = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Return the values of a field, whose name is in lower case."""
        return [value for key, value in self.fields if key.lower() == name]

    def get(self, name: str) -> str:
        """Return the first value of a field, whose name is in lower case, or nothing."""
        return next(iter(self.all(name)), "")

    def tokens(self, name: str) -> list[str]:
        """Return the members of a list of tokens such as ``Connection``, in lower case."""
        members = ",".join(self.all(name)).lower().split(",")
        return [member.strip() for member in members if member.strip()]

    @property
    def persists(self) -> bool:
        """Whether the connection stays open after the message (RFC 9112, 9.3)."""
        options = self.tokens("connection")
        return "close" not in options and (self.minor > 0 or "keep-alive" in options)

    @property
    def end_to_end(self) -> Fields:
        """The fields that a proxy passes on."""
        dropped = _HOP_BY_HOP.union(self.tokens("connection"))
        return [(name, value) for name, value in self.fields if name.lower() not in dropped]

    def _stated_length(self) -> int | None:
        lengths = {value.strip() for value in ",".join(self.all("content-length")).split(",")}
        if lengths == {""}:
            return None
        (length, *others) = lengths
        if others or not (length.isascii() and length.isdigit()):
            raise HeadError("Content-Length is not valid")
        return int(length)


@dataclass
class RequestHead(Head):
    """The head of a request."""

    method: str = ""
    target: str = ""

    @property
    def length(self) -> Length:
        """The length of the body (RFC 9112, 6.3); raises `HeadError`."""
        codings, stated = self.tokens("transfer-encoding"), self._stated_length()
        if not codings:
            return stated or 0
        if codings != ["chunked"] or stated is not None:
            raise HeadError("Transfer-Encoding is not valid")
        return Framing.CHUNKED


@dataclass
class ResponseHead(Head):
    """The head of a response."""

    status: int = 0
    reason: str = ""

    @property
    def is_interim(self) -> bool:
        """Whether another response follows to the same request (RFC 9110, 15.2)."""
        return self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS

    def length(self, method: str) -> Length:
        """Return the length of the body in answer to a method; raises `HeadError`."""
        if method == "HEAD" or self.status in _NO_CONTENT or self.status < HTTPStatus.OK:
            return 0
        codings = self.tokens("transfer-encoding")
        if codings:
            return Framing.CHUNKED if codings[-1] == "chunked" else Framing.UNTIL_CLOSE
        stated = self._stated_length()
        return Framing.UNTIL_CLOSE if stated is None else stated


def end_of_head(data: bytes | bytearray, start: int = 0) -> int:
    """Return the number of bytes up to the end of the head, or -1 if it is not there yet.

    ``start`` is the number of bytes in which no end was found before.
    """
    found = _END.search(data, max(0, start - 3))
    return found.end() if found else -1


def parse_request(data: bytes | bytearray) -> RequestHead:
    """Read the head of a request; raises `HeadError`."""
    first, fields = _parse(data)
    found = _REQUEST_LINE.fullmatch(first)
    if found is None:
        raise HeadError("the request line is not valid")
    return RequestHead(int(found[3]), fields, method=found[1], target=found[2])


def parse_response(data: bytes | bytearray) -> ResponseHead:
    """Read the head of a response; raises `HeadError`."""
    first, fields = _parse(data)
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        raise HeadError("the status line is not valid")
    return ResponseHead(int(found[1]), fields, status=int(found[2]), reason=found[3] or "")


def _parse(data: bytes | bytearray) -> tuple[str, Fields]:
    lines = [line.removesuffix("\r") for line in data.decode("latin-1").split("\n")]
    first, *rest = lines
    fields: Fields = []
    for line in rest:
        if not line:
            break
        found = _FIELD.fullmatch(line)
        if found is None:  # such as a folded line (RFC 9112, 5.2), which no client sends any more
            raise HeadError("a header field is not valid")
        fields.append((found[1], found[2]))
    return first, fields


def write_head(first: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """Return a head as it is sent."""
    lines = [first, *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
