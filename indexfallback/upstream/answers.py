"""What an upstream is asked and answers, whatever it is behind."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from indexfallback.outcome import Outcome
from indexfallback.page import File, ProjectPage
from indexfallback.words import left_out


class Limits(NamedTuple):
    """How long an attempt may take. ``ends`` is on the monotonic clock."""

    ends: float
    #: Decoded bytes of a page.
    page_size: int
    #: Seconds until the first byte, and between the bytes of the headers.
    first_byte: float = 5.0


class PageAnswer(NamedTuple):
    """An attempt at a project page; ``page`` is there if the outcome is FOUND."""

    outcome: Outcome
    page: ProjectPage | None = None
    etag: str | None = None
    last_modified: str | None = None
    #: What its clock said, seconds since the epoch; None where it does not say.
    clock: float | None = None


def page_words(page: ProjectPage) -> str:
    """Return what a page holds, for an outcome."""
    return ", ".join(filter(None, (f"{len(page.files)} files", left_out(page.dropped))))


class NamesAnswer(NamedTuple):
    """An attempt at the list of names; normalised, and there if the outcome is FOUND."""

    outcome: Outcome
    names: tuple[str, ...] = ()
    #: As in `PageAnswer`.
    clock: float | None = None
    #: The same names with their counters of changes, where the index states them, and its own.
    serials: dict[str, int | None] | None = None
    serial: int | None = None


class Body(NamedTuple):
    """The bytes of a file as they come."""

    #: Where in the file the first byte belongs: what was asked for, or 0.
    start: int
    #: Length of the whole file, where the index says.
    total: int | None
    #: Return the next bytes, at most 1 MiB, or nothing at the end; raises `TransferError`.
    read: Callable[[], bytes]
    close: Callable[[], None]
    #: A strong validator, if there is one: what If-Range takes.
    etag: str | None = None


class FileAnswer(NamedTuple):
    """An attempt at a file; ``body`` is there if the outcome is FOUND."""

    outcome: Outcome
    body: Body | None = None


class Skipped(NamedTuple):
    """Something in a directory that is not offered."""

    #: Below the directory, with what is not printable escaped.
    path: str
    reason: str


class TransferError(Exception):
    """A file's bytes stopped coming before its end."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


class Upstream(Protocol):
    """One index. Every failure of it is an outcome, never an exception."""

    def page(
        self, project: str, limits: Limits, etag: str | None, last_modified: str | None
    ) -> PageAnswer:
        """Ask for a project page; the validators are those of the page held already."""
        ...

    def names(self, limits: Limits) -> NamesAnswer:
        """Ask for the list of names."""
        ...

    def open(self, file: File, offset: int, etag: str | None, patience: float) -> FileAnswer:
        """Ask for a file's bytes from ``offset``, if it is still what ``etag`` says.

        ``patience`` is seconds to wait for the first byte.
        """
        ...

    def skipped(self) -> tuple[Skipped, ...]:
        """Return what lies there and is not offered; only of a directory anybody knows."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...
