"""One file on its way from the indexes: fetched once, resumed where it breaks, read by many.

What a reader gets is the right file or a connection cut short: the last piece is held back
until the whole has been verified.

Locks: ``Transfer._changed`` guards the progress; no byte is read or written while it is held.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from enum import Enum

from indexfallback.integrity import Digest, WrongSources
from indexfallback.outcome import Kind, Outcome
from indexfallback.sources import Source
from indexfallback.store import Blob, Store, StoreFault, keeping
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import Body, TransferError

log = logging.getLogger("indexfallback")

#: What a reader is given at once, bytes; more is no faster and costs memory for each reader.
PIECE = 64 * 1024
#: Bytes held back until the whole is verified: the last piece.
HELD_BACK = PIECE
#: Tries at one source that bring nothing before the next one gets its turn.
FRUITLESS_TRIES = 2
#: Longest wait of a reader for the next byte, seconds: above every limit of a single source,
#: so that it only ends what has ended already.
READER_PATIENCE = 120.0
#: What a failed file says of the whole index, if both lie on one host.
_OF_THE_INDEX = frozenset({Kind.SILENT, Kind.BLACKHOLE, Kind.INSECURE, Kind.LIMITED})
#: What no second try mends.
_FINAL = frozenset({Kind.DENIED, Kind.LIMITED, Kind.INSECURE, Kind.BLACKHOLE})


class Progress(Enum):
    """How far a transfer is."""

    RUNNING = "running"
    #: Whole and verified.
    DONE = "done"
    FAILED = "failed"


class _SpoiledError(Exception):
    """Bytes that cannot be continued are on their way to a reader: only an end is left."""


class Transfer:
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
        finished: Callable[["Transfer"], None],
    ) -> None:
        """Prepare to fetch ``filename``; ``patience`` is seconds for a source's first byte.

        ``finished`` is called in the thread, once, when there is nothing more to come.
        """
        self.filename = filename
        #: Expected, then verified; None while it is not known.
        self.sha256 = sha256
        #: Bytes of the whole file, None while no source has said.
        self.total: int | None = None
        #: In the store, if it could be kept.
        self.blob: Blob | None = None
        #: What each source answered, for messages.
        self.failures: list[str] = []
        #: Wrong bytes may have gone out to a reader.
        self.tainted = False
        self.source: Source | None = None
        self._sources = sources
        self._store = store
        self._wrong = wrong
        self._patience = patience
        self._finished = finished
        self._spool: Spool  # made by the thread, before the first byte
        self._changed = threading.Condition()
        self._kinds: set[Kind] = set()
        self._progress = Progress.RUNNING
        self._written = 0
        self._given = False
        self._digest = Digest()
        self._etag: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"fetch-{filename}", daemon=True)

    def start(self) -> None:
        """Start fetching."""
        self._thread.start()

    # The readers' side.

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self._changed:
            return self._progress

    def wait(self, whole: float, some: float) -> Progress:
        """Wait up to ``whole`` seconds for all of it, then up to ``some`` for a first byte.

        The waits are counted from now; a first byte only counts once the length is known.
        """
        started = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._progress is not Progress.RUNNING, whole)
            left = max(0.0, started + some - time.monotonic())
            self._changed.wait_for(
                lambda: self._progress is not Progress.RUNNING or self.can_stream, left
            )
            # From here on its length is promised, and what is there may be sent.
            self._given = self._given or self.can_stream
            return self._progress

    @property
    def can_stream(self) -> bool:
        """Whether an answer can begin: its length is known, and its first bytes are there."""
        return self.total is not None and self._readable() > 0

    def read(self, start: int, stop: int) -> Generator[bytes, None, None]:
        """Yield the bytes from ``start`` to ``stop`` as they come.

        Raises `TransferError` when they do not: the connection is then to be cut.
        """
        position = start
        while position < stop:
            with self._changed:
                self._changed.wait_for(
                    lambda at=position: (
                        self._readable() > at  # type: ignore[misc]  # default
                        or self._progress is not Progress.RUNNING
                    ),
                    READER_PATIENCE,
                )
                ready = min(self._readable(), stop)
            if ready <= position:
                raise TransferError(Outcome(Kind.FAILED, f"{self.filename}: {self.why()}"))
            while position < ready:
                piece = self._spool.read(position, min(PIECE, ready - position))
                position += len(piece)
                yield piece

    def _readable(self) -> int:
        if self._progress is Progress.DONE:
            return self._written
        if self._progress is Progress.FAILED or self.total is None:
            return 0
        return min(self._written, max(0, self.total - HELD_BACK))

    @property
    def is_offline(self) -> bool:
        """Whether it failed for want of any network, and for nothing else."""
        return self._kinds == {Kind.OFFLINE}

    def why(self) -> str:
        """Return why it failed, source by source."""
        return "; ".join(self.failures) or "no index lists it"

    # The fetching thread's side.

    def _run(self) -> None:
        done = False
        try:
            self._spool = Spool(self._store.blobs)
            done = any(
                self._fetch_from(source) for source in self._sources if self._may_use(source)
            )
        except _SpoiledError:
            self.tainted = True
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
        if source in self._wrong:
            held = "gave wrong bytes lately"
        if held:
            self.failures.append(f"{source.member.index.name}: {held}")
        return not held

    def _fetch_from(self, source: Source) -> bool:
        """Fetch what is missing from one source; return whether the file is whole and right."""
        fruitless, reached = 0, self._written
        while fruitless < FRUITLESS_TRIES:
            before = self._written
            outcome = self._try(source)
            if outcome is None or self._is_whole(source):
                return self._verify(source)
            self._fail(source, str(outcome))
            self._kinds.add(outcome.kind)
            # A file may lie on another host than the pages, and then says nothing of them.
            if source.is_at_index and outcome.kind in _OF_THE_INDEX:
                source.member.learn(outcome)
            if outcome.is_well or outcome.kind in _FINAL:
                return False
            if outcome.kind is Kind.SILENT and self._written == before:
                return False  # waiting once more would take the time that another source needs
            fruitless = 0 if self._written > reached else fruitless + 1
            reached = max(reached, self._written)
        return False

    def _fail(self, source: Source, problem: str) -> None:
        name = source.member.index.name
        log.warning("%s: %s: %s", name, self.filename, problem)
        self.failures.append(f"{name}: {problem}")

    def _try(self, source: Source) -> Outcome | None:
        """Fetch from where it stopped to the end; return what went wrong, or None."""
        etag = self._etag if source is self.source else None
        answer = source.member.upstream.open(source.file, self._written, etag, self._patience)
        if answer.body is None:
            return answer.outcome
        body = answer.body
        try:
            self._begin(source, body)
            skip = self._written - body.start
            while piece := body.read():
                if skip < len(piece):
                    self._append(piece[skip:])
                skip = max(0, skip - len(piece))
            if self.total is not None and self._written < self.total:
                return _failed(f"ended after {self._written} of {self.total} bytes")
        except TransferError as error:
            return error.outcome
        finally:
            body.close()
        return None

    def _begin(self, source: Source, body: Body) -> None:
        """Make sure that a source's bytes continue those that are there."""
        same = source is self.source and self._etag is not None and body.etag == self._etag
        if self._written and source.file.sha256 is None and not same:
            self._start_over()  # nothing says that these are the same bytes
        if body.total is not None and self.total not in (None, body.total):
            if self._given:
                problem = f"{body.total} bytes, where {self.total} were expected"
                raise TransferError(_failed(problem))
            self._start_over()  # either may be wrong: the hash tells
        if body.start not in (0, self._written):
            raise TransferError(_failed("answered another range than asked for"))
        if not self._written:
            self._digest.expect(source.file)
        self.source, self._etag = source, body.etag
        with self._changed:
            self.total = body.total if body.total is not None else self.total

    def _append(self, piece: bytes) -> None:
        if self.total is not None and self._written + len(piece) > self.total:
            raise TransferError(_failed(f"more than the {self.total} bytes stated"))
        self._digest.update(piece)
        self._spool.write(piece)
        with self._changed:
            self._written += len(piece)
            self._changed.notify_all()

    def _is_whole(self, source: Source) -> bool:
        """Tell whether all is there although more was announced: the hash decides."""
        expected = self.sha256 or source.file.sha256
        return self._written > 0 and expected == self._digest.sha256()

    def _verify(self, source: Source) -> bool:
        problem = self._digest.problem(source.file, self.sha256)
        if problem is not None:
            self._wrong.add(source)
            self._fail(source, problem)
            self._start_over()
            return False
        self.sha256 = self._digest.sha256()
        with self._changed:
            self.total = self._written
        return True

    def _start_over(self) -> None:
        """Begin again with nothing, unless a reader has got bytes already."""
        with self._changed:
            if self._given:
                raise _SpoiledError
            self._written = 0
            self.total = None
        self._spool.clear()
        self._digest = Digest()

    def _keep(self) -> None:
        with keeping(self.filename):
            if self.sha256 is not None:
                self.blob = self._spool.keep(self.sha256)


def _failed(detail: str) -> Outcome:
    return Outcome(Kind.FAILED, detail)
