"""The cookies of one request and its redirects; each goes back to the origin that set it.

A gateway in front of an index may set a cookie with a redirect, and refuse a client that comes back
without it (RFC 6265). Nothing is kept after the request, so no attribute of a cookie matters.
"""

from collections.abc import Iterable

from indexfallback.upstream.credentials import Origin

#: Longest Cookie header, bytes: common servers refuse a header of more than 8 KiB.
_MOST_BYTES = 8000


class Cookies:
    """The cookies that were set so far, by origin."""

    def __init__(self) -> None:
        self._set: dict[Origin, dict[str, str]] = {}

    def take(self, where: Origin, headers: Iterable[str]) -> None:
        """Take the values of the Set-Cookie headers of an answer."""
        for header in headers:
            name, equals, value = header.partition(";")[0].strip().partition("=")
            if name and equals and header.isascii() and header.isprintable():
                self._set.setdefault(where, {})[name.strip()] = value.strip()

    def header(self, where: Origin) -> str:
        """Return the Cookie header for an origin; empty if it has set none, or too much."""
        text = "; ".join(f"{name}={value}" for name, value in self._set.get(where, {}).items())
        return text if len(text) <= _MOST_BYTES else ""
