"""An index behind HTTP: pages, names and files from its simple API."""

import time
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from datetime import date
from urllib.parse import quote, urlsplit

import msgspec
import requests

from indexfallback.config import Index, Settings
from indexfallback.config.pip import default_url
from indexfallback.errors import PageError
from indexfallback.formats import parse_listing, parse_page, project_json
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.process.pauses import in_pieces
from indexfallback.upstream.answers import (
    ClientLogin,
    DocumentAnswer,
    FileAnswer,
    Limits,
    ListAnswer,
    NamesAnswer,
    PageAnswer,
    Part,
    PartAnswer,
    SizeAnswer,
    Skipped,
    TransferError,
    page_words,
)
from indexfallback.upstream.connection import Connection
from indexfallback.upstream.credentials import Origin, origin
from indexfallback.upstream.http_files import HttpFiles
from indexfallback.upstream.journey import Journey
from indexfallback.upstream.received import PAGE_PIECE, bounded
from indexfallback.upstream.responses import (
    clock,
    has_end,
    number,
    pieces,
    set_read_timeout,
)
from indexfallback.words import counted

#: JSON first: it has more fields and is faster to parse.
ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
_VALIDATORS = {"If-None-Match", "If-Modified-Since"}
#: The shortest timeout, seconds: zero would mean "do not block".
_SHORTEST = 0.001


