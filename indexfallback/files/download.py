"""Files for clients: from the store, else by a transfer that all clients of the file share.

Locks: ``Downloads._lock`` guards ``_running``.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from indexfallback.chain.asking import RESERVE
from indexfallback.chain.fallback import Fallback
from indexfallback.chain.remedies import remedy_for
from indexfallback.errors import FileError, FileUnavailableError
from indexfallback.files.arrival import IncomingFile, Progress
from indexfallback.files.failures import has_no_metadata
from indexfallback.files.integrity import WrongSources
from indexfallback.files.lookup import Lookup, not_cached
from indexfallback.files.metadata import MetadataFiles
from indexfallback.files.pinned import FileAddress, PinnedFiles
from indexfallback.files.plan import Plan
from indexfallback.files.provenance import Provenances
from indexfallback.files.transfer import Transfer
from indexfallback.files.unheld import FilePart, UnheldFile
from indexfallback.flight import SingleFlight
from indexfallback.memory.table import Table
from indexfallback.mode import Cause
from indexfallback.names import FileKey
from indexfallback.store import Blob
from indexfallback.upstream.answers import ClientLogin, Part

__all__ = ["Downloads", "FileAddress"]

T = TypeVar("T")

#: An answer waits this long for the whole file, seconds: until then a wrong file can be replaced
#: by a right one before the client sees it; with a longer wait clients show a stalled download.
WHOLE_SECONDS = 2.0
#: At the end, files that are whole are waited for so long, seconds: they are stored in a moment.
_STORING_SECONDS = 1.0

log = logging.getLogger("indexfallback")


class _Wanted(NamedTuple):
    """A file, and the client's login for it; requests that are equal share one transfer."""

    address: FileAddress
    login: ClientLogin | None


