"""The JSON that an index has of a project: from the store while it is fresh, else asked for.

A document is fresh for as long as pages are, but no longer than the page that it was got beside: so
that a release on a page is in the document too. What comes too late for a client is kept as well.

Pages alone tell an index's health: a document is asked for only while no circuit is open, and its
failure counts as that of a file.

Locks: ``IndexDocuments._lock`` guards ``_paused``.
"""

import logging
import threading
import time
from math import isinf
from typing import NamedTuple

from indexfallback.chain.members import Member, Members
from indexfallback.config import Index, Settings
from indexfallback.flight import SingleFlight, run_within
from indexfallback.outcome import Kind, Outcome
from indexfallback.store import Store, Validators, best_effort
from indexfallback.store.documents import DocumentKey, StoredDocument
from indexfallback.upstream.answers import Limits

log = logging.getLogger("indexfallback")

#: An index that has no JSON of a project on its own page, and of which none is stored, is asked for
#: none for so long, seconds: one request, rather than one for each project of a lock file.
WITHOUT_SECONDS = 600.0
#: The same for an index that was waited for in vain: other requests of one command need not wait.
SILENT_SECONDS = 30.0


class Wanted(NamedTuple):
    """A request for a document."""

    #: The index whose page is served for the project.
    owner: Index
    #: Normalised.
    project: str
    #: Digest of that page.
    page: str
    #: Empty for the document of the whole project.
    version: str
    #: Whether the page lists the version, or any file.
    is_listed: bool
    #: The index is asked whatever is fresh.
    again: bool
    #: The end of the client's deadline, on the monotonic clock.
    ends: float


class _Asked(NamedTuple):
    """What an index answered; the body is None if it has none, or could not be asked."""

    outcome: Outcome
    body: bytes | None = None


class IndexDocuments:
    """The documents of all indexes of a chain."""

    def __init__(self, settings: Settings, store: Store, members: Members) -> None:
        self._settings = settings
        self._store = store
        self._members = members
        self._flights: SingleFlight[DocumentKey, _Asked] = SingleFlight()
        self._lock = threading.Lock()
        #: Key of an index to when it is asked for JSON again, on the monotonic clock.
        self._paused: dict[str, float] = {}

    def find(self, wanted: Wanted) -> bytes | None:
        """Return what the owner of a page has: its public index if it mirrors one, else itself.

        None if no index has a document, or can be asked, and none is stored.
        """
        owner = wanted.owner
        for index in dict.fromkeys((self._settings.index(owner.group) or owner, owner)):
            if index.json_root is not None:
                found = self._of_index(self._members[index.name], wanted)
                if found is not None:
                    return found
        return None

    def _of_index(self, member: Member, wanted: Wanted) -> bytes | None:
        index = member.index
        key = DocumentKey(index.key, wanted.project, wanted.version)
        held = self._store.documents.load(key)
        if held is not None and self._is_fresh(index, held, wanted):
            return held.body
        if self._may_ask(member, again=wanted.again):
            asked = self._ask(member, key, held, wanted)
            if asked.outcome.is_answer:
                return asked.body
            log.info("%s has no JSON of %s now: %s", index.name, key.project, asked.outcome)
        return held.body if held is not None and self._may_be_stale(member, held) else None

    def _is_fresh(self, index: Index, held: StoredDocument, wanted: Wanted) -> bool:
        is_young = held.age(time.time()) < self._settings.fresh_for(index)
        return is_young and not wanted.again and held.page == wanted.page

    def _may_be_stale(self, member: Member, held: StoredDocument) -> bool:
        """Tell whether a document is young enough to be served without its index, as for pages."""
        age = held.age(time.time())
        return member.is_offline or age < self._settings.keep or isinf(age)

    def _may_ask(self, member: Member, *, again: bool) -> bool:
        now = time.monotonic()
        with self._lock:
            is_paused = now < self._paused.get(member.index.key, 0.0)
        return not member.held(now) and (again or not is_paused)

    def _pause(self, index: Index, seconds: float) -> None:
        with self._lock:
            self._paused[index.key] = time.monotonic() + seconds

    def _ask(
        self, member: Member, key: DocumentKey, held: StoredDocument | None, wanted: Wanted
    ) -> _Asked:
        """Ask an index, once for all that want the same at the same time."""
        # Half of the time is left for what is served instead, if that must be made first.
        seconds = max(0.0, wanted.ends - time.monotonic()) / 2
        if held is not None:
            seconds = min(seconds, member.latency.patience())

        def ask() -> _Asked:
            return self._flights.run(
                key, lambda: self._fetch(member, key, wanted), seconds, anew=wanted.again
            )

        try:
            return run_within(ask, seconds, f"fetch-{member.index.name}")
        except TimeoutError:
            self._pause(member.index, SILENT_SECONDS)
            return _Asked(Outcome(Kind.UNREACHABLE, f"no answer in time ({seconds:.1f} s)"))

    def _fetch(self, member: Member, key: DocumentKey, wanted: Wanted) -> _Asked:
        """Send the request and keep the answer; runs in a thread that may outlive the client's."""
        held = self._store.documents.load(key)
        if held is not None and self._is_fresh(member.index, held, wanted):
            return _Asked(Outcome(Kind.FOUND, "an equal request has just got it"), held.body)
        limits = Limits(wanted.ends + member.index.read_timeout, self._settings.page_size)
        validators = held.validators if held is not None else Validators()
        answer = member.upstream.document(key.project, key.version, limits, *validators)
        member.learn_of_file(answer.outcome)
        page, now = wanted.page, time.time()
        if answer.outcome.kind is Kind.NOT_MODIFIED and held is not None:
            with best_effort(f"store the JSON of {key.project}"):
                self._store.documents.confirm(key, page, now)
            return _Asked(answer.outcome, held.body)
        if answer.body is not None:
            validators = Validators(answer.etag, answer.last_modified)
            with best_effort(f"store the JSON of {key.project}"):
                document = StoredDocument(answer.body, validators, page, now)
                self._store.documents.put(key, document)
        elif answer.outcome.kind in (Kind.ABSENT, Kind.NOT_AN_INDEX):
            self._note_absence(member.index, key, answer.outcome, wanted)
        return _Asked(answer.outcome, answer.body)

    def _note_absence(
        self, index: Index, key: DocumentKey, outcome: Outcome, wanted: Wanted
    ) -> None:
        """Remove a document that an index has no more; remember an index that has none at all."""
        if outcome.kind is Kind.ABSENT:
            with best_effort(f"remove the JSON of {key.project}"):
                self._store.documents.remove(key)
        is_own = wanted.is_listed and index == wanted.owner
        if is_own and not self._store.documents.has_any_of(index.key):
            self._pause(index, WITHOUT_SECONDS)
