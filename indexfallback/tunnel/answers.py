"""Answers of the tunnel itself: errors, as problem details (RFC 9457)."""

import json
from http import HTTPStatus

from indexfallback.tunnel.heads import Fields, write_head

#: What a client without the password of the run is told.
LOGIN = ("Proxy-Authenticate", 'Basic realm="indexfallback run"')


def problem(
    status: HTTPStatus, detail: str, *, fields: Fields | None = None, body: bool = True
) -> bytes:
    """Return a whole answer, after which the connection is closed; without its body for HEAD."""
    text = json.dumps({"title": status.phrase, "status": status, "detail": detail}).encode()
    head = write_head(
        f"HTTP/1.1 {status.value} {status.phrase}",
        [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(text))),
            ("Connection", "close"),
            *(fields or ()),
        ],
    )
    return head + text if body else head
