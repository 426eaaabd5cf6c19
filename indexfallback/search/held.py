"""What the cache says of projects: their documents, metadata files and distributions.

Of a project with a cooldown only what is offered counts, so far as stored pages tell it.
"""

import logging
from collections.abc import Iterator
from itertools import chain
from operator import attrgetter, itemgetter

from indexfallback.names import METADATA_ENDING
from indexfallback.search.described import age, said_by_document, said_by_metadata
from indexfallback.search.distributions import is_read, metadata_in, newest_first, version_of_file
from indexfallback.search.known import Known, described
from indexfallback.search.offering import Offered, Offering
from indexfallback.store import Store
from indexfallback.store.documents import DocumentKey
from indexfallback.store.pins import Pin
from indexfallback.store.search_index import Described
from indexfallback.store.statements import Ordered

log = logging.getLogger("indexfallback")

_DOCUMENTS = Ordered(
    "SELECT source, project, version FROM document"
    " WHERE (source, project, version) > (?, ?, ?) ORDER BY 1, 2, 3 LIMIT ?",
    (0, 1, 2),
)


class Held:
    """The metadata in one cache."""

    def __init__(self, store: Store, offering: Offering) -> None:
        self._store = store
        self._offering = offering

    def projects(self) -> Iterator[tuple[str, str]]:
        """Yield the address of the index and the name of each project, some of them repeatedly."""
        documents = chain.from_iterable(self._store.database.pieces(_DOCUMENTS))
        pins = (pin for pin in self._store.pins if is_read(pin.filename))
        return chain(map(itemgetter(0, 1), documents), ((pin.source, pin.project) for pin in pins))

    def described(self, source: str, project: str) -> Described | None:
        """Return what is held of a project that an index has, or None."""
        offered = self._offering.by_stored_pages(source, project)
        held = [
            *self._said_by_documents(source, project, offered),
            self._said_by_files(source, project, offered),
        ]
        newest = max(
            (each for each in (known.said for known in held) if each is not None),
            key=lambda said: age(said.version),
            default=None,
        )
        until = min((known.until for known in held if known.until is not None), default=None)
        if newest is None and until is None:
            return None
        return described(source, project, Known(newest, until))

    def _said_by_documents(self, source: str, project: str, offered: Offered) -> Iterator[Known]:
        """Yield what is said by the document of the project, and by that of its newest version."""
        documents = self._store.documents
        ordered = sorted(documents.versions(source, project), key=age)
        newest = [version for version in ordered if not version or offered.has(version)][-1:]
        for version in {*newest, *(v for v in ordered if not v)}:
            document = documents.load(DocumentKey(source, project, version))
            said = said_by_document(document.body) if document is not None else None
            if said is not None and offered.has(said.version):
                yield Known(said)
            elif said is not None:
                yield Known(until=offered.until(said.version))

    def _said_by_files(self, source: str, project: str, offered: Offered) -> Known:
        """Return what the newest version says of which metadata is held."""
        pins = chain.from_iterable(self._store.pins.of_project(project).values())
        own = [pin for pin in pins if pin.source == source and is_read(pin.filename)]
        until: float | None = None
        for pin in newest_first(own, project, attrgetter("filename")):
            version = version_of_file(pin.filename, project)
            if not offered.has(version):
                until = min(filter(None, (until, offered.until(version))), default=None)
                continue
            metadata = self._metadata(pin)
            said = said_by_metadata(metadata) if metadata is not None else None
            if said is not None:
                return Known(said, until)
        return Known(None, until)

    def _metadata(self, pin: Pin) -> bytes | None:
        blobs = self._store.blobs
        blob = blobs.find(pin.sha256) if pin.sha256 in blobs.usable([pin.sha256]) else None
        if blob is None:
            return None
        if not pin.filename.endswith(METADATA_ENDING):
            return metadata_in(blob.path, pin.filename)
        try:
            return b"".join(blobs.read(blob, 0, blob.size))
        except OSError as error:  # evicted or damaged: another version may be readable
            log.info("%s cannot be read for the search: %s", pin.filename, error)
            return None
