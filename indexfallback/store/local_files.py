"""Facts about files in local directories, remembered so that an unchanged one is read once."""

import msgspec

from indexfallback.store.database import Database
from indexfallback.store.keeping import keeping
from indexfallback.upstream.facts import Facts, Stamp


class LocalFiles:
    """Facts by path, valid as long as size and modification time are the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        """Return what is known of a file, or None if it is new or has changed."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT facts FROM local_file WHERE path = ? AND size = ? AND modified = ?",
                (path, *stamp),
            ).fetchone()
        return msgspec.msgpack.decode(row[0], type=Facts) if row else None

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Remember what reading a file told."""
        with keeping(f"what is in {path}"), self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO local_file VALUES (?, ?, ?, ?)",
                (path, *stamp, msgspec.msgpack.encode(facts)),
            )
