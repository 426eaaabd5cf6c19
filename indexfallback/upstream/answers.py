"""The interface of an upstream, and its answers."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from indexfallback.outcome import Outcome
from indexfallback.page import File, ProjectPage
from indexfallback.words import counted, left_out

#: The words for a login page, a captive portal or an error page in place of a file.
WEB_PAGE = "a web page where a file should be"


@dataclass(frozen=True)
class ClientLogin:
    """What a client has sent for one index, to be used in its one request and kept nowhere."""

    #: The index, and scheme, host and port to which it is sent (`origin.origin_of`).
    index: str
    origin: str
    #: The value of the Authorization header.
    header: str = field(repr=False)


class Limits(NamedTuple):
    """The limits of an attempt. ``ends`` is its deadline on the monotonic clock."""

    ends: float
    #: Size of a page, decoded, bytes.
    page_size: int
    #: Seconds until the headers are there.
    first_byte: float = math.inf
    #: Seconds until there is a connection; the index's own limit holds as well.
    connect: float = math.inf
    #: Is called when the headers are there.
    answering: Callable[[], None] = lambda: None


class PageAnswer(NamedTuple):
    """The answer to a request for a page; ``page`` is set if the outcome is FOUND."""

    outcome: Outcome
    page: ProjectPage | None = None
    etag: str | None = None
    last_modified: str | None = None
    #: The time of the index's clock, seconds since the epoch; None if not stated.
    clock: float | None = None


def page_words(page: ProjectPage) -> str:
    """Return a summary of a page, for an outcome."""
    return ", ".join(filter(None, (counted(len(page.files), "file"), left_out(page.dropped))))


class NamesAnswer(NamedTuple):
    """The answer to a request for the normalised names, set if the outcome is FOUND."""

    outcome: Outcome
    #: Each once; those of a directory are sorted.
    names: Collection[str] = ()
    #: As in `PageAnswer`.
    clock: float | None = None


class ListAnswer(NamedTuple):
    """The answer to a request for the list of names, which is not read yet."""

    outcome: Outcome
    #: Decoded, if the outcome is FOUND.
    body: bytes = b""
    content_type: str = ""
    #: The address of the answer, behind redirects.
    url: str = ""
    #: Whether the length of the body shows that all of it is here.
    is_whole: bool = False
    etag: str | None = None
    last_modified: str | None = None
    #: As in `PageAnswer`.
    clock: float | None = None


class DocumentAnswer(NamedTuple):
    """The answer to a request for PyPI's JSON; ``body`` is set if the outcome is FOUND."""

    outcome: Outcome
    #: As it came, decoded, and checked to be of the project and version that were asked for.
    body: bytes | None = None
    etag: str | None = None
    last_modified: str | None = None


class Body(NamedTuple):
    """The bytes of a file as they come on the wire, whatever their content coding."""

    #: Position of the first byte in the file: the requested offset, or 0.
    start: int
    #: Length of the whole file, where the index says, and nothing speaks against these bytes.
    total: int | None
    #: Returns the next bytes, at most 1 MiB, empty at the end; raises `TransferError`.
    read: Callable[[], bytes]
    close: Callable[[], None]
    #: A strong validator, for If-Range.
    etag: str | None = None
    #: The content coding that they may have to be decoded from, in lower case.
    coding: str = ""
    #: Whether the answer calls itself a web page.
    is_web_page: bool = False
    #: Whether the body shows its end, so that one which breaks off is noticed.
    has_end: bool = True


class FileAnswer(NamedTuple):
    """The answer to a request for a file; ``body`` is set if the outcome is FOUND."""

    outcome: Outcome
    body: Body | None = None


class Part(NamedTuple):
    """Some bytes of a file, as in a slice: from ``start`` up to, not including, ``stop``."""

    #: A negative one counts from the end of the file; then there is no ``stop``.
    start: int
    stop: int | None = None

    def of(self, total: int) -> tuple[int, int]:
        """Return both positions in a file of ``total`` bytes; the first may be behind its end."""
        if self.start < 0:
            return max(0, total + self.start), total
        return self.start, total if self.stop is None else min(self.stop, total)

    @property
    def header(self) -> str:
        """The value of the Range header (RFC 9110, 14.2)."""
        if self.start < 0:
            return f"bytes={self.start}"
        return f"bytes={self.start}-{'' if self.stop is None else self.stop - 1}"


class PartAnswer(NamedTuple):
    """The answer to a request for some bytes of a file; ``data`` is set if the outcome is FOUND."""

    outcome: Outcome
    #: Exactly the bytes that were asked for.
    data: bytes | None = None
    #: Length of the whole file, where the index states it.
    total: int | None = None
    #: A strong validator.
    etag: str | None = None


class SizeAnswer(NamedTuple):
    """The answer to a question for the size of a file."""

    outcome: Outcome
    #: Bytes; None if the index does not state it.
    size: int | None = None


class Skipped(NamedTuple):
    """An entry of a directory that is not offered."""

    #: Relative to the directory, with unprintable characters escaped.
    path: str
    reason: str


class TransferError(Exception):
    """A transfer stopped before the end of the file."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


class Upstream(Protocol):
    """One index. Its failures are outcomes, not exceptions."""

    def page(
        self, project: str, limits: Limits, etag: str | None, last_modified: str | None
    ) -> PageAnswer:
        """Ask for a project page; the validators are those of the stored page."""
        ...

    def names(self, limits: Limits) -> NamesAnswer:
        """Ask for the list of names."""
        ...

    def document(
        self,
        project: str,
        version: str,
        limits: Limits,
        etag: str | None,
        last_modified: str | None,
    ) -> DocumentAnswer:
        """Ask for the JSON of a project, or of one version, at an index with a `json_root`.

        ``version`` is empty for the project's; the validators are those of the stored document.
        """
        ...

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Ask for a file's bytes from ``offset``, or all if ``etag`` no longer matches.

        ``patience`` is the timeout for the first byte, seconds.
        """
        ...

    def link_login(self, file: File) -> str:
        """Return the login in a link to a file as it is written there; empty if none is known.

        No page has it, since pages are stored and served.
        """
        ...

    def part(self, file: File, wanted: Part, patience: float) -> PartAnswer:
        """Ask for some bytes of a file, which are few enough to be held in memory.

        ``patience`` is the timeout for the first byte, seconds; the last may take as long again.
        """
        ...

    def with_login(self, login: ClientLogin) -> "Upstream":
        """Return the same index, which is asked with a client's login instead of its own."""
        ...

    def skipped(self) -> tuple[Skipped, ...]:
        """Return the entries of a directory that are not offered; empty for other upstreams."""
        ...

    def certificate_end(self) -> date | None:
        """Return the last day of its certificate; None without one, or if it cannot be read."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...
