"""The files of an index behind HTTP: whole, from an offset, in parts, and their sizes.

A request has the login in the link to the file, or what the index's own settings have for its host.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from copy import copy
from dataclasses import replace

import requests

from indexfallback.config import Index
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.upstream.answers import (
    WEB_PAGE,
    ClientLogin,
    FileAnswer,
    Part,
    PartAnswer,
    SizeAnswer,
)
from indexfallback.upstream.connection import Connection
from indexfallback.upstream.credentials import LinkLogins, origin
from indexfallback.upstream.journey import Journey, Method
from indexfallback.upstream.parts import find_part, read_part
from indexfallback.upstream.received import PAGE_PIECE, file_body
from indexfallback.upstream.responses import (
    coding_of,
    is_web_page,
    number,
    pieces,
    set_read_timeout,
)


class HttpFiles:
    """The files that the pages of one index list."""

    #: What a client has brought, in a copy for its one request.
    _client: ClientLogin | None = None

    def __init__(self, index: Index, connection: Connection) -> None:
        self._index = index
        self._connection = connection
        self._link_logins = LinkLogins(index)

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Ask for a file's bytes from ``offset``, or all if ``etag`` no longer matches.

        ``patience`` is the timeout for the first byte, seconds.
        """
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if etag:
                headers["If-Range"] = etag
        started = time.monotonic()
        index = self._index
        timeout = min(index.connect_timeout, patience), patience
        outcome, response = self._ask_for_file(file, headers, timeout)
        outcome = replace(outcome, elapsed=time.monotonic() - started)
        if response is None:
            return FileAnswer(outcome)
        if offset and response.status_code == requests.codes.requested_range_not_satisfiable:
            # The bytes received so far are as long as the file, or longer, and wrong.
            response.close()
            return self.open(file, 0, None, patience)
        if outcome.kind is Kind.FOUND and is_web_page(response) and not file.hashes:
            outcome = replace(outcome, kind=Kind.NOT_AN_INDEX, detail=WEB_PAGE)
        if outcome.kind is not Kind.FOUND:
            response.close()
            return FileAnswer(outcome)
        set_read_timeout(response, index.read_timeout)
        return FileAnswer(outcome, file_body(response, file.size))

    def _ask_for_file(
        self, file: File, headers: dict[str, str], timeout: tuple[float, float],
        method: Method = "GET",
    ) -> tuple[Outcome, requests.Response | None]:  # fmt: skip
        """Send a request for a file, with the login in its link."""
        login = self.link_login(file)
        carried = {origin(file.url): login} if login else {}
        journey = Journey(headers, timeout, carried=carried, client=self._client, method=method)
        return self._connection.ask(file.url, journey)

    def learn_logins(self, found: Mapping[str, str]) -> None:
        """Remember the logins in the links of a page (`formats.parse_page`), in memory alone."""
        self._link_logins.learn(found)

    def link_login(self, file: File) -> str:
        """Return the login in a link to a file as it is written there; empty if none is known."""
        return self._link_logins.of(file.url)

    def part(self, file: File, wanted: Part, patience: float) -> PartAnswer:
        """Ask for some bytes of a file.

        ``patience`` is the timeout for the first byte, seconds; the last may take as long again.
        """
        ends = time.monotonic() + 2 * patience

        def ask(asked: Part) -> PartAnswer:
            headers = {"Accept": "*/*", "Accept-Encoding": "identity", "Range": asked.header}
            started = time.monotonic()
            timeout = min(self._index.connect_timeout, patience), patience
            outcome, response = self._ask_for_file(file, headers, timeout)
            outcome = replace(outcome, elapsed=time.monotonic() - started)
            if response is None:
                return PartAnswer(outcome)
            set_read_timeout(response, self._index.read_timeout)
            with closing(response):  # which ends a body that is not read
                return read_part(response, outcome, asked, ends)

        return find_part(ask, wanted, file.size)

    def size(self, file: File, patience: float) -> SizeAnswer:
        """Ask for the size of a file by HEAD.

        ``patience`` is the timeout for the answer, seconds.
        """
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        timeout = min(self._index.connect_timeout, patience), patience
        outcome, response = self._ask_for_file(file, headers, timeout, "HEAD")
        if response is None:
            return SizeAnswer(outcome)
        with closing(response):
            # The end of the body, which has no bytes, allows the connection to be reused.
            next(pieces(response, PAGE_PIECE), b"")
        is_other = coding_of(response) or (is_web_page(response) and not file.hashes)
        if outcome.kind is not Kind.FOUND or is_other:
            return SizeAnswer(outcome)
        # Applications that do not know the size before they send the file state 0.
        return SizeAnswer(outcome, number(response.headers.get("Content-Length")) or None)

    def with_login(self, login: ClientLogin) -> "HttpFiles":
        """Return the same files, asked for with a client's login."""
        other = copy(self)
        other._client = login  # noqa: SLF001 - of the same class
        return other
