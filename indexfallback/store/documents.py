"""Stored JSON documents: what an index says of a project or of one of its versions, as it came.

A document belongs to its project's pages: `Pages.remove` removes both.
"""

import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import Noted, age_of, is_text, is_time, seal
from indexfallback.store.page_rows import Validators
from indexfallback.store.search_index import Note
from indexfallback.store.statements import Ordered

#: zlib level: the fastest one already compresses JSON to a fifth.
_COMPRESSION = 1
_KEYS = Ordered(
    "SELECT source, project, version FROM document"
    " WHERE (source, project, version) > (?, ?, ?) ORDER BY 1, 2, 3 LIMIT ?",
    (0, 1, 2),
)
_SELECT = (
    "SELECT body, etag, modified, page, checked, seal FROM document"
    " WHERE source = ? AND project = ? AND version = ?"
)


class DocumentKey(NamedTuple):
    """What a document is of."""

    #: Address of the index, without credentials.
    source: str
    #: Normalised.
    project: str
    #: As it was asked for; empty for the document of the whole project.
    version: str = ""


class StoredDocument(NamedTuple):
    """A document with its validators."""

    body: bytes
    validators: Validators
    #: Digest of the project's page that was served when the index last confirmed the document.
    page: str
    #: When the index last confirmed it, seconds since the epoch.
    checked: float

    def age(self, now: float) -> float:
        """Return seconds since the index confirmed it; infinite for a time in the future."""
        return age_of(self.checked, now)


def _document(key: DocumentKey, row: Sequence[Any]) -> StoredDocument | None:
    """Return the document of a row of `_SELECT`, or None if it is damaged."""
    body, etag, modified, page, checked, sealed = row
    if sealed != seal(*key, etag, modified) or not is_text(page) or not is_time(checked):
        return None
    try:
        return StoredDocument(zlib.decompress(body), Validators(etag, modified), page, checked)
    except (zlib.error, TypeError):  # TypeError: not bytes
        return None


def is_document(row: Sequence[Any]) -> bool:
    """Tell whether a whole row, with the columns that `Documents.put` writes, is sound."""
    source, project, version, body, etag, modified, page, checked, sealed = row
    key = DocumentKey(source, project, version)
    return _document(key, (body, etag, modified, page, checked, sealed)) is not None


class Documents:
    """The documents of all indexes."""

    def __init__(self, database: Database, note: Note) -> None:
        """``note`` is told which project has a new document."""
        self._database = database
        self._note = note
        self._noted = Noted()

    def load(self, key: DocumentKey) -> StoredDocument | None:
        """Return a stored document, or None if there is none or it is damaged."""
        row = self._database.row(_SELECT, key)
        if row is None:
            return None
        document = _document(key, row)
        if document is None:
            self._noted.damaged(f"the JSON of {key.project} from {key.source}")
            with best_effort(f"remove the damaged JSON of {key.project}"):
                self.remove(key)
        return document

    def of_project(self, source: str, project: str) -> Iterator[StoredDocument]:
        """Yield the sound documents that an index has of a project and of its versions."""
        for version in self.versions(source, project):
            document = self.load(DocumentKey(source, project, version))
            if document is not None:
                yield document

    def versions(self, source: str, project: str) -> list[str]:
        """Return of which versions an index's documents are; an empty text is the project's."""
        query = "SELECT version FROM document WHERE source = ? AND project = ?"
        return [version for (version,) in self._database.rows(query, (source, project))]

    def damaged(self) -> Iterator[DocumentKey]:
        """Yield the keys of the damaged documents."""
        for row in chain.from_iterable(self._database.pieces(_KEYS)):
            key = DocumentKey(*row)
            found = self._database.row(_SELECT, key)
            if found is not None and _document(key, found) is None:
                yield key

    def put(self, key: DocumentKey, document: StoredDocument) -> None:
        """Store a document."""
        body = zlib.compress(document.body, _COMPRESSION)
        self._database.execute(
            "INSERT OR REPLACE INTO document"
            " (source, project, version, body, etag, modified, page, checked, seal)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *key,
                body,
                *document.validators,
                document.page,
                document.checked,
                seal(*key, *document.validators),
            ),
        )
        self._note(key.source, key.project)

    def confirm(self, key: DocumentKey, page: str, checked: float) -> None:
        """Record when the index confirmed a document, and beside which page."""
        self._database.execute(
            "UPDATE document SET page = ?, checked = ?"
            " WHERE source = ? AND project = ? AND version = ?",
            (page, checked, *key),
        )

    def remove(self, key: DocumentKey) -> None:
        """Remove one document."""
        self._database.execute(
            "DELETE FROM document WHERE source = ? AND project = ? AND version = ?", key
        )

    def has_any_of(self, source: str) -> bool:
        """Tell whether a document of an index is stored."""
        row = self._database.row("SELECT 1 FROM document WHERE source = ? LIMIT 1", (source,))
        return row is not None

    def count(self) -> int:
        """Return the number of documents."""
        return int(self._database.row("SELECT count(*) FROM document")[0])