class Downloads:
    """All files that clients ask for."""

    def __init__(self, fallback: Fallback) -> None:
        self._fallback = fallback
        self._store = fallback.store
        self._lock = threading.Lock()
        self._flights: SingleFlight[_Wanted, Blob | Transfer] = SingleFlight()
        self._running: dict[_Wanted, Transfer] = {}
        self._not_resumable: Table[FileAddress, None] = Table(
            "files.download.Downloads._not_resumable"
        )
        self._pins = PinnedFiles(fallback)
        self._metadata = MetadataFiles(fallback.store, self._pins, self._get, self._incoming)
        self._wrong = WrongSources()
        self._lookup = Lookup(fallback, self._pins, self._metadata)
        self.provenance = Provenances(fallback, self._pins, self._lookup)

    def get(
        self, owner: str, key: FileKey, filename: str, *, login: ClientLogin | None = None
    ) -> Blob | IncomingFile:
        """Return a stored file, or one that is being fetched and whose first bytes are there.

        ``owner``, ``key`` and ``filename`` are those of the file's address. What is fetched with a
        client's ``login`` is for that client alone. Raises `FileError`, within the deadline.
        """
        return self._within_deadline(
            FileAddress(owner, key, filename), partial(self._get, login=login)
        )

    def part(
        self, address: FileAddress, wanted: Part, login: ClientLogin | None = None
    ) -> Blob | IncomingFile | FilePart:
        """Return a file as `get` does, or a part of one that is neither stored nor fetched."""
        return self._within_deadline(address, partial(self._part, wanted=wanted, login=login))

    def _within_deadline(self, address: FileAddress, get: Callable[[FileAddress, float], T]) -> T:
        """Return a file within the deadline; report an error."""
        ends = time.monotonic() + self._fallback.settings.deadline * (1 - RESERVE)
        try:
            try:
                return get(address, ends)
            except FileNotFoundError:  # another process has evicted it since it was found
                return get(address, ends)
        except FileError as error:
            self._fallback.activity.failed(address.filename, error)
            if isinstance(error, FileUnavailableError):
                log.warning("%s", error)
            raise

    def begin(self, address: FileAddress) -> Blob | IncomingFile:
        """Return a stored file, or one whose transfer is under way, before a client asks for it.

        No answer begins with it, and a failure is not noted. Raises `FileError`.
        """
        found = self._begin(address, None)
        return found if isinstance(found, Blob) else found.file

    def is_resumable(self, address: FileAddress) -> bool:
        """Tell whether a client may resume the file: not if it may hold wrong bytes of it."""
        return address not in self._not_resumable

    def refuse_resume(self, address: FileAddress) -> None:
        """Remember that a client may hold wrong bytes of a file."""
        self._not_resumable.put(address, None)

    def close(self) -> None:
        """Let whole files be stored and pinned; the next process continues the others."""
        self.provenance.close()
        with self._lock:
            running = list(self._running.values())
        ends = time.monotonic() + _STORING_SECONDS
        for transfer in running:
            if transfer.file.progress is Progress.DONE:
                transfer.join(max(0.0, ends - time.monotonic()))

    def _get(
        self, address: FileAddress, ends: float, login: ClientLogin | None = None
    ) -> Blob | IncomingFile:
        found = self._begin(address, login)
        return found if isinstance(found, Blob) else self._wait(address, found, ends)

    def _begin(self, address: FileAddress, login: ClientLogin | None) -> Blob | Transfer:
        self._lookup.check_owner(address)
        # Memory first: a thousand clients that want one file at once would wait for the store.
        wanted = _Wanted(address, login)
        running = self._running_transfer(wanted)
        if running is not None:
            return running
        try:
            return self._flights.run(
                wanted, lambda: self._look_up(wanted), self._fallback.settings.deadline
            )
        except TimeoutError:
            late = "the page that lists it did not come within the deadline"
            raise FileUnavailableError(address.filename, late, "Run again.") from None

    def _part(
        self, address: FileAddress, ends: float, *, wanted: Part, login: ClientLogin | None
    ) -> Blob | IncomingFile | FilePart:
        self._lookup.check_owner(address)
        is_running = self._running_transfer(_Wanted(address, login)) is not None
        if not address.is_metadata and not is_running:
            located = self._lookup.locate(address, login)
            found = located if isinstance(located, Blob) else UnheldFile(*located).part(wanted)
            if found is not None:
                return found
        return self._get(address, ends, login)

    def _running_transfer(self, wanted: "_Wanted") -> Transfer | None:
        with self._lock:
            return self._running.get(wanted)

    def _incoming(self, address: FileAddress) -> IncomingFile | None:
        running = self._running_transfer(_Wanted(address, None))
        return running.file if running is not None else None

    def _look_up(self, wanted: "_Wanted") -> Blob | Transfer:
        """Find the file in the store or on the pages, and start to fetch it if it is not stored."""
        running = self._running_transfer(wanted)
        if running is not None:
            return running
        located = self._lookup.locate(*wanted)
        return located if isinstance(located, Blob) else self._start(wanted, *located)

    def _start(self, wanted: "_Wanted", file: IncomingFile, plan: Plan) -> Transfer:
        """Start to fetch a file."""
        transfer = Transfer(
            file,
            plan,
            store=self._store,
            wrong=self._wrong,
            finished=lambda done: self._finish(wanted, done),
        )
        with self._lock:
            transfer.start()  # first: a thread that cannot be started would never end it
            self._running[wanted] = transfer
        return transfer

    def _wait(self, address: FileAddress, transfer: Transfer, ends: float) -> Blob | IncomingFile:
        """Return the file of a transfer once an answer can begin with it."""
        file, some = transfer.file, max(0.0, ends - time.monotonic())
        progress = file.wait(min(WHOLE_SECONDS, some), some)
        if progress is Progress.FAILED:
            if transfer.is_offline and self._fallback.network.offline_state.detects_network:
                raise not_cached(file.filename, Cause.NETWORK)
            if (
                address.is_metadata
                and transfer.found is not None
                and (has_no_metadata(file.failures) or self._is_shared(address))
            ):
                return self._metadata.fetch(address, transfer.found, file.failures, ends)
            if transfer.refused is not None:
                raise transfer.refused
            self._metadata.check(address)
            if transfer.changed and file.sha256:
                raise self._pins.changed(address, file.sha256, transfer.changed[1])
            raise file.error(remedy_for(*transfer.trouble) if transfer.trouble else None)
        if progress is Progress.RUNNING and not file.can_stream:
            late = "its first bytes did not come within the deadline"
            raise FileUnavailableError(file.filename, late, "It is being fetched: run again.")
        return file

    def _is_shared(self, address: FileAddress) -> bool:
        """Tell whether other shims have the distribution that a metadata file belongs to."""
        shared, sha256 = self._store.shared, self._pins.distribution(address)
        return shared is not None and sha256 is not None and shared.has(sha256)

    def _finish(self, wanted: "_Wanted", transfer: Transfer) -> None:
        address, file = wanted.address, transfer.file
        if file.progress is Progress.DONE and transfer.source is not None:
            self._pins.pin(address, file.sha256 or "", transfer.source)
            if not address.is_metadata and wanted.login is None:
                self.provenance.begin(address, transfer.source)
        with self._lock:
            self._running.pop(wanted, None)
        if transfer.changed:
            source, offered = transfer.changed
            self._pins.note_change(address, source.member.index.name, offered)
        if transfer.contradicting:
            source, own = transfer.contradicting
            self._metadata.refuse(address, source.member.index.name, own)
        if transfer.sent_wrong_bytes:
            self.refuse_resume(address)
