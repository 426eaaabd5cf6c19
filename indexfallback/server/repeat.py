"""A page that was sent a moment ago is sent again without asking the application.

Fifty clients that want the same page at once are what a build farm or a benchmark is; the way
through the framework costs five times what the page does.

Locks: none; an entry is put and taken in one step, and the table is emptied as a whole. The
count of bytes may miss one that was put at the same time, which costs a page at most.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

#: The application sets it to the seconds for which its answer may be repeated.
REPEATABLE = "indexfallback.repeatable"
#: Bytes of pages kept at once: hundreds of usual ones, or the eight largest; they hold for a
#: second.
_MOST = 8 * 1024**2

_Headers = list[tuple[str, str]]
_Key = tuple[str | int | None, ...]
_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Answer(NamedTuple):
    ends: float
    status: str
    headers: _Headers
    body: list[bytes]


class Repeat:
    """A WSGI application that repeats what another one allows it to."""

    def __init__(self, application: _Application, state: Callable[[], int]) -> None:
        """Repeat nothing that was answered before ``state`` has changed."""
        self._application = application
        self._state = state
        self._answers: dict[_Key, _Answer] = {}
        self._size = 0

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request."""
        if environ["REQUEST_METHOD"] == "POST":
            return self._change(environ, start_response)
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_IF_NONE_MATCH" in environ:
            return self._application(environ, start_response)
        # All that a page depends on. Who sends another Host is refused by the application, and
        # what is refused is never kept; so, too, who has no token.
        key = (
            environ["PATH_INFO"],
            environ.get("HTTP_ACCEPT"),
            environ.get("HTTP_HOST"),
            environ.get("HTTP_AUTHORIZATION"),
            self._state(),
        )
        answer = self._answers.get(key)
        if answer is not None and time.monotonic() < answer.ends:
            start_response(answer.status, answer.headers)
            return answer.body
        return self._ask(key, environ, start_response)

    def _change(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass an upload on, after which no page from before is repeated."""
        try:
            return self._application(environ, start_response)
        finally:
            self._answers, self._size = {}, 0

    def _ask(
        self,
        key: _Key,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
    ) -> Iterable[bytes]:
        started: list[tuple[str, _Headers]] = []

        def start(status: str, headers: _Headers, exc_info: Any = None) -> Any:
            started.append((status, headers))
            return start_response(status, headers, exc_info)

        body = self._application(environ, start)
        seconds = environ.get(REPEATABLE)
        if seconds and isinstance(body, list):
            self._size += sum(map(len, body))
            if self._size > _MOST:
                self._answers, self._size = {}, 0
            else:
                self._answers[key] = _Answer(time.monotonic() + seconds, *started[0], body)
        return body
