"""Rendered pages in memory, so that a page is not rendered again for each request.

Locks: ``_lock`` guards ``_pages`` and ``_size``; rendering happens outside it.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

#: Bytes of rendered pages kept: some hundred usual ones, or the thirty largest.
LIMIT = 32 * 1024**2


class Rendered(NamedTuple):
    """A page as it is sent."""

    body: bytes
    #: Strong, quoted (RFC 9110, 8.8.3).
    etag: str


class RenderedPages:
    """The pages sent most recently."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._pages: OrderedDict[Hashable, Rendered] = OrderedDict()
        self._size = 0

    def get(self, key: Hashable, render: Callable[[], bytes]) -> Rendered:
        """Return the rendered page of ``key``; render it if it is not there."""
        with self._lock:
            rendered = self._pages.get(key)
            if rendered is not None:
                self._pages.move_to_end(key)
                return rendered
        rendered = as_rendered(render())
        with self._lock:
            if key not in self._pages:
                self._pages[key] = rendered
                self._size += len(rendered.body)
            while self._size > self._limit:
                _, oldest = self._pages.popitem(last=False)
                self._size -= len(oldest.body)
        return rendered


def as_rendered(body: bytes) -> Rendered:
    """Return a body with an ETag made from its content."""
    return Rendered(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
