"""The bodies of an index's answers: of a page, within limits, and of a file, as it is described."""

import time
from collections.abc import Iterator

import requests

from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.answers import Body, Limits, TransferError
from indexfallback.upstream.parts import range_start
from indexfallback.upstream.responses import (
    coding_of,
    has_end,
    is_web_page,
    number,
    pieces,
    strong_etag,
)

#: Read size for pages, bytes: small, to check the limits often.
PAGE_PIECE = 64 * 1024
#: Read size for files, bytes.
_FILE_PIECE = 1024 * 1024


def bounded(response: requests.Response, limits: Limits) -> Iterator[bytes]:
    """Yield the body of a page; raises `TransferError` for one that is too large or too late."""
    size = 0
    for piece in pieces(response, PAGE_PIECE):
        size += len(piece)
        if size > limits.page_size:
            problem = f"a page of more than {limits.page_size} bytes (limits.page_size)"
            raise TransferError(Outcome(Kind.NOT_AN_INDEX, problem))
        if time.monotonic() > limits.ends:
            raise TransferError(Outcome(Kind.UNREACHABLE, "the page was not complete in time"))
        yield piece


def file_body(response: requests.Response, size: int | None) -> Body:
    """Return the body of a file's answer; ``size`` is what its page states.

    Servers label a ``.tar.gz`` as a tar in the coding gzip, and pip takes the bytes as they come.
    """
    partial = response.status_code == requests.codes.partial_content
    length = number(response.headers.get("Content-Length"))
    offset = range_start(response) if partial else 0
    total = length + offset if length is not None else None
    coding = "" if total is not None and total == size else coding_of(response)
    web_page = is_web_page(response)
    if coding or web_page:
        total = None  # no answer may begin with these bytes before their hash is right
    stream = pieces(response, _FILE_PIECE, decode=False)
    return Body(
        start=offset,
        total=total,
        read=lambda: next(stream, b""),
        close=response.close,
        etag=strong_etag(response),
        coding=coding,
        is_web_page=web_page,
        has_end=has_end(response),
    )
