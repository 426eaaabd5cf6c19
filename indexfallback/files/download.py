"""Files for clients: from the store, else by a transfer that all clients of the file share.

Locks: ``Downloads._lock`` guards ``_running`` and ``_not_resumable``.
"""

import itertools
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from indexfallback.chain.asking import RESERVE, hedge_budget
from indexfallback.chain.explain import remedy_for
from indexfallback.chain.fallback import Fallback
from indexfallback.chain.members import Member
from indexfallback.errors import (
    FileError,
    FileMissingError,
    FileUnavailableError,
    ProjectNotFoundError,
)
from indexfallback.files.arrival import IncomingFile, Progress
from indexfallback.files.failures import Failure, error_of, has_no_metadata, why
from indexfallback.files.inside import metadata_of, wait_stored
from indexfallback.files.integrity import WrongSources
from indexfallback.files.pinned import FileAddress, PinnedFiles
from indexfallback.files.plan import Plan
from indexfallback.files.sources import Source, authority_sha256, find_sources, renewed
from indexfallback.files.transfer import Transfer
from indexfallback.flight import SingleFlight
from indexfallback.mode import Cause
from indexfallback.names import METADATA_ENDING, FileKey
from indexfallback.store import Blob

__all__ = ["Downloads", "FileAddress"]

#: An answer waits this long for the whole file, seconds: until then a wrong file can be replaced
#: by a right one before the client sees it; with a longer wait clients show a stalled download.
WHOLE_SECONDS = 2.0
#: Least wait for a source's first byte, seconds, however many sources there are.
_LEAST_PATIENCE = 1.0
#: Number of files remembered as not resumable. One stays on the list when a client has fetched it
#: again, since other clients may still hold wrong bytes.
_MOST_NOT_RESUMABLE = 1000

log = logging.getLogger("indexfallback")


