"""Files for clients: from the store, else by a transfer that all who want the same file share.

Locks: ``Downloads._lock`` guards ``_running`` and ``_tainted``.
"""

import itertools
import logging
import threading

from indexfallback.chain.asking import RESERVE, hedge_budget
from indexfallback.chain.fallback import Fallback
from indexfallback.dists.metadata import read_metadata
from indexfallback.errors import (
    FileError,
    FileMissingError,
    FileRefusedError,
    FileUnavailableError,
)
from indexfallback.files.arrival import Progress
from indexfallback.files.integrity import WrongSources
from indexfallback.files.sources import Source, find_sources
from indexfallback.files.transfer import Transfer
from indexfallback.flight import SingleFlight
from indexfallback.mode import Cause
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.store import Blob, keeping

#: An answer waits this long for the whole file, seconds: below it, a wrong file can still be
#: replaced by a right one unseen; above it, clients begin to show a stalled download.
WHOLE_SECONDS = 2.0
#: Least patience with a source's first byte, seconds, however many there are.
_LEAST_PATIENCE = 1.0
#: Files remembered as cut short with wrong bytes: whoever resumes one gets it whole, also after
#: others did.
_TAINTED = 1000

log = logging.getLogger("indexfallback")

Wanted = tuple[str, FileKey, str]


