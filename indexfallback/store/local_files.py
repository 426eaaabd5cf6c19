"""A cache of facts about files in local directories: an unchanged file is read once."""

from collections.abc import Iterable
from typing import Any

import msgspec

from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import seal
from indexfallback.upstream.facts import Facts, Stamp


class LocalFiles:
    """Facts by path, valid while size and modification time are the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        """Return the facts of a file, or None if it is new or has changed."""
        row = self._database.row(
            "SELECT facts, seal FROM local_file WHERE path = ? AND size = ? AND modified = ?",
            (path, *stamp),
        )
        if row is None or row[1] != seal(path, *stamp, row[0]):  # damaged: the file is read again
            return None
        return msgspec.msgpack.decode(row[0], type=Facts)

    def damaged(self) -> list[Any]:
        """Return the paths whose records are damaged."""
        rows = self._database.rows("SELECT path, size, modified, facts, seal FROM local_file")
        return [path for path, *values, sealed in rows if sealed != seal(path, *values)]

    def drop(self, paths: Iterable[Any]) -> None:
        """Remove records; the files are read again."""
        with self._database.write() as connection:
            connection.executemany("DELETE FROM local_file WHERE path = ?", ((p,) for p in paths))

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        """Store the facts of a file."""
        with best_effort(f"store the facts of {path}"):
            encoded = msgspec.msgpack.encode(facts)
            self._database.execute(
                "INSERT OR REPLACE INTO local_file VALUES (?, ?, ?, ?, ?)",
                (path, *stamp, encoded, seal(path, *stamp, encoded)),
            )
