"""Requests as they are sent on: to the shim, to the host itself, or to the user's proxy. Pure."""

import re
from typing import NamedTuple

from indexfallback.tunnel.heads import Fields, Framing, RequestHead, write_head
from indexfallback.tunnel.origins import Origin, origin_of
from indexfallback.tunnel.route import ProxyAddress

#: The shim's own logins are in Authorization; those for an index are in this field.
LOGIN_FIELD = "Indexfallback-Authorization"
#: An address in a request to a proxy (RFC 9112, 3.2.2): its authority, and the rest as written.
_ABSOLUTE = re.compile(r"(https?://[^/?#]+)([^#]*)", re.IGNORECASE)
#: Methods that the shim answers; all others are for the host itself.
_READING = frozenset(("GET", "HEAD"))


class Request(NamedTuple):
    """A request of a client at an origin."""

    origin: Origin
    #: Path and query exactly as the client sent them.
    target: str
    head: RequestHead

    @property
    def is_reading(self) -> bool:
        """Whether the shim may answer it: a GET or a HEAD without a body."""
        return self.head.method in _READING and self.head.length == 0

    def for_shim(self, shim: Origin, root: str, login: str) -> bytes:
        """Return the head for the shim.

        ``root`` is the path of its root, such as ``/``; ``login`` its user's Authorization.
        """
        fields = [
            (LOGIN_FIELD if name.lower() == "authorization" else name, value)
            for name, value in self.head.end_to_end
            if name.lower() not in ("host", "content-length", LOGIN_FIELD.lower())
        ]
        origin = self.origin
        path = f"{root}via/{origin.scheme}/{origin.authority}{self.target}"
        return write_head(
            f"{self.head.method} {path} HTTP/1.1",
            [("Host", shim.authority), ("Authorization", login), *fields],
        )

    def for_host(self, proxy: ProxyAddress | None) -> bytes:
        """Return the head for the host itself, or for a proxy that wants the whole address."""
        target = self.target if proxy is None else f"{self.origin}{self.target}"
        fields: Fields = [
            (name, value) for name, value in self.head.end_to_end if name.lower() != "host"
        ]
        if self.head.length is Framing.CHUNKED:
            fields.append(("Transfer-Encoding", "chunked"))
        own = [("Host", self.origin.authority), *fields, *(proxy.fields if proxy else ())]
        return write_head(f"{self.head.method} {target} HTTP/1.1", own)


def origin_to_connect(head: RequestHead) -> Origin:
    """Return host and port that a CONNECT names, taken for https; raises ValueError."""
    if not head.target.rpartition(":")[2].isdigit() or "/" in head.target:
        raise ValueError("CONNECT needs host and port")
    return origin_of(f"https://{head.target}")


def request_to_proxy(head: RequestHead) -> Request:
    """Return the request in a head with an absolute address; raises ValueError for another."""
    found = _ABSOLUTE.fullmatch(head.target)
    if found is None:
        raise ValueError("this is a proxy: the request has no absolute address")
    return Request(origin_of(found[1]), _rooted(found[2]), head)


def request_to_origin(head: RequestHead, origin: Origin) -> Request:
    """Return the request in a head that was sent through TLS to an origin; raises ValueError."""
    if _ABSOLUTE.fullmatch(head.target):  # which servers accept as well (RFC 9112, 3.2.2)
        return request_to_proxy(head)._replace(origin=origin)
    if not head.target.startswith("/") and head.target != "*":
        raise ValueError("the request has no path")
    return Request(origin, head.target, head)


def _rooted(target: str) -> str:
    return target if target.startswith("/") else f"/{target}"