class Downloads:
    """Every file on its way to a client."""

    def __init__(self, fallback: Fallback) -> None:
        self._fallback = fallback
        self._store = fallback.store
        self._lock = threading.Lock()
        self._flights: SingleFlight[Wanted, Blob | Transfer] = SingleFlight()
        self._running: dict[Wanted, Transfer] = {}
        self._tainted: dict[Wanted, None] = {}
        self._wrong = WrongSources()
        self._hedges = hedge_budget()

    def get(self, owner: str, key: FileKey, filename: str) -> Blob | Transfer:
        """Return a stored file, or a transfer whose first bytes are there.

        ``owner`` and ``key`` are those of the file's address. Raises `FileError`, within the
        deadline.
        """
        try:
            return self._get((owner, key, filename))
        except FileError as error:
            self._fallback.activity.failed(filename, error)
            if isinstance(error, FileUnavailableError):
                log.warning("%s", error)
            raise

    def is_tainted(self, owner: str, key: FileKey, filename: str) -> bool:
        """Tell whether a client may hold wrong bytes of the file, so that it must not resume."""
        with self._lock:
            return (owner, key, filename) in self._tainted

    def taint(self, wanted: Wanted) -> None:
        """Remember that a client may hold wrong bytes of a file."""
        with self._lock:
            self._tainted[wanted] = None
            if len(self._tainted) > _TAINTED:
                del self._tainted[next(iter(self._tainted))]

    def _get(self, wanted: Wanted) -> Blob | Transfer:
        # First what is in memory: a thousand who want one file at once would wait for the store.
        with self._lock:
            running = self._running.get(wanted)
        if running is not None:
            return self._wait(wanted, running)
        stored, _ = self._stored(wanted)
        if stored is not None:
            return stored
        try:
            found = self._flights.run(
                wanted, lambda: self._look_up(wanted), self._fallback.settings.deadline
            )
        except TimeoutError:
            late = "the page that lists it did not come within the deadline"
            raise FileUnavailableError(wanted[2], late, "Run again.") from None
        return found if isinstance(found, Blob) else self._wait(wanted, found)

    def _stored(self, wanted: Wanted) -> tuple[Blob | None, str | None]:
        """Return a file as it is pinned, if it is here, and the sha256 that it must have."""
        _, key, filename = wanted
        pin = self._store.pins.get(key.project, filename)
        # A metadata file's address carries the hash of the distribution, not its own.
        stated = None if filename.endswith(METADATA_ENDING) else key.sha256
        if pin is not None and stated is not None and pin != stated:
            raise self._changed(wanted, pin, stated)
        return self._store.blobs.find(pin) if pin is not None else None, stated or pin

    def _look_up(self, wanted: Wanted) -> Blob | Transfer:
        """Find what the pages say of a file, and start to fetch it unless it is here."""
        owner, key, filename = wanted
        with self._lock:
            running = self._running.get(wanted)
        if running is not None:
            return running
        stored, sha256 = self._stored(wanted)  # it may have come since
        if stored is not None:
            return stored
        sources = find_sources(self._fallback, owner, key.project, filename, key.sha256)
        first = next(sources, None)
        if first is None:
            raise self._missing(filename)
        sha256 = sha256 or first.file.sha256
        blob = self._held(wanted, first, sha256)
        if blob is not None:
            return blob
        group = self._fallback.members.group(owner)
        ordered = self._fallback.network.offline_state.ordered
        if ordered is not None and not any(m.index.is_directory for m in group):
            raise _offline(filename, ordered)
        patience = max(
            _LEAST_PATIENCE, self._fallback.settings.deadline * (1 - RESERVE) / len(group)
        )
        transfer = Transfer(
            filename,
            itertools.chain([first], sources),
            sha256,
            store=self._store,
            wrong=self._wrong,
            patience=patience,
            hedges=None if first.member.index.is_private or len(group) == 1 else self._hedges,
            finished=lambda done: self._finish(wanted, done),
        )
        with self._lock:
            self._running[wanted] = transfer
        transfer.start()
        return transfer

    def _held(self, wanted: Wanted, first: Source, sha256: str | None) -> Blob | None:
        """Return the file if its bytes are here under another name, or inside a wheel."""
        _, key, filename = wanted
        blob = self._store.blobs.find(sha256) if sha256 is not None else None
        if blob is None and filename.endswith(METADATA_ENDING):
            blob = self._metadata_inside(key, filename, sha256)
        if blob is not None:
            pin = self._pin(wanted, blob.sha256, first)
            if pin != blob.sha256:
                raise self._changed(wanted, pin, blob.sha256)
        return blob

    def _metadata_inside(self, key: FileKey, filename: str, sha256: str | None) -> Blob | None:
        """Read metadata out of the distribution that it belongs to, if that is here."""
        listed = filename.removesuffix(METADATA_ENDING)
        pin = key.sha256 or self._store.pins.get(key.project, listed)
        dist = self._store.blobs.find(pin) if pin is not None else None
        if dist is None:
            return None
        data = read_metadata(dist.path, listed)
        if data is None:
            return None
        with keeping(f"the metadata of {listed}"):
            blob = self._store.blobs.add(data)
            return blob if sha256 in (None, blob.sha256) else None
        return None

    def _changed(self, wanted: Wanted, pin: str, sha256: str) -> FileRefusedError:
        """Return the error for another content than was first seen, and note who offers it."""
        owner, key, filename = wanted
        for member in self._fallback.members.group(owner):
            page = self._store.pages.load(member.index.key, key.project)
            file = page.file(filename) if page is not None else None
            if file is not None and file.sha256 == sha256:
                self._fallback.refusals.note(key.project, filename, member.index.name, sha256)
        return FileRefusedError(
            filename,
            f"it was first seen with sha256 {pin} and is offered with {sha256} now",
            "Ask its maintainer which one is right; "
            f"`indexfallback cache accept {key.project} {filename}` takes what is offered now.",
        )

    def _missing(self, filename: str) -> FileError:
        ordered = self._fallback.network.offline_state.ordered
        if ordered is not None:
            cause = f"{ordered.words}, and no page seen here lists it"
            return FileMissingError(filename, cause, ordered.remedy)
        return FileMissingError(filename, "no index lists it", "Ask for the project's page again.")

    def _wait(self, wanted: Wanted, transfer: Transfer) -> Blob | Transfer:
        some = self._fallback.settings.deadline * (1 - RESERVE)
        progress = transfer.wait(min(WHOLE_SECONDS, some), some)
        heeds_network = self._fallback.network.offline_state.heeds_network
        if progress is Progress.FAILED and transfer.is_offline and heeds_network:
            raise _offline(transfer.filename, Cause.NETWORK)
        if progress is Progress.FAILED and transfer.changed and transfer.sha256:
            raise self._changed(wanted, transfer.sha256, transfer.changed[1])
        if progress is Progress.FAILED:
            raise FileUnavailableError(
                transfer.filename, transfer.why(), "Run again when one of them is well."
            )
        if progress is Progress.RUNNING and not transfer.can_stream:
            raise FileUnavailableError(
                transfer.filename,
                "its first bytes did not come within the deadline",
                "It is being fetched: run again.",
            )
        return transfer

    def _finish(self, wanted: Wanted, transfer: Transfer) -> None:
        if transfer.progress is Progress.DONE and transfer.source is not None:
            self._pin(wanted, transfer.sha256 or "", transfer.source)
        with self._lock:
            self._running.pop(wanted, None)
        if transfer.changed:
            source, offered = transfer.changed
            self._fallback.refusals.note(
                wanted[1].project, wanted[2], source.member.index.name, offered
            )
        if transfer.tainted:
            self.taint(wanted)

    def _pin(self, wanted: Wanted, sha256: str, source: Source) -> str:
        """Pin a file's content, and return the pin that holds: another thread's may be older."""
        _, key, filename = wanted
        with keeping(f"the pin of {filename}"):
            return self._store.pins.record(key.project, filename, sha256, source.member.index.key)
        return sha256


def _offline(filename: str, cause: Cause) -> FileMissingError:
    return FileMissingError(
        filename,
        f"{cause.words}, and it is not in the cache",
        f"{cause.remedy} `indexfallback cache list` shows what is here.",
    )
