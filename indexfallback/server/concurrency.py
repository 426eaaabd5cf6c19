"""A limit of requests at once, so that a thread is always left for the shim's own state.

A request holds a thread of the server while it waits for an index, and while its client reads.
Without a limit, `/-/health` waits as soon as such requests hold all threads; whoever watches the
shim then takes it for dead.

Locks: the semaphore's own. ``_told`` needs none: two threads that read it at once log one line
more.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

import msgspec

from indexfallback.server.guards import PROBLEM_JSON

log = logging.getLogger("indexfallback")

#: Requests at once. A build farm has a thousand clients; each takes 250 KB while it reads.
MOST = 2000
#: Answered whatever else is going on: quickly, and without an index.
ALWAYS = frozenset({"/-/health", "/-/status", "/-/metrics"})
#: Clients may ask again after this long, seconds; files of usual size are sent by then.
_RETRY_SECONDS = 2
#: The log tells of refused requests this often, seconds.
_LOG_SECONDS = 60.0

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ConcurrencyLimit:
    """A WSGI application that passes on a limited number of requests at once, and refuses more."""

    def __init__(self, application: _Application, most: int = MOST) -> None:
        self._application = application
        self._most = most
        self._free = threading.Semaphore(most)
        self._told = float("-inf")

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request; one beyond the limit with status 503."""
        if environ["PATH_INFO"] in ALWAYS:
            return self._application(environ, start_response)
        if not self._free.acquire(blocking=False):
            return self._refuse(environ, start_response)
        try:
            body = self._application(environ, start_response)
        except BaseException:
            self._free.release()
            raise
        if isinstance(body, list):
            self._free.release()
            return body
        return _Body(body, self._free.release)

    def _refuse(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        detail = (
            f"this machine: {self._most} requests are being answered already; "
            "run again, or run fewer clients at once"
        )
        now = time.monotonic()
        if now >= self._told + _LOG_SECONDS:
            self._told = now
            log.warning("%s is refused: %s", environ["PATH_INFO"], detail)
        problem = {
            "type": "about:blank",
            "title": "Too many requests at once",
            "status": 503,
            "detail": detail,
        }
        body = msgspec.json.encode(problem)
        headers = [
            ("Content-Type", PROBLEM_JSON),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Retry-After", str(_RETRY_SECONDS)),
        ]
        start_response("503 Service Unavailable", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


@final
class _Body:
    """A body that is sent in pieces; ``closed`` is called at its end (PEP 3333, close())."""

    def __init__(self, body: Iterable[bytes], closed: Callable[[], None]) -> None:
        self._body = body
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """End the request: the body was sent, or its client has left."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._closed()
