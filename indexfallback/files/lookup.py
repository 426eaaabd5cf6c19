"""Looks up a file: the stored one, or its sources and how it is fetched from them."""

import itertools
import time
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from indexfallback.chain import cooldown
from indexfallback.chain.asking import RESERVE, hedge_budget
from indexfallback.chain.cooldown import Young
from indexfallback.chain.copies import is_copy_of
from indexfallback.chain.fallback import Fallback
from indexfallback.config import Index
from indexfallback.errors import (
    FileError,
    FileMissingError,
    FileUnavailableError,
    FileWithheldError,
    ProjectNotFoundError,
)
from indexfallback.files.arrival import IncomingFile
from indexfallback.files.failures import Failure, error_of
from indexfallback.files.metadata import MetadataFiles
from indexfallback.files.pinned import FileAddress, PinnedFiles
from indexfallback.files.plan import Plan
from indexfallback.files.shared_copy import SharedCopy
from indexfallback.files.sources import Source, authority_sha256, find_sources, renewed
from indexfallback.mode import Cause
from indexfallback.names import METADATA_ENDING
from indexfallback.page import File
from indexfallback.store import Blob
from indexfallback.upstream.answers import ClientLogin

#: Least wait for a source's first byte, seconds, however many sources there are.
_LEAST_PATIENCE = 1.0


