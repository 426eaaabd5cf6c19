"""One file on its way from the indexes: fetched once, resumed where it breaks, read by many.

Also across processes: what one that was killed left of a file is gone on with.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from indexfallback.chain.budget import Budget
from indexfallback.files.arrival import Arrival, Progress, SpoiledError, failed
from indexfallback.files.integrity import WrongSources
from indexfallback.files.opening import Opening
from indexfallback.files.pace import WINDOW, Pace
from indexfallback.files.sources import Source
from indexfallback.outcome import Kind, Outcome
from indexfallback.store import Store, StoreFault
from indexfallback.upstream.answers import Body, FileAnswer, TransferError

log = logging.getLogger("indexfallback")

#: Tries at one source that bring nothing before the next one gets its turn.
FRUITLESS_TRIES = 2
#: What a failed file says of the whole index, if both lie on one host.
_OF_THE_INDEX = frozenset({Kind.SILENT, Kind.BLACKHOLE, Kind.INSECURE, Kind.LIMITED})
#: What no second try mends.
_FINAL = frozenset(
    {Kind.DENIED, Kind.LIMITED, Kind.INSECURE, Kind.BLACKHOLE, Kind.NOT_AN_INDEX, Kind.BARRED}
)


class Transfer(Arrival):
    """Fetches one file in a thread of its own and lets any number of readers follow.

    The thread ends by itself: every wait in it has a limit, and the sources are finite.
    """

    def __init__(
        self,
        filename: str,
        sources: Iterator[Source],
        sha256: str | None,
        *,
        store: Store,
        wrong: WrongSources,
        patience: float,
        hedges: Budget | None,
        finished: Callable[["Transfer"], None],
    ) -> None:
        """Prepare to fetch ``filename``; ``patience`` is seconds for a source's first byte.

        ``hedges`` allows to ask a second source beside a slow one. ``finished`` is called in the
        thread, once, when there is nothing more to come.
        """
        super().__init__(filename, sha256, store)
        #: Wrong bytes may have gone out to a reader.
        self.tainted = False
        self.source: Source | None = None
        #: Who offers another content than was first seen, and its sha256, where no hash said so.
        self.changed: tuple[Source, str] | None = None
        self._sources = sources
        self._hedges = hedges
        self._wrong = wrong
        self._patience = patience
        self._finished = finished
        self._kinds: set[Kind] = set()
        self._etag: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"fetch-{filename}", daemon=True)

    def start(self) -> None:
        """Start fetching."""
        self._thread.start()

    @property
    def is_offline(self) -> bool:
        """Whether it failed for want of any network, and for nothing else."""
        return self._kinds == {Kind.OFFLINE}

    def _run(self) -> None:
        done = False
        try:
            self._open()
            # Not an attribute: it refers to us, and the file would stay open in that circle.
            opening = Opening(filter(self._may_use, self._sources), self._ask, self._hedges)
            done = any(self._fetch_from(source, opening) for source in opening)
            if not done:
                self._spool.release()  # whoever tries next goes on with what is there
        except SpoiledError:
            self.tainted = True
            self._spool.drop()  # nobody is to go on with these bytes
        except StoreFault as error:
            self.failures.append(f"this machine: {error}; free space and run again")
            log.error("%s: %s", self.filename, error)  # noqa: TRY400 - the message says it all
        finally:
            if not done:
                self._finished(self)  # first: a reader that is cut off comes back at once
            with self._changed:
                self._progress = Progress.DONE if done else Progress.FAILED
                self._changed.notify_all()
            if done:
                self._keep()
                self._finished(self)

    def _may_use(self, source: Source) -> bool:
        held = source.member.held(time.monotonic())
        if self._wrong.has(source, self.sha256):
            held = "gave wrong bytes lately"
        if held:
            self.failures.append(f"{source.member.index.name}: {held}")
        return not held

    def _fetch_from(self, source: Source, opening: Opening) -> bool:
        """Fetch what is missing from one source; return whether the file is whole and right."""
        if self._inherited and self._is_whole(source):
            self.source = source
            return self._verify(source)
        answer = None
        if not self._written:
            source, answer = opening.quickest(source)
        fruitless, reached = 0, self._written
        while fruitless < FRUITLESS_TRIES:
            before, inherited = self._written, self._inherited
            outcome = self._try(source, answer or self._ask(source))
            answer = None
            if outcome is None or self._is_whole(source):
                if self._verify(source):
                    return True
                if not inherited:
                    return False
                reached = 0  # nor is what was left counted as what the source has brought
                continue
            self._fail(source, str(outcome))
            self._kinds.add(outcome.kind)
            if outcome.is_well or outcome.kind in _FINAL:
                return False
            if outcome.kind is Kind.SILENT and self._written == before:
                return False  # waiting once more would take the time that another source needs
            # Bytes that come too slowly are no reason to stay.
            advances = self._written > reached and outcome.kind is not Kind.SILENT
            fruitless = 0 if advances else fruitless + 1
            reached = max(reached, self._written)
        return False

    def _fail(self, source: Source, problem: str) -> None:
        name = source.member.index.name
        log.warning("%s: %s: %s", name, self.filename, problem)
        self.failures.append(f"{name}: {problem}")

    def _ask(self, source: Source) -> FileAnswer:
        etag = self._etag if source is self.source else None
        answer = source.member.upstream.open(source.file, self._written, etag, self._patience)
        _learn(source, answer.outcome)
        return answer

    def _try(self, source: Source, answer: FileAnswer) -> Outcome | None:
        """Read an answer from where it stopped to the end; return what went wrong, or None."""
        if answer.body is None:
            return answer.outcome
        body = answer.body
        try:
            self._begin(source, body)
            skip = self._written - body.start
            pace = Pace(time.monotonic())
            while piece := body.read():
                if pace.is_stalled(len(piece), time.monotonic()):
                    stalled = Outcome(Kind.SILENT, f"stalled: under 1 KiB/s for {WINDOW:.0f} s")
                    _learn(source, stalled)
                    return stalled
                if skip < len(piece):
                    self._append(piece[skip:])
                skip = max(0, skip - len(piece))
            if self.total is not None and self._written < self.total:
                return failed(f"ended after {self._written} of {self.total} bytes")
        except TransferError as error:
            _learn(source, error.outcome)
            return error.outcome
        finally:
            body.close()
        return None

    def _begin(self, source: Source, body: Body) -> None:
        """Make sure that a source's bytes continue those that are there."""
        same = source is self.source and self._etag is not None and body.etag == self._etag
        if self._written and source.file.sha256 is None and not same:
            self._start_over()  # nothing says that these are the same bytes
        if body.total is not None and (
            self.total not in (None, body.total) or self._written > body.total
        ):
            if self._given:
                problem = f"{body.total} bytes, where {self.total} were expected"
                raise TransferError(failed(problem))
            self._start_over()  # either may be wrong: the hash tells
        if body.start not in (0, self._written):
            raise TransferError(failed("answered another range than asked for"))
        if not self._written:
            self._digest.expect(source.file)
        self.source, self._etag = source, body.etag
        with self._changed:
            self.total = body.total if body.total is not None else self.total

    def _is_whole(self, source: Source) -> bool:
        """Tell whether all is there although more was announced: the hash decides."""
        expected = self.sha256 or source.file.sha256
        return self._written > 0 and expected == self._digest.sha256()

    def _verify(self, source: Source) -> bool:
        problem = self._digest.problem(source.file, self.sha256)
        if problem is not None:
            if self._inherited:  # the source is not to blame
                log.warning(
                    "%s: what an earlier process left of it was wrong; fetched anew", self.filename
                )
            else:
                self._wrong.add(source, self.sha256)
                self._fail(source, problem)
                if self.sha256 is not None and not source.file.hashes:
                    self.changed = (source, self._digest.sha256())
            self._start_over()
            return False
        self.sha256 = self._digest.sha256()
        with self._changed:
            self.total = self._written
        return True


def _learn(source: Source, outcome: Outcome) -> None:
    # A file may lie on another host than the pages, and then says nothing of them.
    if source.is_at_index and outcome.kind in _OF_THE_INDEX:
        source.member.learn(outcome)
