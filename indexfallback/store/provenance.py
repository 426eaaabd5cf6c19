"""Stored provenance objects (PEP 740), as they came; each belongs to one file of an index.

A provenance object goes with the pages of its project (`Pages.remove`), and with the stored bytes
of its file (`BlobRecords.remove`).
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from indexfallback.names import is_sha256
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import Noted, age_of, is_text, is_time, seal
from indexfallback.store.statements import Ordered

#: zlib level: most of it is base64, which no level makes much smaller.
_COMPRESSION = 1
_KEYS = Ordered(
    "SELECT source, project, filename, sha256 FROM provenance"
    " WHERE (source, project, filename, sha256) > (?, ?, ?, ?) ORDER BY 1, 2, 3, 4 LIMIT ?",
    (0, 1, 2, 3),
)
_SELECT = (
    "SELECT body, checked, seal FROM provenance"
    " WHERE source = ? AND project = ? AND filename = ? AND sha256 = ?"
)


class ProvenanceKey(NamedTuple):
    """What a provenance object is of."""

    #: Address of the index, without credentials; of a mirror that of its public index.
    source: str
    #: Normalised.
    project: str
    filename: str
    sha256: str


class StoredProvenance(NamedTuple):
    """A provenance object, and when an index last sent it, seconds since the epoch."""

    body: bytes
    checked: float

    def age(self, now: float) -> float:
        """Return seconds since an index sent it; infinite for a time in the future."""
        return age_of(self.checked, now)


def _provenance(key: ProvenanceKey, row: Sequence[Any]) -> StoredProvenance | None:
    """Return the object of a row of `_SELECT`, or None if it is damaged."""
    packed, checked, sealed = row
    is_sound = is_text(*key) and is_sha256(key.sha256) and is_time(checked)
    if not is_sound or sealed != seal(*key):
        return None
    try:
        return StoredProvenance(zlib.decompress(packed), checked)
    except (zlib.error, TypeError):  # TypeError: not bytes
        return None


def is_provenance(row: Sequence[Any]) -> bool:
    """Tell whether a whole row, with the columns that `ProvenanceRecords.put` writes, is sound."""
    *key, packed, checked, sealed = row
    return _provenance(ProvenanceKey(*key), (packed, checked, sealed)) is not None


class ProvenanceRecords:
    """The provenance objects of all indexes. Methods raise sqlite3.Error and `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted = Noted()

    def load(self, key: ProvenanceKey) -> StoredProvenance | None:
        """Return a stored object, or None if there is none or it is damaged."""
        row = self._database.row(_SELECT, key)
        if row is None:
            return None
        found = _provenance(key, row)
        if found is None:
            self._noted.damaged(f"the provenance of {key.filename} from {key.source}")
            with best_effort(f"remove the damaged provenance of {key.filename}"):
                self.remove(key)
        return found

    def put(self, key: ProvenanceKey, provenance: StoredProvenance) -> None:
        """Store an object in the place of an older one."""
        self.put_all({key: provenance})

    def put_all(self, objects: Mapping[ProvenanceKey, StoredProvenance]) -> None:
        """Store objects in the place of older ones."""
        rows = [
            (*key, zlib.compress(each.body, _COMPRESSION), each.checked, seal(*key))
            for key, each in objects.items()
        ]
        if not rows:
            return
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO provenance"
                " (source, project, filename, sha256, body, checked, seal)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def held(self, source: str, project: str) -> set[tuple[str, str]]:
        """Return name and sha256 of the files of a project whose provenance is stored."""
        rows = self._database.rows(
            "SELECT filename, sha256 FROM provenance WHERE source = ? AND project = ?",
            (source, project),
        )
        return set(rows)

    def damaged(self) -> Iterator[ProvenanceKey]:
        """Yield the keys of the damaged objects."""
        for row in chain.from_iterable(self._database.pieces(_KEYS)):
            key = ProvenanceKey(*row)
            found = self._database.row(_SELECT, key)
            if found is not None and _provenance(key, found) is None:
                yield key

    def remove(self, key: ProvenanceKey) -> None:
        """Remove one object."""
        self._database.execute(
            "DELETE FROM provenance"
            " WHERE source = ? AND project = ? AND filename = ? AND sha256 = ?",
            key,
        )
