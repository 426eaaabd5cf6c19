"""Parts of files behind HTTP (RFC 9110, 14): what is asked for, and whether that is what came.

Some servers ignore ranges, some refuse a range from the end (Azure Artifacts), and some answer
another range than was asked for, or several.
"""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import requests

from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.answers import WEB_PAGE, Part, PartAnswer, TransferError
from indexfallback.upstream.responses import coding_of, is_web_page, number, pieces, strong_etag

#: Size of a read, bytes: small, to check the time often.
_PIECE = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.ASCII)
#: Statuses of servers that do not understand a range, above all one from the end.
_NOT_UNDERSTOOD = frozenset({400, 405, 416, 501})
_FIRST_BYTE = Part(0, 1)


class _Range(NamedTuple):
    """What a Content-Range header states; -1 for positions, None for a length that it does not."""

    start: int = -1
    stop: int = -1
    total: int | None = None


def find_part(ask: Callable[[Part], PartAnswer], wanted: Part, size: int | None) -> PartAnswer:
    """Ask for a part, and once more with other positions if the first ones were not understood.

    ``size`` is the length that the file's page states, which may be wrong.
    """
    asked = Part(*wanted.of(size)) if wanted.start < 0 and size is not None else wanted
    answer = ask(asked)
    outcome, total = answer.outcome, answer.total
    if wanted.start >= 0 or (answer.data is not None and (asked == wanted or total == size)):
        return answer
    if asked.start < 0 and total is None and outcome.kind is Kind.NO_PARTS:
        answer = ask(_FIRST_BYTE)
        total = answer.total if answer.data is not None else None
    if total is None or wanted.of(total) == asked:
        return answer
    return ask(Part(*wanted.of(total)))


def read_part(
    response: requests.Response, outcome: Outcome, asked: Part, ends: float
) -> PartAnswer:
    """Return the part in a response, whose body is read until ``ends`` on the monotonic clock.

    The body is not read if it is not that part.
    """
    stated, etag = _content_range(response), strong_etag(response)
    if response.status_code in _NOT_UNDERSTOOD:
        return PartAnswer(_no_parts(outcome, f"no parts of files: {outcome}"), total=stated.total)
    if outcome.kind is not Kind.FOUND:
        return PartAnswer(outcome)
    if is_web_page(response):
        return PartAnswer(replace(outcome, kind=Kind.NOT_AN_INDEX, detail=WEB_PAGE))
    if coding_of(response):
        return PartAnswer(_no_parts(outcome, "it encodes parts of files"))
    length = number(response.headers.get("Content-Length"))
    if response.status_code != requests.codes.partial_content:
        if length is None or asked.of(length) != (0, length):
            return PartAnswer(_no_parts(outcome, "it gives no parts of files"), None, length, etag)
        stated = _Range(0, length, length)
    start, stop, total = stated
    if total is None or (start, stop) != asked.of(total):
        # Several parts have no such header: each has its own.
        other = _no_parts(outcome, "it gives another part of a file than asked for")
        return PartAnswer(other, None, total, etag)
    try:
        return PartAnswer(outcome, _read(response, stop - start, ends), total, etag)
    except TransferError as error:
        return PartAnswer(replace(error.outcome, elapsed=outcome.elapsed))


def _no_parts(outcome: Outcome, detail: str) -> Outcome:
    return replace(outcome, kind=Kind.NO_PARTS, detail=detail)


def _read(response: requests.Response, length: int, ends: float) -> bytes:
    """Return a body of that length; raises `TransferError`."""
    data = bytearray()
    for piece in pieces(response, _PIECE, decode=False):
        data += piece
        if len(data) > length:
            raise TransferError(Outcome(Kind.FAILED, "more bytes than were asked for"))
        if time.monotonic() > ends:
            raise TransferError(Outcome(Kind.UNREACHABLE, "a part was not complete in time"))
    if len(data) < length:
        detail = f"ended after {len(data)} of {length} bytes"
        raise TransferError(Outcome(Kind.FAILED, detail))
    return bytes(data)


def range_start(response: requests.Response) -> int:
    """Return the offset of a partial response, perhaps not the requested one."""
    return max(0, _content_range(response).start)


def _content_range(response: requests.Response) -> _Range:
    """Return what the Content-Range header states (RFC 9110, 14.4)."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None:
        return _Range()
    first, last, total = match.groups()
    start, stop = (int(first), int(last) + 1) if first is not None else (-1, -1)
    return _Range(start, stop, None if total == "*" else int(total))