class Downloads:
    """All files that clients ask for."""

    def __init__(self, fallback: Fallback) -> None:
        self._fallback = fallback
        self._store = fallback.store
        self._lock = threading.Lock()
        self._flights: SingleFlight[FileAddress, Blob | Transfer] = SingleFlight()
        self._running: dict[FileAddress, Transfer] = {}
        self._not_resumable: dict[FileAddress, None] = {}
        self._pins = PinnedFiles(fallback)
        self._wrong = WrongSources()
        self._hedges = hedge_budget()

    def get(self, owner: str, key: FileKey, filename: str) -> Blob | IncomingFile:
        """Return a stored file, or one that is being fetched and whose first bytes are there.

        ``owner``, ``key`` and ``filename`` are those of the file's address. Raises `FileError`,
        within the deadline.
        """
        ends = time.monotonic() + self._fallback.settings.deadline * (1 - RESERVE)
        try:
            return self._get(FileAddress(owner, key, filename), ends)
        except FileError as error:
            self._fallback.activity.failed(filename, error)
            if isinstance(error, FileUnavailableError):
                log.warning("%s", error)
            raise

    def is_resumable(self, address: FileAddress) -> bool:
        """Tell whether a client may resume the file: not if it may hold wrong bytes of it."""
        with self._lock:
            return address not in self._not_resumable

    def refuse_resume(self, address: FileAddress) -> None:
        """Remember that a client may hold wrong bytes of a file."""
        with self._lock:
            self._not_resumable[address] = None
            if len(self._not_resumable) > _MOST_NOT_RESUMABLE:
                del self._not_resumable[next(iter(self._not_resumable))]

    def _get(self, address: FileAddress, ends: float) -> Blob | IncomingFile:
        self._check_owner(address)
        # Memory first: a thousand clients that want one file at once would wait for the store.
        running = self._running_transfer(address)
        if running is not None:
            return self._wait(address, running, ends)
        stored, _ = self._pins.stored(address)
        if stored is not None:
            return stored
        try:
            found = self._flights.run(
                address, lambda: self._look_up(address), self._fallback.settings.deadline
            )
        except TimeoutError:
            late = "the page that lists it did not come within the deadline"
            raise FileUnavailableError(address.filename, late, "Run again.") from None
        return found if isinstance(found, Blob) else self._wait(address, found, ends)

    def _check_owner(self, address: FileAddress) -> None:
        """Raise `FileMissingError` if the project belongs to another index than the address says.

        A private index may have got the name since the address was handed out.
        """
        if self._fallback.members.get(address.owner) is None:
            raise self._missing(address.filename)
        error = self._fallback.foreign(address.key.project, address.owner)
        if isinstance(error, ProjectNotFoundError):
            raise FileMissingError(address.filename, error.cause, error.remedy, error.owner)
        if error is not None:
            raise FileUnavailableError(address.filename, error.cause, error.remedy)

    def _running_transfer(self, address: FileAddress) -> Transfer | None:
        with self._lock:
            return self._running.get(address)

    def _look_up(self, address: FileAddress) -> Blob | Transfer:
        """Find the file on the pages, and start to fetch it unless its bytes are stored."""
        running = self._running_transfer(address)
        if running is not None:
            return running
        stored, sha256 = self._pins.stored(address)  # it may have been stored meanwhile
        if stored is not None:
            return stored
        self._pins.check(address)
        failures: list[Failure] = []
        first, others, sha256 = self._find(address, sha256, failures)
        blob = self._stored_elsewhere(address, first, sha256)
        if blob is not None:
            return blob
        file = IncomingFile(address.filename, sha256, failures)
        return self._start(address, file, itertools.chain([first], others), first.member)

    def _find(
        self, address: FileAddress, sha256: str | None, failures: list[Failure]
    ) -> tuple[Source, Iterator[Source], str | None]:
        """Return the first source, the others, and the sha256 that the file must have, if known."""
        owner, key, filename = address
        find = partial(find_sources, self._fallback, owner, key.project, filename)
        found = find(self._pins.distribution(address), failures)
        first = next(found, None)
        if first is None:
            raise self._missing(filename, failures)
        sha256 = sha256 or first.file.sha256
        if sha256 is not None:
            return first, found, sha256
        sha256 = authority_sha256(self._fallback, first, key)
        if sha256 is not None and not filename.endswith(METADATA_ENDING):
            # With a hash, every index that lists the file is a source of the same bytes.
            failures.clear()
            found = find(sha256, failures)
            first = next(found, first)
        return first, found, sha256

    def _start(
        self, address: FileAddress, file: IncomingFile, sources: Iterator[Source], first: Member
    ) -> Transfer:
        """Start to fetch a file."""
        owner, _, filename = address
        group = self._fallback.members.group(owner)
        ordered = self._fallback.network.offline_state.requested
        if ordered is not None and not any(m.index.is_directory for m in group):
            raise _offline(filename, ordered)
        left = self._fallback.settings.deadline * (1 - RESERVE)
        now = time.monotonic()
        plan = Plan(
            sources,
            renew=lambda source: self._renewed(address, source),
            hedges=None if first.index.is_private or len(group) == 1 else self._hedges,
            usable=sum(not member.held(now) for member in group),
            ends=now + left,
            share=max(_LEAST_PATIENCE, left / len(group)),
            # What comes after the deadline is kept.
            longest=left + first.index.read_timeout,
        )
        transfer = Transfer(
            file,
            plan,
            store=self._store,
            wrong=self._wrong,
            finished=lambda done: self._finish(address, done),
        )
        with self._lock:
            self._running[address] = transfer
        transfer.start()
        return transfer

    def _renewed(self, address: FileAddress, source: Source) -> Source | None:
        if self._fallback.network.is_offline:
            return None
        sha256 = self._pins.distribution(address)
        return renewed(self._fallback, source, address.key.project, sha256)

    def _stored_elsewhere(
        self, address: FileAddress, first: Source, sha256: str | None
    ) -> Blob | None:
        """Return the file if its bytes are stored under another name or inside a wheel."""
        blob = self._store.blobs.find(sha256) if sha256 is not None else None
        if blob is None and address.is_metadata:
            blob = self._metadata_inside(address, sha256)
        return self._pins.pinned(address, blob, first) if blob is not None else None

    def _metadata_inside(self, address: FileAddress, sha256: str | None) -> Blob | None:
        """Read metadata from the distribution that it belongs to, if that is stored."""
        known = self._pins.distribution(address)
        dist = self._store.blobs.find(known) if known is not None else None
        blob = metadata_of(self._store, dist, address.listed) if dist is not None else None
        return blob if blob is not None and sha256 in (None, blob.sha256) else None

    def _metadata_from_dist(
        self, address: FileAddress, failures: Sequence[Failure], ends: float
    ) -> Blob | None:
        """Fetch a distribution for its metadata, which no source has or all have wrong.

        The distribution has its own hash, and decides what its metadata is; None if it has none.
        Raises `FileError` if the distribution cannot be had: as long as it may come, the metadata
        may come.
        """
        dist = address._replace(filename=address.listed)
        try:
            found = self._get(dist, ends)
            blob = wait_stored(found, ends)
            if blob is None and isinstance(found, IncomingFile):
                raise _not_stored(found)
        except FileError as error:
            cause = f"{why(failures)}; {dist.filename}, which it is in: {error.cause}"
            raise replace(error, filename=address.filename, cause=cause) from None
        return metadata_of(self._store, blob, dist.filename) if blob is not None else None

    def _missing(self, filename: str, failures: Sequence[Failure] = ()) -> FileError:
        """Return the error for a file that no page lists; ``failures`` tell of unknown pages."""
        ordered = self._fallback.network.offline_state.requested
        if ordered is not None:
            cause = f"{ordered.words}, and no cached page lists it"
            return FileMissingError(filename, cause, ordered.remedy)
        if failures:
            return error_of(filename, failures)
        return FileMissingError(filename, "no index lists it", "Ask for the project's page again.")

    def _wait(self, address: FileAddress, transfer: Transfer, ends: float) -> Blob | IncomingFile:
        """Return the file of a transfer once an answer can begin with it."""
        file, some = transfer.file, max(0.0, ends - time.monotonic())
        progress = file.wait(min(WHOLE_SECONDS, some), some)
        if progress is Progress.FAILED:
            if transfer.is_offline and self._fallback.network.offline_state.detects_network:
                raise _offline(file.filename, Cause.NETWORK)
            if file.filename.endswith(METADATA_ENDING) and has_no_metadata(file.failures):
                blob = self._metadata_from_dist(address, file.failures, ends)
                if blob is not None and transfer.found is not None:
                    return self._pins.pinned(address, blob, transfer.found)
            if transfer.changed and file.sha256:
                raise self._pins.changed(address, file.sha256, transfer.changed[1])
            raise file.error(remedy_for(*transfer.trouble) if transfer.trouble else None)
        if progress is Progress.RUNNING and not file.can_stream:
            late = "its first bytes did not come within the deadline"
            raise FileUnavailableError(file.filename, late, "It is being fetched: run again.")
        return file

    def _finish(self, address: FileAddress, transfer: Transfer) -> None:
        file = transfer.file
        if file.progress is Progress.DONE and transfer.source is not None:
            self._pins.pin(address, file.sha256 or "", transfer.source)
        with self._lock:
            self._running.pop(address, None)
        if transfer.changed:
            source, offered = transfer.changed
            self._pins.note_change(address, source.member.index.name, offered)
        if transfer.sent_wrong_bytes:
            self.refuse_resume(address)


def _not_stored(file: IncomingFile) -> FileError:
    """Return the error for a file that was to be stored, and is not."""
    if file.progress is Progress.FAILED:
        return file.error()
    if file.progress is Progress.RUNNING:
        late = "it did not come within the deadline"
        return FileUnavailableError(file.filename, late, "It is being fetched: run again.")
    return FileUnavailableError(file.filename, "it cannot be stored", "Free space and run again.")


def _offline(filename: str, cause: Cause) -> FileMissingError:
    return FileMissingError(
        filename,
        f"{cause.words}, and it is not in the cache",
        f"{cause.remedy} `indexfallback cache list` shows what it holds.",
    )
