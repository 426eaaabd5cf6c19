"""A cache of responses that lasts a second, for many clients that want the same page at once.

A page costs five times as much with the framework as without it, which a build farm would notice.

Headers are part of the keys and of the bound: a client may send as many as it likes, of any length.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from indexfallback.memory.table import Table
from indexfallback.server.proxied import PUBLIC_ROOT

#: The application sets it in the environment to the seconds for which its response may be cached.
MAX_AGE = "indexfallback.max_age"
#: Its key for the header with a client's login for an index, which a proxy has renamed from
#: Authorization: that one is for this server's own tokens.
CLIENT_LOGIN = "HTTP_INDEXFALLBACK_AUTHORIZATION"

_Headers = list[tuple[str, str]]
_Key = tuple[str | int | None, ...]
_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def is_to_revalidate(cache_control: str | None) -> bool:
    """Tell whether a client asks for an answer from the index itself (RFC 9111, 5.2.1.4).

    ``max-age=0`` means nothing: some versions of pip send it with each request.
    """
    if cache_control is None:  # of most requests, whose cost counts
        return False
    directives = cache_control.lower().split(",")
    return any(directive.strip() == "no-cache" for directive in directives)


class _Response(NamedTuple):
    expires: float
    status: str
    headers: _Headers
    body: list[bytes]


class ResponseCache:
    """A WSGI application that caches the responses of another one."""

    def __init__(self, application: _Application, state: Callable[[], int]) -> None:
        """Cache what ``application`` allows; when ``state`` changes, all responses expire."""
        self._application = application
        self._state = state
        self._responses: Table[_Key, _Response] = Table(
            "server.response_cache.ResponseCache._responses"
        )

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request."""
        if environ["REQUEST_METHOD"] == "POST":
            return self._upload(environ, start_response)
        # What a client has brought for an index is no part of a key that outlives its request.
        is_alone = "HTTP_IF_NONE_MATCH" in environ or CLIENT_LOGIN in environ
        if environ["REQUEST_METHOD"] != "GET" or is_alone:
            return self._application(environ, start_response)
        # All that a page depends on, and what the application may refuse a request for.
        key = (
            environ["PATH_INFO"],
            environ.get("HTTP_ACCEPT"),
            environ.get("HTTP_HOST"),
            environ.get(PUBLIC_ROOT),
            environ.get("HTTP_AUTHORIZATION"),
            self._state(),
        )
        response = self._responses.get(key)
        if is_to_revalidate(environ.get("HTTP_CACHE_CONTROL")):
            return self._ask(key, environ, start_response)
        if response is not None and time.monotonic() < response.expires:
            start_response(response.status, response.headers)
            return response.body
        return self._ask(key, environ, start_response)

    def _upload(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass an upload on; empty the cache if it was taken, since pages may have changed."""

        def start(status: str, headers: _Headers, exc_info: Any = None) -> Any:
            if status.startswith("2"):
                self._responses.clear()
            return start_response(status, headers, exc_info)

        return self._application(environ, start)

    def _ask(
        self, key: _Key, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        started: list[tuple[str, _Headers]] = []

        def start(status: str, headers: _Headers, exc_info: Any = None) -> Any:
            started.append((status, headers))
            return start_response(status, headers, exc_info)

        body = self._application(environ, start)
        seconds = environ.get(MAX_AGE)
        if seconds and isinstance(body, list):
            expires = time.monotonic() + seconds
            self._responses.put(key, _Response(expires, *started[0], body))
        return body
