"""When files without an upload-time were first seen on the page of a project, for its cooldown.

A record holds in memory until it can be written, as those that safety rests on. Only indexes with a
cooldown have records: one for each project, and one for each of its files whose time the index does
not state. They are not removed with the cache of a project: its next page would count as its first.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import is_text
from indexfallback.store.pending import PendingRecords

#: When a file counts as seen that was on the first page: before any cooldown began.
OLD = 0.0
#: Stands for the first page itself: no file has this name.
_PAGE = ""

#: The key of an index, a normalised project, a file name.
_Key = tuple[str, str, str]
_Seen = dict[str, float]


class FirstSeen:
    """The files of all projects, by the key of their index. Times are seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: PendingRecords[_Key, float] = PendingRecords(
            "the times at which files were first seen", self._write
        )

    def see(
        self, source: str, project: str, undated: Iterable[str], ahead: Iterable[str], now: float
    ) -> Mapping[str, float]:
        """Return when the files of a page were first seen, and record those that are new.

        ``undated`` are the names of files without an upload-time, which count as old on the first
        page of the project. ``ahead`` are those whose stated time is in the future: they are new
        there, too. Raises `StoreFault` if the records cannot be read.
        """
        known = self._known(source, project)
        is_first = not known
        seen = _believed(known, now)
        new = {name: now for name in ahead if name not in seen}
        new |= {name: OLD if is_first else now for name in undated if name not in seen}
        if is_first:
            new[_PAGE] = now
        if new:
            with best_effort("record when files were first seen"):
                self._pending.add_all({(source, project, n): when for n, when in new.items()})
        return {**seen, **new}

    def flush(self) -> None:
        """Try to write the pending records."""
        self._pending.flush(now=True)

    def _known(self, source: str, project: str) -> _Seen:
        # First: what is written meanwhile is in the database.
        pending = {
            name: when
            for (of_source, of_project, name), when in self._pending.all().items()
            if (of_source, of_project) == (source, project)
        }
        row = self._database.row(
            "SELECT body FROM first_seen WHERE source = ? AND project = ?", (source, project)
        )
        return _earliest(pending, _decoded(row))

    def _write(self, batch: Mapping[_Key, float]) -> None:
        new: dict[tuple[str, str], _Seen] = {}
        for (source, project, name), when in batch.items():
            new.setdefault((source, project), {})[name] = when
        with self._database.write() as connection:
            for key, seen in new.items():
                row = connection.execute(
                    "SELECT body FROM first_seen WHERE source = ? AND project = ?", key
                ).fetchone()
                # Another process may have written meanwhile.
                body = msgspec.json.encode(_earliest(seen, _decoded(row)))
                connection.execute(
                    "INSERT OR REPLACE INTO first_seen VALUES (?, ?, ?)", (*key, body)
                )


def _believed(known: _Seen, now: float) -> _Seen:
    """Return the records without those of a clock that was ahead, which are made again.

    Where ``now`` is before the first page, it is this clock that is behind: all are believed.
    """
    if now < known.get(_PAGE, now):
        return known
    return {name: when for name, when in known.items() if when <= now}


def _earliest(one: _Seen, other: _Seen) -> _Seen:
    """Return the files of both, each with the earlier of its times."""
    both = {**one, **other}
    return {name: min(one.get(name, when), when) for name, when in both.items()}


def is_first_seen(row: Sequence[Any]) -> bool:
    """Tell whether a row, with its columns in order, is sound."""
    source, project, body = row
    return is_text(source, project) and isinstance(body, bytes) and bool(_decoded((body,)))


def _decoded(row: tuple[bytes] | None) -> _Seen:
    """Return what a row has; after a damaged one, the next page counts as the first."""
    if row is None:
        return {}
    try:
        return msgspec.json.decode(row[0], type=_Seen)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):  # TypeError: not bytes
        return {}
