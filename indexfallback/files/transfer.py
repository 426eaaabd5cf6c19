"""The transfer of one file: which source is asked next, and what follows from its failure.

A transfer that breaks is resumed, also at another source, and also when it was begun by a process
that was killed.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from indexfallback.config import Index
from indexfallback.errors import FileError
from indexfallback.files.arrival import CommittedError, IncomingFile
from indexfallback.files.assembly import Assembly
from indexfallback.files.extent import ExtentError
from indexfallback.files.failures import Failure
from indexfallback.files.integrity import WrongBytes, WrongSources
from indexfallback.files.opening import HedgedOpener
from indexfallback.files.plan import Plan
from indexfallback.files.sources import EXPIRED_KINDS, Source
from indexfallback.flight import in_thread
from indexfallback.outcome import LOGIN_KINDS, TLS_KINDS, UNREACHABLE_KINDS, Kind, Outcome
from indexfallback.process.machine import fault_of
from indexfallback.store import Store, StoreFault
from indexfallback.upstream.answers import FileAnswer, TransferError

log = logging.getLogger("indexfallback")

#: Tries in a row at one source without new bytes, after which the next source is asked.
FRUITLESS_TRIES = 2
#: Failures that a second try does not mend.
_FINAL = (
    LOGIN_KINDS
    | TLS_KINDS
    | {
        Kind.REFUSED, Kind.LIMITED, Kind.CONNECT_TIMEOUT, Kind.NOT_AN_INDEX, Kind.NOT_ALLOWED,
        Kind.FORBIDDEN, Kind.WRONG,
    }
)  # fmt: skip


class Transfer:
    """Fetches one file in a thread of its own.

    The thread ends by itself: every wait in it has a limit, and the sources are finite.
    """

    def __init__(
        self,
        file: IncomingFile,
        plan: Plan,
        *,
        store: Store,
        wrong: WrongSources,
        finished: Callable[["Transfer"], None],
    ) -> None:
        """Prepare to fetch ``file``; ``finished`` is called once, in the thread, at the end."""
        self.file = file
        #: The latest source found.
        self.found: Source | None = None
        #: Whether a client may have got wrong bytes.
        self.sent_wrong_bytes = False
        #: A source whose file has no hash and is not the one first seen, and the sha256 it has.
        self.changed: tuple[Source, str] | None = None
        #: A source of a wheel with other metadata than was served, and the sha256 of that.
        self.contradicting: tuple[Source, str] | None = None
        #: Why a right file must not be served.
        self.refused: FileError | None = None
        #: The latest failure that may pass, and its index.
        self.trouble: tuple[Kind, Index] | None = None
        self._plan = plan
        self._wrong = wrong
        self._finished = finished
        self._assembly = Assembly(file, store.blobs)
        #: The sources without the file at its address, which may have expired.
        self._expired: list[Source] = []
        #: The sources that were skipped, because their index is held.
        self._held: list[Source] = []
        #: The names of the indexes that were asked.
        self._asked: set[str] = set()
        self._kinds: set[Kind] = set()
        self._ended = threading.Event()

    def start(self) -> None:
        """Start fetching."""
        in_thread(self._run, f"fetch-{self.file.filename}")

    def join(self, seconds: float) -> None:
        """Wait for its end, at most this long."""
        self._ended.wait(seconds)

    @property
    def source(self) -> Source | None:
        """The source of the latest bytes."""
        return self._assembly.source

    @property
    def is_offline(self) -> bool:
        """Whether it failed because there is no network, and for no other reason."""
        return self._kinds == {Kind.OFFLINE}

    def _run(self) -> None:
        try:
            self._fetch_and_store()
        finally:
            self._ended.set()

    def _fetch_and_store(self) -> None:
        done = False
        try:
            self._assembly.open()
            done = self._fetch() and self._is_claimed()
            if not done:
                self._assembly.release()
        except CommittedError:
            self.sent_wrong_bytes = True
            self._assembly.drop()
        except (*StoreFault, MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and fault_of(error) is None:
                raise  # a defect, not a thread that cannot be started
            fault = fault_of(error) or f"{error}; free space and run again"
            problem = Outcome(Kind.LOCAL, fault)
            self.file.failures.append(Failure("this machine", problem))
            log.error("%s: %s", self.file.filename, error)  # noqa: TRY400 - no trace is needed
        finally:
            if not done:
                self._finished(self)  # first: a reader that is cut off asks again at once
                self.file.fail()
        if done:
            self._assembly.store()
            self._finished(self)

    def _fetch(self) -> bool:
        """Fetch the file from one source after the other; return whether it is whole and right."""
        if self._fetch_shared():
            return True
        # Not an attribute: it refers to this object, and the circle would keep the file open.
        sources = filter(self._may_use, self._plan.sources)
        opener = HedgedOpener(sources, self._ask, self._plan.hedges)
        in_order = itertools.chain(opener, self._renewals(), self._last_resorts())
        return any(self._fetch_from(source, opener) for source in in_order)

    def _fetch_shared(self) -> bool:
        """Fetch the file from the bucket; return whether it is whole and right."""
        copy, sha256 = self._plan.shared, self.file.sha256
        if copy is None or sha256 is None or not self._assembly.read_shared(copy, sha256):
            return False
        return self._agrees(copy.source)

    def _is_claimed(self) -> bool:
        """Tell whether the file may be served, by the pin that holds for all shims."""
        source = self.source
        if source is not None:
            self.refused = self._plan.claim(self._assembly.sha256(), source)
        return self.refused is None

    def _may_use(self, source: Source) -> bool:
        self.found = source
        name, held = source.member.index.name, source.held(time.monotonic())
        wrong = self._wrong.of(source, self.file.sha256)
        if wrong is not None:
            self.file.failures.append(Failure(name, wrong.remembered))
            self._note_change(source, wrong)
        elif held is not None:
            self._held.append(source)
            self.trouble = source.member.health.trouble or Kind.UNREACHABLE, source.member.index
            self.file.failures.append(Failure(name, held))
        # Another source would bring the same wheel.
        return held is None and wrong is None and self.contradicting is None

    def _renewals(self) -> Iterator[Source]:
        """Yield the sources whose address has changed: last, since their pages have to be asked."""
        yield from filter(None, map(self._plan.renew, self._expired[:]))

    def _last_resorts(self) -> Iterator[Source]:
        """Yield the sources that were skipped, each as soon as its index may be tried."""
        if self.contradicting is None:
            yield from self._plan.last_resorts(self._held, nothing_asked=not self._asked)

    def _fetch_from(self, source: Source, opener: HedgedOpener) -> bool:
        """Fetch what is missing from one source; return whether the file is whole and right."""
        file, assembly, answer = self.file, self._assembly, None
        if assembly.has_leftovers and assembly.is_whole(source):
            assembly.source = source
            return self._verify(source)
        if not file.received:
            source, answer = opener.quickest(source)
        fruitless, reached = 0, file.received
        while fruitless < FRUITLESS_TRIES:
            before, had_leftovers = file.received, assembly.has_leftovers
            outcome = self._try(source, answer or self._ask(source))
            answer = None
            if outcome is None or assembly.is_whole(source):
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
            # A source that sends too slowly is given up, even if it sends something.
            advances = file.received > reached and outcome.kind is not Kind.UNREACHABLE
            fruitless = 0 if advances else fruitless + 1
            reached = max(reached, file.received)
        return False

    def _fail(self, source: Source, outcome: Outcome) -> None:
        name = source.member.index.name
        outcome = source.member.judged(outcome)
        # It is no fault that an index gives no parts.
        level = logging.DEBUG if outcome.kind is Kind.NO_PARTS else logging.WARNING
        log.log(level, "%s: %s: %s", name, self.file.filename, outcome)
        self.file.failures.append(Failure(name, outcome))
        if outcome.kind in EXPIRED_KINDS:
            self._expired.append(source)
        if outcome.may_pass:
            self.trouble = outcome.kind, source.member.index

    def _ask(self, source: Source) -> FileAnswer:
        etag = self._assembly.etag(source)
        self._asked.add(source.member.index.name)
        patience = self._plan.patience(len(self._asked))
        answer = source.open(self.file.received, etag, patience)
        source.learn(answer.outcome)
        return answer

    def _try(self, source: Source, answer: FileAnswer) -> Outcome | None:
        """Read the missing bytes from an answer; return what went wrong, or None."""
        body = answer.body
        if body is None:
            return answer.outcome
        began = time.monotonic() - answer.outcome.elapsed
        try:
            self._assembly.read(source, body)
        except ExtentError as error:
            # Not the index's health: it is this one file.
            self._remember_wrong(source, error.outcome)
            return error.outcome
        except TransferError as error:
            outcome = replace(error.outcome, elapsed=time.monotonic() - began)
            source.learn(outcome)
            return outcome
        finally:
            body.close()
        return None

    def _verify(self, source: Source) -> bool:
        outcome = self._assembly.fault(source)
        if outcome is None and self._agrees(source):
            return True
        if self._assembly.has_leftovers:  # the source is not to blame
            log.warning(
                "%s: the part that an earlier process left was wrong; it is fetched again",
                self.file.filename,
            )
        elif outcome is not None:
            self._fail(source, outcome)
            if outcome.kind is Kind.WRONG:
                self._note_change(source, self._remember_wrong(source, outcome))
        self._assembly.start_over()
        return False

    def _remember_wrong(self, source: Source, outcome: Outcome) -> WrongBytes:
        wrong = WrongBytes(self._assembly.sha256(), outcome)
        self._wrong.add(source, self.file.sha256, wrong)
        return wrong

    def _agrees(self, source: Source) -> bool:
        """Tell whether a right file is the one whose metadata was served before it came."""
        own = self._plan.contradiction(self._assembly.path)
        if own is None:
            return True
        self.contradicting = source, own
        self._fail(source, Outcome(Kind.WRONG, f"other metadata than was served: sha256 {own}"))
        return False

    def _note_change(self, source: Source, wrong: WrongBytes) -> None:
        """Note the content of a source whose page states no hash."""
        if self.file.sha256 is not None and not source.file.hashes:
            self.changed = (source, wrong.sha256)
