"""Pages and files asked for with patience: again after a fault, later when the index says so."""

import random
import time
from collections.abc import Iterable

from indexfallback.chain.explain import remedy_for
from indexfallback.config import Index
from indexfallback.errors import MirrorError
from indexfallback.mirror.gate import Gate
from indexfallback.mirror.incoming import Fetched, Incoming
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.store.partials import Partials
from indexfallback.upstream.answers import Limits, NamesAnswer, PageAnswer, Upstream

#: Tries at one page or file: of requests that fail at random one in ten, one in ten thousand
#: fails this often.
TRIES = 4
#: Times that an index's wish to be left alone is granted before that counts as a try.
_HOLDS = 10
#: Before the second try, doubled before each further one, seconds; and without Retry-After (429).
_PAUSE, _UNSTATED_HOLD = 0.2, 5.0
#: A page takes a moment, a list of all names half a minute on a slow line, seconds.
_PAGE_SECONDS, _NAMES_SECONDS = 60.0, 600.0
_FIRST_BYTE, _NAMES_FIRST_BYTE = 15.0, 60.0
#: What no second try mends, for any page or file.
_FINAL = frozenset({Kind.DENIED, Kind.INSECURE, Kind.BARRED, Kind.OFFLINE})


class FetchError(Exception):
    """A page or a file cannot be had now; the others may."""


class Fetcher:
    """Asks one index; used by many threads."""

    def __init__(
        self, index: Index, upstream: Upstream, partials: Partials, gate: Gate, page_size: int
    ) -> None:
        self._index = index
        self._upstream = upstream
        self._partials = partials
        self._gate = gate
        self._page_size = page_size

    def names(self) -> NamesAnswer:
        """Return the list of names; raises `MirrorError`."""
        answer = NamesAnswer(Outcome(Kind.SILENT, "not asked"))
        for number in range(TRIES):
            self._gate.wait()
            answer = self._upstream.names(self._limits(_NAMES_SECONDS, _NAMES_FIRST_BYTE))
            if answer.outcome.kind is Kind.FOUND:
                return answer
            if answer.outcome.kind in _FINAL:
                break
            self._rest(answer.outcome, number)
        raise self._gone(answer.outcome)

    def page(
        self, project: str, etag: str | None, last_modified: str | None, least: int | None = None
    ) -> PageAnswer:
        """Return a page, or that there is none; raises `FetchError` and `MirrorError`.

        One whose serial is below ``least`` is asked for again: a cache on the way has kept it.
        """
        number, holds = 0, 0
        while True:
            self._gate.wait()
            limits = self._limits(_PAGE_SECONDS, _FIRST_BYTE)
            answer = self._upstream.page(project, limits, etag, last_modified)
            outcome = answer.outcome
            if outcome.is_well:
                self._gate.learn(well=True)
                number += 1
                if number == TRIES or not _is_old(answer, least):
                    return answer
            else:
                self._check(outcome)
                if outcome.retry_after is not None and holds < _HOLDS:
                    holds += 1
                else:
                    number += 1
                if number == TRIES:
                    self._fail(outcome)
            self._rest(outcome, number)

    def fetch(self, files: Iterable[File]) -> tuple[list[Fetched], list[str]]:
        """Fetch files, and return those that came, and why others did not; raises as `file`."""
        fetched, failures = [], []
        for file in files:
            try:
                fetched.append(self.file(file))
            except FetchError as error:
                failures.append(str(error))
        return fetched, failures

    def file(self, file: File) -> Fetched:
        """Fetch a file and verify it; raises `FetchError`, `MirrorError` and OSError."""
        incoming = Incoming(file, self._partials)
        try:
            if not incoming.is_whole:
                self._fetch(incoming)
            return incoming.finish()
        except BaseException:
            incoming.leave()
            raise

    def _fetch(self, incoming: Incoming) -> None:
        number, holds = 0, 0
        while True:
            incoming.forget_unless_continued()
            before, file = incoming.written, incoming.file
            self._gate.wait()
            answer = self._upstream.open(file, before, incoming.etag, _FIRST_BYTE)
            outcome = incoming.take(answer)
            if outcome.kind is Kind.FOUND:
                self._gate.learn(well=True)
                return
            if outcome.kind is Kind.ABSENT:
                raise FetchError(f"{file.filename}: it is listed, but not there ({outcome})")
            self._check(outcome)
            if outcome.retry_after is not None and holds < _HOLDS:
                holds += 1
            elif incoming.written <= before:
                number += 1
            if number == TRIES:
                self._fail(outcome, f"{file.filename}: ")
            self._rest(outcome, number)

    def _limits(self, seconds: float, first_byte: float) -> Limits:
        return Limits(time.monotonic() + seconds, self._page_size, first_byte)

    def _rest(self, outcome: Outcome, number: int) -> None:
        """Wait before the next try: as long as the index says, else longer each time."""
        if outcome.retry_after is not None or outcome.kind is Kind.LIMITED:
            self._gate.hold(outcome.retry_after or _UNSTATED_HOLD)
        else:
            self._gate.pause(_PAUSE * 2**number * random.uniform(0.5, 1.5))  # noqa: S311 - to spread

    def _check(self, outcome: Outcome) -> None:
        if outcome.kind in _FINAL:
            raise self._gone(outcome)

    def _fail(self, outcome: Outcome, what: str = "") -> None:
        if not self._gate.learn(well=False):
            raise self._gone(outcome)
        raise FetchError(f"{what}{outcome}")

    def _gone(self, outcome: Outcome) -> MirrorError:
        remedy = remedy_for(outcome.kind, self._index)
        return MirrorError(
            self._index.name, f"it cannot be mirrored now ({outcome})",
            f"what is mirrored stays as it is, and the next run goes on from here. {remedy}",
        )  # fmt: skip


def _is_old(answer: PageAnswer, least: int | None) -> bool:
    serial = answer.page.serial if answer.page is not None else None
    return serial is not None and least is not None and serial < least
