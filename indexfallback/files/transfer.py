"""The transfer of one file: from which source, from which byte on, and whether the bytes are right.

A transfer that breaks is resumed, also at another source, and also when it was begun by a process
that was killed.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from indexfallback.chain.budget import Budget
from indexfallback.config import Index
from indexfallback.files.arrival import CommittedError, IncomingFile, failed
from indexfallback.files.checking import Expected, decoded_right, problem_of, verdict
from indexfallback.files.failures import Failure
from indexfallback.files.integrity import Digest, WrongBytes, WrongSources
from indexfallback.files.opening import HedgedOpener
from indexfallback.files.pace import unstalled
from indexfallback.files.sources import Source
from indexfallback.outcome import LOGIN_KINDS, TLS_KINDS, UNREACHABLE_KINDS, Kind, Outcome
from indexfallback.store import Store, StoreFault, best_effort
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import Body, FileAnswer, TransferError

log = logging.getLogger("indexfallback")

#: Tries in a row at one source without new bytes, after which the next source is asked.
FRUITLESS_TRIES = 2
#: Bytes hashed at once of what an earlier process left.
_HASH_PIECE = 1 << 20
#: Failures of a file that tell of the whole index, if both are on one host.
_OF_THE_INDEX = UNREACHABLE_KINDS | TLS_KINDS | {Kind.CONNECT_TIMEOUT, Kind.LIMITED}
#: Failures that mean that a file is not, or not any more, to be had at its address.
_EXPIRED = LOGIN_KINDS | {Kind.ABSENT, Kind.REFUSED}
#: Failures that a second try does not mend.
_FINAL = (
    LOGIN_KINDS
    | TLS_KINDS
    | {
        Kind.REFUSED, Kind.LIMITED, Kind.CONNECT_TIMEOUT, Kind.NOT_AN_INDEX, Kind.NOT_ALLOWED,
        Kind.FORBIDDEN,
    }
)  # fmt: skip


class Transfer:
    """Fetches one file in a thread of its own.

    The thread ends by itself: every wait in it has a limit, and the sources are finite.
    """

    def __init__(
        self,
        file: IncomingFile,
        sources: Iterator[Source],
        *,
        store: Store,
        wrong: WrongSources,
        patience: Callable[[int], float],
        hedges: Budget | None,
        renew: Callable[[Source], Source | None],
        finished: Callable[["Transfer"], None],
    ) -> None:
        """Prepare to fetch ``file``.

        ``patience`` takes how many indexes have been asked, the latest included, and returns
        seconds for the first byte of the latest. ``hedges`` allows asking a second source beside a
        slow one. ``renew`` returns a source whose address may have expired with its address of
        now, or None if that is the same. ``finished`` is called once, in the thread, when the
        transfer has ended.
        """
        self.file = file
        #: The source of the latest bytes, and the latest one found.
        self.source: Source | None = None
        self.found: Source | None = None
        #: Whether a client may have got wrong bytes.
        self.sent_wrong_bytes = False
        #: A source whose file has no hash and is not the one first seen, and the sha256 it has.
        self.changed: tuple[Source, str] | None = None
        self._sources = sources
        self._store = store
        self._hedges = hedges
        self._wrong = wrong
        self._patience = patience
        self._renew = renew
        #: The sources that do not give the file at its address, for whatever reason of their own.
        self._expired: list[Source] = []
        self._finished = finished
        #: The names of the indexes that were asked.
        self._asked: set[str] = set()
        self._digest = Digest()
        self._spool: Spool  # set at the start of the thread
        #: The latest answer with bytes of the file.
        self._body: Body | None = None
        #: Whether some of the bytes were left by an earlier process.
        self._has_leftovers = False
        #: The latest failure that may pass, and its index.
        self.trouble: tuple[Kind, Index] | None = None
        self._kinds: set[Kind] = set()
        self._etag: str | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"fetch-{file.filename}", daemon=True
        )

    def start(self) -> None:
        """Start fetching."""
        self._thread.start()

    @property
    def is_offline(self) -> bool:
        """Whether it failed because there is no network, and for no other reason."""
        return self._kinds == {Kind.OFFLINE}

    def _run(self) -> None:
        done = False
        try:
            self._open_spool()
            # Not an attribute: it refers to this object, and the circle would keep the file open.
            opener = HedgedOpener(filter(self._may_use, self._sources), self._ask, self._hedges)
            done = any(self._fetch_from(source, opener) for source in opener)
            # Once each, and last: another index needs no page for the file.
            renewals = filter(None, map(self._renew, self._expired[:]))
            done = done or any(self._fetch_from(source, opener) for source in renewals)
            if not done:
                self._spool.release()  # the next transfer goes on with what is there
        except CommittedError:
            self.sent_wrong_bytes = True
            self._spool.drop()  # no other transfer must go on with these bytes
        except StoreFault as error:
            problem = Outcome(Kind.LOCAL, f"{error}; free space and run again")
            self.file.failures.append(Failure("this machine", problem))
            log.error("%s: %s", self.file.filename, error)  # noqa: TRY400 - no trace is needed
        finally:
            if not done:
                self._finished(self)  # first: a reader that is cut off asks again at once
                self.file.fail()
        if done:
            self._store_file()
            self._finished(self)

    def _open_spool(self) -> None:
        """Open the spool, and hash what an earlier process left in it; raises OSError."""
        self._spool = spool = Spool(self._store.blobs, self.file.sha256)
        try:
            for offset in range(0, spool.size, _HASH_PIECE):
                self._digest.update(spool.read(offset, _HASH_PIECE))
        except OSError as error:
            log.warning("%s: the part that is here cannot be read (%s)", self.file.filename, error)
            spool.clear()
            self._digest = Digest()
        self._has_leftovers = spool.size > 0
        self.file.begin(spool)

    def _store_file(self) -> None:
        """Let readers have the last piece, then store the file if the disk allows it."""
        sha256, blob = self._digest.sha256(), None
        self.file.finish(sha256)
        with best_effort(f"store {self.file.filename}"):
            blob = self._spool.commit(sha256)
        self.file.settle(blob)

    def _may_use(self, source: Source) -> bool:
        self.found = source
        name, held = source.member.index.name, source.member.held(time.monotonic())
        wrong = self._wrong.of(source, self.file.sha256)
        if wrong is not None:
            self.file.failures.append(Failure(name, wrong.remembered))
            self._note_change(source, wrong)
        elif held:
            self.trouble = source.member.health.trouble or Kind.UNREACHABLE, source.member.index
            self.file.failures.append(Failure(name, Outcome(Kind.UNREACHABLE, held)))
        return not held and wrong is None

    def _fetch_from(self, source: Source, opener: HedgedOpener) -> bool:
        """Fetch what is missing from one source; return whether the file is whole and right."""
        file, answer = self.file, None
        if self._has_leftovers and self._is_whole(source):
            self.source = source
            return self._verify(source)
        if not file.received:
            source, answer = opener.quickest(source)
        fruitless, reached = 0, file.received
        while fruitless < FRUITLESS_TRIES:
            before, had_leftovers = file.received, self._has_leftovers
            outcome = self._try(source, answer or self._ask(source))
            answer = None
            if outcome is None or self._is_whole(source):
                if self._verify(source):
                    return True
                if not had_leftovers:
                    return False
                reached = 0  # the leftovers were wrong: the source starts from nothing
                continue
            self._fail(source, outcome)
            self._kinds.add(outcome.kind)
            if outcome.is_answer or outcome.kind in _FINAL:
                return False
            if outcome.kind in UNREACHABLE_KINDS and file.received == before:
                return False  # a second wait would take the time that another source needs
            # Bytes that come too slowly are no reason to stay.
            advances = file.received > reached and outcome.kind is not Kind.UNREACHABLE
            fruitless = 0 if advances else fruitless + 1
            reached = max(reached, file.received)
        return False

    def _fail(self, source: Source, outcome: Outcome) -> None:
        name = source.member.index.name
        log.warning("%s: %s: %s", name, self.file.filename, outcome)
        self.file.failures.append(Failure(name, outcome))
        if outcome.kind in _EXPIRED:
            self._expired.append(source)
        if outcome.may_pass:
            self.trouble = outcome.kind, source.member.index

    def _ask(self, source: Source) -> FileAnswer:
        etag = self._etag if source is self.source else None
        self._asked.add(source.member.index.name)
        patience = self._patience(len(self._asked))
        answer = source.member.upstream.open(source.file, self.file.received, etag, patience)
        _learn(source, answer.outcome)
        return answer

    def _try(self, source: Source, answer: FileAnswer) -> Outcome | None:
        """Read the missing bytes from an answer; return what went wrong, or None."""
        body, file = answer.body, self.file
        if body is None:
            return answer.outcome
        try:
            self._continue_with(source, body)
            skip = file.received - body.start
            for piece in unstalled(body, time.monotonic):
                new = piece[skip:]
                skip = max(0, skip - len(piece))
                if new:
                    file.append(new)
                    self._digest.update(new)
            if file.total is not None and file.received < file.total:
                return failed(f"ended after {file.received} of {file.total} bytes")
        except TransferError as error:
            _learn(source, error.outcome)
            return error.outcome
        finally:
            body.close()
        return None

    def _continue_with(self, source: Source, body: Body) -> None:
        """Start over unless the body continues the bytes that are there; raises TransferError."""
        file, total = self.file, body.total
        same = source is self.source and self._etag is not None and body.etag == self._etag
        coding = self._body.coding if self._body is not None else ""
        if file.received and (body.coding != coding or (source.file.sha256 is None and not same)):
            self._start_over()  # nothing tells that the file is still the same
        if total is not None and (file.total not in (None, total) or file.received > total):
            if file.is_committed:
                raise TransferError(failed(f"{total} bytes, where {file.total} were expected"))
            self._start_over()  # either length may be wrong: the hash tells
        if body.start not in (0, file.received):
            raise TransferError(failed("answered another range than asked for"))
        if not file.received:
            self._digest.expect(source.file)
        self.source, self._etag, self._body = source, body.etag, body
        if total is not None:
            file.expect(total)

    def _start_over(self) -> None:
        self.file.start_over()
        self._has_leftovers = False
        self._digest = Digest()

    def _is_whole(self, source: Source) -> bool:
        """Tell by the hash whether the file is whole, although the source announced more."""
        expected = self.file.sha256 or source.file.sha256
        return self.file.received > 0 and expected == self._digest.sha256()

    def _verify(self, source: Source) -> bool:
        expected = Expected(source.file, self.file.sha256)
        problem = problem_of(expected, self._digest, self._spool)
        if problem is None or self._decode(expected):
            return True
        if self._has_leftovers:  # the source is not to blame
            log.warning(
                "%s: the part that an earlier process left was wrong; it is fetched again",
                self.file.filename,
            )
        else:
            outcome = verdict(
                expected, problem, self._digest, body=self._body, received=self.file.received
            )
            self._fail(source, outcome)
            if outcome.kind is Kind.WRONG:
                wrong = WrongBytes(self._digest.sha256(), outcome)
                self._wrong.add(source, expected.sha256, wrong)
                self._note_change(source, wrong)
        self._start_over()
        return False

    def _note_change(self, source: Source, wrong: WrongBytes) -> None:
        """Note what a source has if its page does not say that it should have anything else."""
        if self.file.sha256 is not None and not source.file.hashes:
            self.changed = (source, wrong.sha256)

    def _decode(self, expected: Expected) -> bool:
        """Decode the bytes if that makes them the right ones, and tell whether it does."""
        if self._body is None or not self._body.coding or self._has_leftovers:
            return False
        right = decoded_right(expected, self._spool, self._body.coding, self._store.blobs)
        if right is None:
            return False
        self._spool.drop()
        self._spool, self._digest = right
        self.file.begin(self._spool)
        return True


def _learn(source: Source, outcome: Outcome) -> None:
    # A file on another host than the pages tells nothing of the index.
    if source.is_at_index and outcome.kind in _OF_THE_INDEX:
        source.member.learn(outcome)
