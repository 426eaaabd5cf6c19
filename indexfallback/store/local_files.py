"""A cache of facts about files in local directories: an unchanged file is read once."""

import msgspec

from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.upstream.facts import Facts, Stamp


class LocalFiles:
    """Facts by path, valid while size and modification time are the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        """Return the facts of a file, or None if it is new or has changed."""
        row = self._database.row(
            "SELECT facts FROM local_file WHERE path = ? AND size = ? AND modified = ?",
            (path, *stamp),
        )
        return msgspec.msgpack.decode(row[0], type=Facts) if row else None

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Store the facts of a file."""
        with best_effort(f"store the facts of {path}"):
            self._database.execute(
                "INSERT OR REPLACE INTO local_file VALUES (?, ?, ?, ?)",
                (path, *stamp, msgspec.msgpack.encode(facts)),
            )