class HttpIndex:
    """One index behind HTTP."""

    #: What a client has brought, in a copy for its one request.
    _client: ClientLogin | None = None

    def __init__(self, index: Index, settings: Settings) -> None:
        self._index = index
        self._chain = settings.indexes
        self._connection = Connection(
            index, settings.ca_bundle, settings.allow_hosts, settings.proxy
        )
        self._files = HttpFiles(index, self._connection)

    def page(
        self, project: str, limits: Limits, etag: str | None, last_modified: str | None
    ) -> PageAnswer:
        """Ask for a project page; the validators are those of the stored page."""
        headers = _conditional(ACCEPT, etag, last_modified)
        url = f"{self._index.url}{quote(project)}/"
        carried: dict[Origin, str] = {}
        outcome, response, body = self._fetch(url, headers, limits, carried)
        if response is None or outcome.kind is not Kind.FOUND:
            return PageAnswer(outcome)
        logins: dict[str, str] = {}
        try:
            page = parse_page(
                body,
                response.headers.get("Content-Type", ""),
                _with_login(response.url, carried.get(origin(response.url), "")),
                project,
                public=not self._connection.local_access.is_allowed,
                whole=has_end(response),
                logins=logins,
            )
        except PageError as error:
            return PageAnswer(
                replace(outcome, kind=Kind.NOT_AN_INDEX, detail=f"not an index: {error.problem}")
            )
        self.learn_logins(logins)
        found = replace(outcome, kind=Kind.FOUND, detail=page_words(page))
        answered = response.headers
        if page.serial is None:  # in HTML, a header is the only place for it
            page = msgspec.structs.replace(page, serial=number(answered.get("X-PyPI-Last-Serial")))
        return PageAnswer(
            found, page, answered.get("ETag"), answered.get("Last-Modified"), clock(response)
        )

    def document(
        self,
        project: str,
        version: str,
        limits: Limits,
        etag: str | None,
        last_modified: str | None,
    ) -> DocumentAnswer:
        """Ask for the JSON of a project, or of one version; the validators are the stored one's."""
        headers = _conditional("application/json", etag, last_modified)
        of = "/".join(quote(part, safe="") for part in (project, version) if part)
        url = f"{self._index.json_root}{of}/json"
        outcome, response, body = self._fetch(url, headers, limits, {})
        if response is None or outcome.kind is not Kind.FOUND:
            return DocumentAnswer(outcome)
        try:
            body = project_json.checked(body, response.url, project, version)
        except PageError as error:
            return DocumentAnswer(replace(outcome, kind=Kind.NOT_AN_INDEX, detail=error.problem))
        answered = response.headers
        return DocumentAnswer(outcome, body, answered.get("ETag"), answered.get("Last-Modified"))

    def names(self, limits: Limits) -> NamesAnswer:
        """Ask for the list of names."""
        answer = self.list_of_names(limits, None, None)
        if answer.outcome.kind is not Kind.FOUND:
            return NamesAnswer(answer.outcome)
        names: dict[str, int | None] = {}
        try:
            listed, _ = parse_listing(
                answer.body, answer.content_type, answer.url, whole=answer.is_whole
            )
            for piece in in_pieces(listed):
                names.update(piece)
        except PageError as error:
            problem = f"not an index: {error.problem}"
            return NamesAnswer(replace(answer.outcome, kind=Kind.NOT_AN_INDEX, detail=problem))
        found = replace(answer.outcome, kind=Kind.FOUND, detail=counted(len(names), "name"))
        return NamesAnswer(found, names.keys(), answer.clock)

    def list_of_names(
        self, limits: Limits, etag: str | None, last_modified: str | None
    ) -> ListAnswer:
        """Ask for the list of names as it is sent; the validators are those of a stored list."""
        headers = _conditional(ACCEPT, etag, last_modified)
        outcome, response, body = self._fetch(self._index.url, headers, limits, {})
        if response is None or outcome.kind is not Kind.FOUND:
            return ListAnswer(outcome)
        answered = response.headers
        return ListAnswer(
            outcome,
            body,
            answered.get("Content-Type", ""),
            response.url,
            has_end(response),
            answered.get("ETag"),
            answered.get("Last-Modified"),
            clock(response),
        )

    def _fetch(
        self, url: str, headers: dict[str, str], limits: Limits, carried: dict[Origin, str]
    ) -> tuple[Outcome, requests.Response | None, bytes]:
        """Send a GET and return its whole body, within the limits.

        To ``carried`` are added the logins in addresses of redirects.
        """
        started = time.monotonic()
        left = max(limits.ends - started, _SHORTEST)
        first_byte = min(limits.first_byte, left)
        connect = max(min(self._index.connect_timeout, limits.connect, first_byte), _SHORTEST)
        journey = Journey(headers, (connect, first_byte), carried=carried, client=self._client)
        outcome, response = self._connection.ask(url, journey, self._other_index)
        limits.answering()
        body, size = b"", 0
        if response is not None:
            set_read_timeout(response, self._index.read_timeout)
            try:
                if outcome.kind is Kind.FOUND:
                    body = b"".join(bounded(response, limits))
                else:
                    # A short body that has been read allows the connection to be reused.
                    next(pieces(response, PAGE_PIECE), b"")
            except TransferError as error:
                outcome = error.outcome if outcome.kind is Kind.FOUND else outcome
            finally:
                size = response.raw.tell()
                response.close()
        if outcome.kind is Kind.NOT_MODIFIED and not _VALIDATORS & headers.keys():
            unasked = "304 Not Modified to a request without validators"
            outcome = replace(outcome, kind=Kind.NOT_AN_INDEX, detail=unasked)
        elapsed = time.monotonic() - started
        return replace(outcome, elapsed=elapsed, size=size), response, body

    def _other_index(self, url: str) -> str | None:
        """Return the name of the other index that an address of a page belongs to, if any.

        GitLab and pypiserver redirect to PyPI for every name that they do not have; such a page is
        not their own, and neither is such JSON. The pages of a mirror may be at any address.
        """
        if not self._index.is_private:
            return None
        target = origin(url), urlsplit(url).path
        for other in self._chain:
            roots = filter(None, (other.url, other.json_root))
            if other != self._index and any(_is_below(target, root) for root in roots):
                return other.name
        return "PyPI" if origin(url) == origin(default_url()) else None

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Ask for a file's bytes, as `HttpFiles.open`."""
        return self._files.open(file, offset, etag, patience)

    def part(self, file: File, wanted: Part, patience: float) -> PartAnswer:
        """Ask for some bytes of a file, as `HttpFiles.part`."""
        return self._files.part(file, wanted, patience)

    def size(self, file: File, patience: float) -> SizeAnswer:
        """Ask for the size of a file, as `HttpFiles.size`."""
        return self._files.size(file, patience)

    def learn_logins(self, found: Mapping[str, str]) -> None:
        """Remember the logins in the links of a page, as `HttpFiles.learn_logins`."""
        self._files.learn_logins(found)

    def link_login(self, file: File) -> str:
        """Return the login in a link to a file, as `HttpFiles.link_login`."""
        return self._files.link_login(file)

    def with_login(self, login: ClientLogin) -> "HttpIndex":
        """Return the same index, with its connections, which sends a client's login."""
        other = copy(self)
        other._client = login  # noqa: SLF001 - of the same class
        other._files = self._files.with_login(login)  # noqa: SLF001 - as above
        return other

    def skipped(self) -> tuple[Skipped, ...]:
        """Return nothing: an index behind HTTP does not list what it leaves out."""
        return ()

    def certificate_end(self) -> date | None:
        """Return the last day of its certificate; None without TLS or behind a proxy."""
        return self._connection.certificate_end()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()


def _conditional(accept: str, etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return the headers of a request for a page, with the validators of a stored one."""
    headers = {"Accept": accept, "Accept-Encoding": "gzip, deflate"}
    if etag:
        headers["If-None-Match"] = etag
    elif last_modified:
        headers["If-Modified-Since"] = last_modified
    return headers


def _with_login(url: str, login: str) -> str:
    """Return an address with a login, which the page's relative links then have as well."""
    return url.replace("://", f"://{login}@", 1) if login else url


def _is_below(target: tuple[tuple[str, str, int | None], str], root: str) -> bool:
    return target[0] == origin(root) and target[1].startswith(urlsplit(root).path)
