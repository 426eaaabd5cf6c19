"""Rendered pages in memory, so that a page is not rendered again for each request.

Two threads that render the same page at once both do it; one of the results is kept.
"""

import hashlib
from collections.abc import Callable, Hashable
from typing import NamedTuple

from indexfallback.memory.table import Table


class Rendered(NamedTuple):
    """A page as it is sent."""

    body: bytes
    #: Strong, quoted (RFC 9110, 8.8.3).
    etag: str


class RenderedPages:
    """The pages sent most recently."""

    def __init__(self) -> None:
        self._pages: Table[Hashable, Rendered] = Table("server.rendered.RenderedPages._pages")

    def get(self, key: Hashable, render: Callable[[], bytes]) -> Rendered:
        """Return the rendered page of ``key``; render it if it is not there."""
        rendered = self._pages.get(key)
        if rendered is None:
            rendered = as_rendered(render())
            self._pages.put(key, rendered)
        return rendered


def as_rendered(body: bytes) -> Rendered:
    """Return a body with an ETag made from its content."""
    return Rendered(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