class Lookup:
    """Looks files up by their address."""

    def __init__(self, fallback: Fallback, pins: PinnedFiles, metadata: MetadataFiles) -> None:
        self._fallback = fallback
        self._store = fallback.store
        self._pins = pins
        self._metadata = metadata
        self._hedges = hedge_budget()

    def check_owner(self, address: FileAddress) -> None:
        """Raise `FileMissingError` if the project belongs to another index than the address says.

        A private index may have become the owner since the address was served.
        """
        if self._fallback.members.get(address.owner) is None:
            raise self._missing(address.filename)
        error = self._fallback.foreign(address.key.project, address.owner)
        if isinstance(error, ProjectNotFoundError):
            raise FileMissingError(address.filename, error.cause, error.remedy, error.owner)
        if error is not None:
            raise FileUnavailableError(address.filename, error.cause, error.remedy)

    def locate(
        self, address: FileAddress, login: ClientLogin | None = None
    ) -> Blob | tuple[IncomingFile, Plan]:
        """Return a file that is stored, or what is needed to fetch it; raises `FileError`.

        A client's ``login`` is sent to its origin.
        """
        stored, sha256 = self._pins.find(address)
        if stored is not None:
            return stored
        self._metadata.check(address)
        failures: list[Failure] = []
        first, others, sha256 = self._find(address, sha256, failures)
        blob = self._stored_elsewhere(address, first, sha256)
        if blob is not None:
            return blob
        sources: Iterator[Source] = itertools.chain([first], others)
        if login is not None:
            sources = (source._replace(login=login) for source in sources)
        plan = self._plan(address, sources, first, may_renew=login is None)
        return IncomingFile(address.filename, sha256, failures), plan

    def _find(
        self, address: FileAddress, sha256: str | None, failures: list[Failure]
    ) -> tuple[Source, Iterator[Source], str | None]:
        """Return the first source, the others, and the sha256 that the file must have, if known."""
        owner, key, filename = address
        young: list[tuple[Index, Young]] = []
        at_indexes = partial(find_sources, self._fallback, owner, key.project, filename)

        def find(sha256: str | None, failures: list[Failure]) -> Iterator[Source]:
            return self._old_enough(address, at_indexes(sha256, failures), young)

        found = find(self._pins.distribution(address), failures)
        first = next(found, None)
        if first is None and young:
            raise _withheld(address, *young[0])
        if first is None:
            raise self._missing(filename, [each for each in failures if each.source == owner])
        sha256 = sha256 or first.file.sha256
        # What is read from a wheel is compared with it when it comes.
        if sha256 is not None or first.wheel is not None:
            return first, found, sha256
        sha256 = authority_sha256(self._fallback, first, key)
        if sha256 is not None and not filename.endswith(METADATA_ENDING):
            # With a hash, every index that lists the file is a source of the same bytes.
            failures.clear()
            found = find(sha256, failures)
            first = next(found, first)
        return first, found, sha256

    def _old_enough(
        self, address: FileAddress, sources: Iterator[Source], young: list[tuple[Index, Young]]
    ) -> Iterator[Source]:
        """Yield the sources of the file that are not withheld; note the others in ``young``."""
        for source in sources:
            withheld = list(self._withheld_by(address, source))
            young += withheld
            if not withheld:
                yield source

    def _withheld_by(self, address: FileAddress, source: Source) -> Iterator[tuple[Index, Young]]:
        """Yield the indexes whose cooldown withholds a file of a source, and until when."""
        project = address.key.project
        for index, file in self._listing(source.member.index, project, source.file):
            if index.cooldown_of(project):
                # The page lists the distribution, also where its metadata is meant.
                listed = msgspec.structs.replace(file, filename=address.listed)
                pins = self._pins.of_listed(address)
                found = self._fallback.cooling.young(index, project, listed, pins)
                if found is not None:
                    yield index, found

    def _listing(self, index: Index, project: str, file: File) -> Iterator[tuple[Index, File]]:
        """Yield the indexes whose cooldown counts for a file of an index, and their entries.

        Where all that it has of a project are copies, the public index's counts, too.
        """
        yield index, file
        if not index.defer_copies or index.claims(project):
            return
        load = self._store.pages.load
        page = load(index.key, project)
        for other in self._fallback.settings.indexes:
            public = load(other.key, project) if other.role == "public" else None
            if page is None or public is None or not is_copy_of(page, public):
                continue
            yield from ((other, each) for each in public.files if each.sha256 == file.sha256)

    def _plan(
        self,
        address: FileAddress,
        sources: Iterator[Source],
        first: Source,
        *,
        may_renew: bool,
    ) -> Plan:
        """Return how to fetch a file; raises `FileMissingError` if the user wants no network.

        With ``may_renew`` its page is asked for again if its address may have expired.
        """
        group = self._fallback.members.group(address.owner)
        ordered = self._fallback.network.offline_state.requested
        if ordered is not None and not any(m.index.is_directory for m in group):
            raise not_cached(address.filename, ordered)
        shared = self._store.shared
        left = self._fallback.settings.deadline * (1 - RESERVE)
        now = time.monotonic()
        return Plan(
            sources,
            renew=lambda source: self._renewed(address, source) if may_renew else None,
            contradiction=lambda path: self._metadata.contradiction(address, path),
            claim=partial(self._pins.claimed, address),
            shared=SharedCopy(shared, first) if shared is not None else None,
            hedges=None if first.member.index.is_private or len(group) == 1 else self._hedges,
            usable=sum(not member.held(now) for member in group),
            ends=now + left,
            share=max(_LEAST_PATIENCE, left / len(group)),
            # What comes after the deadline is kept.
            longest=left + first.member.index.read_timeout,
        )

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
        if blob is None:
            return self._metadata.held(address, first) if address.is_metadata else None
        own = self._metadata.contradiction(address, blob.path)
        if own is not None:
            self._metadata.refuse(address, first.member.index.name, own)
            self._metadata.check(address)
        return self._pins.pinned(address, blob, first)

    def _missing(self, filename: str, failures: Sequence[Failure] = ()) -> FileError:
        """Return the error for a file that no page lists.

        ``failures`` are of the index that the address names: its mirrors do not have a file that it
        does not list.
        """
        ordered = self._fallback.network.offline_state.requested
        if ordered is not None:
            cause = f"{ordered.words}, and no cached page lists it"
            return FileMissingError(filename, cause, ordered.remedy)
        if failures:
            return error_of(filename, failures)
        return FileMissingError(filename, "no index lists it", "Ask for the project's page again.")


def _withheld(address: FileAddress, index: Index, young: Young) -> FileWithheldError:
    """Return the error for a file that the cooldown of an index withholds."""
    project = address.key.project
    why = cooldown.cause(young, index.name, index.cooldown_of(project))
    return FileWithheldError(address.filename, why, cooldown.remedy(project, young.version))


def not_cached(filename: str, cause: Cause) -> FileMissingError:
    """Return the error for a file that is not stored, without a network."""
    return FileMissingError(
        filename,
        f"{cause.words}, and it is not in the cache",
        f"{cause.remedy} `indexfallback cache list` shows what it holds.",
    )
