"""What an HTTP response says of itself, and its body as it comes."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3

from indexfallback.upstream.answers import TransferError
from indexfallback.upstream.failures import outcome_of_error

#: Digits of a number that SQLite can store.
_MOST_DIGITS = 18


def set_read_timeout(response: requests.Response, seconds: float) -> None:
    """Set the timeout between bytes, in place of the shorter one for the first byte."""
    connection = response.raw.connection
    if connection is not None and connection.sock is not None:
        connection.sock.settimeout(seconds)


def pieces(response: requests.Response, size: int, *, decode: bool = True) -> Iterator[bytes]:
    """Yield the body as it comes, decoded or as on the wire; raises `TransferError`."""
    try:
        while piece := response.raw.read1(size, decode_content=decode):
            yield piece
    except (urllib3.exceptions.HTTPError, requests.RequestException, OSError) as error:
        where = urlsplit(response.url).netloc
        raise TransferError(outcome_of_error(error, where)) from error


def is_web_page(response: requests.Response) -> bool:
    """Tell whether a response is HTML, which no distribution and no metadata file is."""
    return response.headers.get("Content-Type", "").lower().startswith("text/html")


def coding_of(response: requests.Response) -> str:
    """Return the content coding of a response in lower case, empty if it has none."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    return "" if coding == "identity" else coding


def strong_etag(response: requests.Response) -> str | None:
    """Return the ETag of a response, or None if it is missing or weak."""
    etag = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else None


def has_end(response: requests.Response) -> bool:
    """Tell whether a body that came whole has shown where its end is (RFC 9112, 6.3).

    Its stated length shows that, and the last one of its chunks. A body with neither ends where
    the connection does, also if that broke.
    """
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    return chunked or number(response.headers.get("Content-Length")) is not None


def number(text: str | None) -> int | None:
    """Return the number in a header, or None if it is not one, or too large."""
    return int(text) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def clock(response: requests.Response) -> float | None:
    """Return the time of the index's clock: Date, plus Age for a cached response."""
    try:
        date = parsedate_to_datetime(response.headers["Date"]).timestamp()
    # Missing, not a date, or out of range.
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return None
    return date + (number(response.headers.get("Age")) or 0)
