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
#: The outcomes of a server that does not understand a range from the end: 400, 405, 501.
_NOT_UNDERSTOOD = frozenset({Kind.REFUSED, Kind.FAILED})
_FIRST_BYTE = Part(0, 1)


class _Range(NamedTuple):
    """What a Content-Range header states; None for what it does not."""

    part: Part | None = None
    total: int | None = None


def find_part(
    ask: Callable[[Part], PartAnswer], wanted: Part, size: int | None = None
) -> PartAnswer:
    """Ask for a part, and once more with other positions if the first ones were not understood.

    ``size`` is the length that the file's page states, which may be wrong.
    """
    if wanted.start >= 0:
        return ask(wanted)
    asked = wanted.of(size) if size is not None else wanted
    answer = ask(asked)
    outcome, total = answer.outcome, answer.total
    if answer.data is not None and (asked == wanted or total == size):
        return answer
    if outcome.kind in _NOT_UNDERSTOOD and total is None and not outcome.is_transient:
        answer = ask(_FIRST_BYTE)
        if answer.data is None:
            return answer
        total = answer.total
    elif outcome.kind is Kind.FOUND and answer.data is None:
        return answer
    return answer if total is None or wanted.of(total) == asked else ask(wanted.of(total))


def read_part(
    response: requests.Response, outcome: Outcome, asked: Part, ends: float
) -> PartAnswer:
    """Return the part in a response, whose body is read until ``ends`` on the monotonic clock.

    The body is not read if it is not that part.
    """
    stated, etag = _content_range(response), strong_etag(response)
    if outcome.kind is not Kind.FOUND:
        return PartAnswer(outcome, total=stated.total)
    if is_web_page(response):
        return PartAnswer(replace(outcome, kind=Kind.NOT_AN_INDEX, detail=WEB_PAGE))
    if coding_of(response):  # no part of the file, but of its encoded form
        return PartAnswer(outcome)
    length = number(response.headers.get("Content-Length"))
    if response.status_code != requests.codes.partial_content:
        if length is None or asked.of(length) != Part(0, length):
            return PartAnswer(outcome, total=length, etag=etag)
        stated = _Range(Part(0, length), length)
    part, total = stated
    if part is None or total is None or part.stop is None or part != asked.of(total):
        # Several parts have no such header: each has its own.
        other = replace(outcome, kind=Kind.FAILED, detail="answered another range than asked for")
        return PartAnswer(other, total=total)
    try:
        return PartAnswer(outcome, _read(response, part.stop - part.start, ends), total, etag)
    except TransferError as error:
        return PartAnswer(replace(error.outcome, elapsed=outcome.elapsed))


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
    part = _content_range(response).part
    return part.start if part is not None else 0


def _content_range(response: requests.Response) -> _Range:
    """Return what the Content-Range header states (RFC 9110, 14.4)."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None:
        return _Range()
    first, last, total = match.groups()
    part = Part(int(first), int(last) + 1) if first is not None else None
    return _Range(part, None if total == "*" else int(total))
