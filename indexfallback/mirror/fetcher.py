"""Requests for pages and files, with retries after a failure and waits where the index asks.

`chain.asking` asks for pages within a client's deadline; a run has no deadline, must not give up
a page that may still come, and keeps to the rate limit of the whole run.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from indexfallback.chain.remedies import remedy_for
from indexfallback.config import Index
from indexfallback.errors import MirrorError, PageError
from indexfallback.mirror.rate_limiter import RateLimiter
from indexfallback.outcome import LOGIN_KINDS, TLS_KINDS, UNREACHABLE_KINDS, Kind, Outcome
from indexfallback.page import File
from indexfallback.store import Validators
from indexfallback.store.partials import Partials
from indexfallback.upstream.answers import Limits, ListAnswer, PageAnswer

if TYPE_CHECKING:
    from indexfallback.mirror.file_download import FetchedFile, FileDownload
    from indexfallback.upstream.http import HttpIndex

_Read = TypeVar("_Read")

log = logging.getLogger("indexfallback")

#: Of its own: the module's generator belongs to whoever seeds it.
_random = random.SystemRandom()
#: Tries for one page or file: if one request in ten fails at random, one file in ten thousand
#: fails in all of them.
TRIES = 4
#: Answers with Retry-After that do not count as tries.
_HOLDS = 10
#: Before the second try, doubled before each further one, seconds; and after a 429 without
#: Retry-After.
_PAUSE, _UNSTATED_HOLD = 0.2, 5.0
#: Limits for a page, and for the list of all names, which takes half a minute on a slow line;
#: seconds.
_PAGE_SECONDS, _NAMES_SECONDS = 60.0, 600.0
_FIRST_BYTE, _NAMES_FIRST_BYTE = 15.0, 60.0
#: Failures that no retry ends, for one page or file.
_OF_ONE = frozenset({Kind.REFUSED, Kind.OTHER_LOGIN})
#: The same, for any page or file.
_FINAL = (LOGIN_KINDS - _OF_ONE) | TLS_KINDS | {Kind.NOT_ALLOWED, Kind.OFFLINE}
#: No answer came: after some files without one, none is asked for.
_NOT_REACHED = UNREACHABLE_KINDS | {Kind.CONNECT_TIMEOUT, Kind.OFFLINE}


class FetchError(Exception):
    """One page or file could not be fetched; others may be."""


class Sizes(NamedTuple):
    """The files whose size the index tells, and their bytes."""

    files: int
    bytes: int


@dataclass
class _Tries:
    """The failed tries for one page or file, and the times that the index asked to wait."""

    failed: int = 0
    holds: int = 0


class Fetcher:
    """Fetches from one index; used by many threads."""

    def __init__(
        self, index: Index, upstream: "HttpIndex", partials: Partials, limiter: RateLimiter,
        page_size: int,
    ) -> None:  # fmt: skip
        self._index = index
        self._upstream = upstream
        self._partials = partials
        self._limiter = limiter
        self._page_size = page_size

    def names(self, known: Validators, read: "Callable[[ListAnswer], _Read]") -> "_Read | None":
        """Return what ``read`` makes of the list of names, or None if it has not changed.

        ``known`` are the validators of the stored list. ``read`` may raise `PageError`. Raises
        `MirrorError`.
        """
        tries = _Tries()
        while True:
            self._limiter.wait()
            limits = self._limits(_NAMES_SECONDS, _NAMES_FIRST_BYTE)
            answer = self._upstream.list_of_names(limits, *known)
            outcome = answer.outcome
            if outcome.kind is Kind.NOT_MODIFIED:
                return None
            try:
                if outcome.kind is Kind.FOUND:
                    return read(answer)
            except PageError as error:
                detail = f"not an index: {error.problem}"
                outcome = replace(outcome, kind=Kind.NOT_AN_INDEX, detail=detail)
            try:
                self._wait_to_retry(outcome, tries)
            except FetchError as error:  # without names there is nothing to mirror
                raise self._is_down(outcome) from error

    def page(
        self, project: str, etag: str | None, last_modified: str | None, least: int | None = None
    ) -> PageAnswer:
        """Return a page, or that there is none; raises `FetchError` and `MirrorError`.

        A page whose serial is below ``least`` is requested again: it comes from a stale cache.
        """
        tries = _Tries()
        while True:
            self._limiter.wait()
            limits = self._limits(_PAGE_SECONDS, _FIRST_BYTE)
            answer = self._upstream.page(project, limits, etag, last_modified)
            if not answer.outcome.is_answer:
                self._wait_to_retry(answer.outcome, tries)
                continue
            self._limiter.succeeded()
            tries.failed += 1
            if tries.failed == TRIES or not _is_stale(answer, least):
                return answer
            self._wait(answer.outcome, tries.failed)

    def fetch(self, files: Iterable[File]) -> tuple[list["FetchedFile"], list[str]]:
        """Return the files that were fetched, and why the others were not.

        Raises `MirrorError` and OSError.
        """
        fetched, failures = [], []
        for file in files:
            try:
                fetched.append(self.file(file))
            except FetchError as error:
                failures.append(str(error))
        return fetched, failures

    def file(self, file: File) -> "FetchedFile":
        """Fetch and verify a file; raises `FetchError`, `MirrorError` and OSError."""
        from indexfallback.mirror.file_download import FileDownload  # noqa: PLC0415 - for files alone

        download = FileDownload(file, self._partials)
        try:
            if not download.is_complete:
                self._download(download)
            fetched = download.finish()
        except BaseException:
            download.abandon()
            raise
        return fetched._replace(provenance=self._provenance(file, fetched.sha256))

    def _provenance(self, file: File, sha256: str) -> bytes | None:
        """Return the provenance object of a file; without one the file is as good as before."""
        if file.provenance is None:
            return None
        from indexfallback.files.provenance_body import (  # noqa: PLC0415 - as in `file`
            object_of,
            read_answer,
        )

        self._limiter.wait()
        answer = self._upstream.open(object_of(file, file.provenance), 0, None, _FIRST_BYTE)
        outcome, body = read_answer(answer, sha256)
        if body is None:
            log.info("the provenance of %s is not mirrored: %s", file.filename, outcome)
        return body

    def _download(self, download: "FileDownload") -> None:
        tries, file = _Tries(), download.file
        while True:
            download.discard_unless_resumable()
            before = download.written
            self._limiter.wait()
            answer = self._upstream.open(file, before, download.etag, _FIRST_BYTE)
            outcome = download.receive(answer)
            if outcome.kind is Kind.FOUND:
                self._limiter.succeeded()
                return
            if outcome.kind is Kind.ABSENT:
                raise FetchError(f"{file.filename}: it is listed, but not there ({outcome})")
            if outcome.kind is Kind.FORBIDDEN:
                raise FetchError(f"{file.filename}: {outcome}")
            self._wait_to_retry(
                outcome, tries, f"{file.filename}: ", advanced=download.written > before
            )

    def sizes(self, files: Iterable[File]) -> Sizes:
        """Ask for the sizes of files, once each; raises `MirrorError` if the index is down."""
        told = [size for file in files if (size := self._size(file)) is not None]
        return Sizes(len(told), sum(told))

    def _size(self, file: File) -> int | None:
        for _ in range(_HOLDS):
            self._limiter.wait()
            answer = self._upstream.size(file, _FIRST_BYTE)
            outcome = answer.outcome
            if outcome.retry_after is None:
                break
            self._limiter.hold(outcome.retry_after)
        if outcome.kind is Kind.FOUND:
            self._limiter.succeeded()
        elif outcome.kind in _NOT_REACHED and self._limiter.failed():
            raise self._is_down(outcome)
        return answer.size

    def _limits(self, seconds: float, first_byte: float) -> Limits:
        return Limits(time.monotonic() + seconds, self._page_size, first_byte)

    def _wait_to_retry(
        self, outcome: Outcome, tries: _Tries, what: str = "", *, advanced: bool = False
    ) -> None:
        """Count a failed try and wait before the next one.

        A try that ``advanced`` a file does not count. Raises `FetchError` after the last try, and
        `MirrorError` if no retry helps or the index is down.
        """
        if outcome.kind in _FINAL:
            raise self._is_down(outcome)
        if outcome.kind in _OF_ONE:
            raise FetchError(f"{what}{outcome}. {remedy_for(outcome.kind, self._index)}")
        if outcome.retry_after is not None and tries.holds < _HOLDS:
            tries.holds += 1
        elif not advanced:
            tries.failed += 1
        if tries.failed == TRIES:
            if self._limiter.failed():
                raise self._is_down(outcome)
            raise FetchError(f"{what}{outcome}")
        self._wait(outcome, tries.failed)

    def _wait(self, outcome: Outcome, failed: int) -> None:
        """Wait as long as the index asks, else longer after each failure."""
        if outcome.retry_after is not None or outcome.kind is Kind.LIMITED:
            self._limiter.hold(outcome.retry_after or _UNSTATED_HOLD)
        else:
            spread = _random.uniform(0.5, 1.5)
            self._limiter.pause(_PAUSE * 2**failed * spread)

    def _is_down(self, outcome: Outcome) -> MirrorError:
        remedy = remedy_for(outcome.kind, self._index)
        return MirrorError(
            self._index.name, f"it cannot be mirrored now ({outcome})",
            f"what is mirrored stays as it is, and the next run continues here. {remedy}",
        )  # fmt: skip


def _is_stale(answer: PageAnswer, least: int | None) -> bool:
    serial = answer.page.serial if answer.page is not None else None
    return serial is not None and least is not None and serial < least
