"""The provenance objects of files (PEP 740): kept, and had from where a page says that they are.

An object is asked for after its file has come, in the background, and when a client asks for it. It
may get more attestations later: one that is older than its page may be is asked for again, and
stays as it is if nothing valid comes in its place. An object that is of another file, or none, is
not kept and not served.

Objects are kept for the group of an index, as its files are, and by the sha256 of the file. That of
a file whose sha256 is not known yet is served and not kept.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from indexfallback.chain.asking import RESERVE
from indexfallback.chain.fallback import Fallback
from indexfallback.config import Index, Settings
from indexfallback.errors import FileError, FileMissingError
from indexfallback.files.failures import Failure, error_of
from indexfallback.files.lookup import Lookup, not_cached
from indexfallback.files.pinned import FileAddress, PinnedFiles
from indexfallback.files.provenance_body import object_of, read_answer
from indexfallback.files.sources import Source, find_sources
from indexfallback.files.workers import Workers
from indexfallback.flight import SingleFlight, run_within
from indexfallback.names import PROVENANCE_ENDING
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.store import best_effort
from indexfallback.store.provenance import ProvenanceKey, StoredProvenance
from indexfallback.upstream.answers import ClientLogin

log = logging.getLogger("indexfallback")

#: Requests at once in the background: no more than an install leaves room for.
_AT_ONCE = 2
#: Files whose object is still to be asked for; beyond it, one is asked for when a client wants it.
_MOST_WAITING = 1000


class _Wanted(NamedTuple):
    """A file whose provenance object is wanted."""

    address: FileAddress
    #: None if it is not known.
    sha256: str | None
    login: ClientLogin | None = None


class _Fetched(NamedTuple):
    """What came: an object, or why there is none."""

    body: bytes | None
    failures: tuple[Failure, ...] = ()


class Provenances:
    """The provenance objects of all files. Addresses are those of the files themselves."""

    def __init__(self, fallback: Fallback, pins: PinnedFiles, lookup: Lookup) -> None:
        self._fallback = fallback
        self._store = fallback.store
        self._pins = pins
        self._lookup = lookup
        self._flights: SingleFlight[_Wanted, _Fetched] = SingleFlight()
        self._workers: Workers[tuple[FileAddress, Source]] = Workers(
            lambda task: self._keep_from(*task), _AT_ONCE, "fetch-provenance", backlog=_MOST_WAITING
        )

    def begin(self, address: FileAddress, source: Source) -> None:
        """Have the object of a file kept that has just come from a source; do not wait for it."""
        if source.file.provenance is not None:
            self._workers.put((address, source))

    def keep(self, address: FileAddress, file: File) -> None:
        """Have the object of a file kept, if its page states one and none is kept; wait for it.

        For commands that keep files: a failure is logged, and the file is as good as before.
        """
        if file.provenance is None:
            return
        with best_effort(f"keep the provenance of {address.filename}"):
            wanted = _Wanted(address, self._pins.distribution(address))
            if self._held(wanted) is not None:
                return
            try:
                fetched = self._shared(wanted)
            except (FileError, TimeoutError) as error:
                log.info("the provenance of %s is not kept: %s", address.filename, error)
                return
            _log_failures(wanted, fetched)

    def get(
        self, address: FileAddress, login: ClientLogin | None = None, *, again: bool = False
    ) -> bytes:
        """Return the object of a file: the one that is kept while it is fresh, else asked for.

        With a client's ``login`` its origin is asked with that; with ``again`` it is asked whatever
        is fresh. Raises `FileError`, within the deadline.
        """
        ends = time.monotonic() + self._fallback.settings.deadline * (1 - RESERVE)
        self._lookup.check_owner(address)
        wanted = _Wanted(address, self._pins.distribution(address), login)
        held = self._held(wanted)
        member = self._fallback.members[address.owner]
        if held is not None and self._is_fresh(wanted, held) and not again:
            return held.body
        seconds = ends - time.monotonic()
        if held is not None:
            seconds = min(seconds, member.latency.patience())
        try:
            fetched = run_within(
                lambda: self._shared(wanted, again=again), seconds, f"fetch-{address.filename}"
            )
        except TimeoutError:
            late = Outcome(Kind.UNREACHABLE, f"no answer in time ({seconds:.1f} s)")
            fetched = _Fetched(None, (Failure(member.index.name, late),))
        except FileError:
            if held is None:
                raise
            return held.body
        if fetched.body is not None:
            return fetched.body
        if held is not None:
            return held.body
        raise self._error(address, fetched)

    def held(self, owner: str, project: str) -> set[tuple[str, str]]:
        """Return name and sha256 of the files of a project whose object is kept."""
        return self._store.provenance.held(self._source(owner), project)

    def stored(self, address: FileAddress) -> StoredProvenance | None:
        """Return the object that is kept of a file, or None; no index is asked."""
        return self._held(_Wanted(address, self._pins.distribution(address)))

    def close(self) -> None:
        """Ask for no further object."""
        self._workers.close()

    def _error(self, address: FileAddress, fetched: _Fetched) -> FileError:
        name = address.filename + PROVENANCE_ENDING
        cause = self._fallback.network.offline_state.cause
        if cause is not None:
            return not_cached(name, cause)
        if fetched.failures:
            return error_of(name, fetched.failures)
        return FileMissingError(
            name,
            f"no page of {address.owner} states a provenance of {address.filename}",
            "Nothing is known of its publisher; whoever publishes it can add attestations.",
        )

    def _source(self, owner: str) -> str:
        return kept_for(self._fallback.settings, self._fallback.members[owner].index)

    def _key(self, wanted: _Wanted) -> ProvenanceKey | None:
        owner, key, filename = wanted.address
        if wanted.sha256 is None:
            return None
        return ProvenanceKey(self._source(owner), key.project, filename, wanted.sha256)

    def _held(self, wanted: _Wanted) -> StoredProvenance | None:
        key = self._key(wanted)
        return self._store.provenance.load(key) if key is not None else None

    def _is_fresh(self, wanted: _Wanted, held: StoredProvenance) -> bool:
        index = self._fallback.members[wanted.address.owner].index
        return held.age(time.time()) < self._fallback.settings.fresh_for(index)

    def _shared(
        self, wanted: _Wanted, source: Source | None = None, *, again: bool = False
    ) -> _Fetched:
        """Ask for an object, once for all that want it at the same time.

        ``source`` is the one to ask, if it is known. With ``again`` no earlier answer will do.
        Raises `FileError`, and TimeoutError if another one asks and gets no answer in time.
        """

        def fetch() -> _Fetched:
            held = self._held(wanted)
            if held is not None and self._is_fresh(wanted, held) and not again:
                return _Fetched(held.body)  # another one has just got it
            return self._fetch(wanted, self._sources(wanted) if source is None else [source])

        seconds = self._fallback.settings.deadline
        return self._flights.run(wanted, fetch, seconds, anew=again)

    def _sources(self, wanted: _Wanted) -> Iterator[Source]:
        owner, key, filename = wanted.address
        return find_sources(self._fallback, owner, key.project, filename, wanted.sha256)

    def _keep_from(self, address: FileAddress, source: Source) -> None:
        with best_effort(f"keep the provenance of {address.filename}"):
            wanted = _Wanted(address, self._pins.distribution(address))
            try:
                _log_failures(wanted, self._shared(wanted, source))
            except (FileError, TimeoutError):  # a client asks for it, and is told of that
                return

    def _fetch(self, wanted: _Wanted, sources: Iterable[Source]) -> _Fetched:
        """Ask the sources of a file that state an object, and keep the first that is valid.

        Raises `FileError` if no index could be asked whether it is a source.
        """
        failures: list[Failure] = []
        for source in sources:
            if source.file.provenance is None:
                continue
            asked = source._replace(
                file=object_of(source.file, source.file.provenance), login=wanted.login
            )
            outcome, body = _ask(asked, wanted.sha256)
            if body is None:
                failures.append(Failure(source.member.index.name, outcome))
                continue
            key = self._key(wanted)
            if key is not None:
                with best_effort(f"store the provenance of {wanted.address.filename}"):
                    self._store.provenance.put(key, StoredProvenance(body, time.time()))
            return _Fetched(body)
        return _Fetched(None, tuple(failures))


def kept_for(settings: Settings, index: Index) -> str:
    """Return the address of the index that the objects of an index are kept for: of its group."""
    return (settings.index(index.group) or index).key


def _ask(source: Source, sha256: str | None) -> tuple[Outcome, bytes | None]:
    """Return the outcome of a request for an object, and the object if it is valid."""
    held = source.held(time.monotonic())
    if held is not None:
        return held, None
    answer = source.open(0, None, source.member.index.read_timeout)
    source.learn(answer.outcome)
    return read_answer(answer, sha256)


def _log_failures(wanted: _Wanted, fetched: _Fetched) -> None:
    for failure in fetched.failures:
        log.info("the provenance of %s is not kept: %s", wanted.address.filename, failure)
