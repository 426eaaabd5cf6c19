"""Stored health and latency of indexes, for the next process.

With them, a new process tries an index that was down once rather than three times, and knows how
long an answer of each index normally takes.
"""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from indexfallback.health import Health, State
from indexfallback.outcome import Kind
from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import is_duration, is_text


class _Row(msgspec.Struct):
    """An open circuit; ``since`` is seconds since the epoch."""

    since: float
    reason: str
    trouble: Kind


_decoder = msgspec.msgpack.Decoder(_Row)


class HealthRecords:
    """Open circuits and latencies, under the address of the index; best effort."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source: str) -> Health | None:
        """Return the stored health of an index, on the monotonic clock; None if it was good."""
        with best_effort("read the health of indexes"):
            row = self._database.row("SELECT body FROM health WHERE source = ?", (source,))
            found = _decoded(row[0]) if row is not None else None
            return _restored(found) if found is not None else None
        return None

    def put(self, source: str, health: Health) -> None:
        """Store an open circuit, or remove the record of a closed one."""
        with best_effort("store the health of indexes"):
            if health.state is State.CLOSED or health.trouble is None:
                self._database.execute("DELETE FROM health WHERE source = ?", (source,))
            else:
                offset = time.time() - time.monotonic()
                row = _Row(health.since + offset, health.reason, health.trouble)
                self._database.execute(
                    "INSERT OR REPLACE INTO health VALUES (?, ?)",
                    (source, msgspec.msgpack.encode(row)),
                )

    def latency(self, source: str) -> float | None:
        """Return the 95th percentile of an index's response times, seconds; None if not known."""
        with best_effort("read the latency of indexes"):
            row = self._database.row("SELECT seconds FROM pace WHERE source = ?", (source,))
            return row[0] if row is not None and is_duration(row[0]) else None
        return None

    def put_latency(self, source: str, seconds: float) -> None:
        """Store the 95th percentile of an index's response times, seconds."""
        with best_effort("store the latency of indexes"):
            self._database.execute("INSERT OR REPLACE INTO pace VALUES (?, ?)", (source, seconds))

    def damaged(self) -> list[Any]:
        """Return the addresses of indexes whose records are damaged."""
        health = self._database.rows("SELECT source, body FROM health")
        pace = self._database.rows("SELECT source, seconds FROM pace")
        return [
            *(source for source, body in health if not is_text(source) or _decoded(body) is None),
            *(source for source, value in pace if not is_text(source) or not is_duration(value)),
        ]

    def drop(self, sources: Iterable[Any]) -> None:
        """Remove records; they are made again by use."""
        rows = [(source,) for source in sources]
        with self._database.write() as connection:
            for table in ("health", "pace"):
                connection.executemany(f"DELETE FROM {table} WHERE source = ?", rows)  # noqa: S608 - ours


def _decoded(body: bytes) -> _Row | None:
    """Return the health of a row, or None if it is damaged."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, TypeError):  # TypeError: not bytes
        return None


def _restored(row: _Row) -> Health:
    now, offset = time.monotonic(), time.time() - time.monotonic()
    return Health(
        State.OPEN,
        # If the clock was changed in between, this must not lie in the future.
        since=min(row.since - offset, now),
        # A user who has repaired something restarts the shim: one trial at once is worth it.
        until=now,
        reason=row.reason,
        trouble=row.trouble,
    )
