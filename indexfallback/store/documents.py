"""Stored JSON documents: what an index says of a project or of one of its versions, as it came.

A document belongs to its project's pages: `Pages.remove` removes both.
"""

import logging
import zlib
from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.pages import Validators, age_of

log = logging.getLogger("indexfallback.store")

#: zlib level: the fastest one already compresses JSON to a fifth.
_COMPRESSION = 1


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


class Documents:
    """The documents of all indexes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, key: DocumentKey) -> StoredDocument | None:
        """Return a stored document, or None if there is none or it is damaged."""
        row = self._database.row(
            "SELECT body, etag, modified, page, checked FROM document"
            " WHERE source = ? AND project = ? AND version = ?",
            key,
        )
        if row is None:
            return None
        body, etag, modified, page, checked = row
        try:
            return StoredDocument(zlib.decompress(body), Validators(etag, modified), page, checked)
        except zlib.error as error:
            where = f"the stored JSON of {key.project} from {key.source}"
            log.warning("%s is damaged (%s)", where, error)
            return None

    def put(self, key: DocumentKey, document: StoredDocument) -> None:
        """Store a document."""
        body = zlib.compress(document.body, _COMPRESSION)
        self._database.execute(
            "INSERT OR REPLACE INTO document"
            " (source, project, version, body, etag, modified, page, checked)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, body, *document.validators, document.page, document.checked),
        )

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
