"""The health of indexes, kept so that a new process tries once what was down, and not thrice.

So is how quick they were: a quick one that is silent now is not waited for as long as a stranger.
"""

import time

import msgspec

from indexfallback.health import Health, State
from indexfallback.outcome import Kind
from indexfallback.store.database import Database
from indexfallback.store.keeping import keeping


class _Row(msgspec.Struct):
    """An open circuit; ``since`` is seconds since the epoch."""

    since: float
    reason: str
    trouble: str


class Healths:
    """Open circuits, each under the index's address. Best effort: a lost one is found anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str) -> Health | None:
        """Return the health that an index was left in, on the monotonic clock; None if well."""
        with keeping("reading the indexes' health"), self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM health WHERE source = ?", (source,)
            ).fetchone()
            if row is not None:
                return _restored(msgspec.msgpack.decode(row[0], type=_Row))
        return None

    def put(self, source: str, health: Health) -> None:
        """Remember an open circuit, or forget one that has closed."""
        with keeping("the indexes' health"), self._database.write() as connection:
            if health.state is State.CLOSED or health.trouble is None:
                connection.execute("DELETE FROM health WHERE source = ?", (source,))
            else:
                offset = time.time() - time.monotonic()
                row = _Row(
                    health.since + offset,
                    health.reason,
                    health.trouble.value,
                )
                connection.execute(
                    "INSERT OR REPLACE INTO health VALUES (?, ?)",
                    (source, msgspec.msgpack.encode(row)),
                )

    def pace(self, source: str) -> float | None:
        """Return the seconds that nearly all answers of an index took; None if not known."""
        with keeping("reading the indexes' pace"), self._database.read() as connection:
            row = connection.execute(
                "SELECT seconds FROM pace WHERE source = ?", (source,)
            ).fetchone()
            return float(row[0]) if row is not None else None
        return None

    def put_pace(self, source: str, seconds: float) -> None:
        """Remember how long nearly all answers of an index took."""
        with keeping("the indexes' pace"), self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO pace VALUES (?, ?)", (source, seconds))


def _restored(row: _Row) -> Health:
    now, offset = time.monotonic(), time.time() - time.monotonic()
    return Health(
        State.OPEN,
        # A clock that was changed meanwhile must not date the trouble into the future.
        since=min(row.since - offset, now),
        # A user who has mended something starts anew: one trial is worth it, at once.
        until=now,
        reason=row.reason,
        trouble=Kind(row.trouble),
    )
