"""When files without an upload-time were first seen on the page of a project, for its cooldown.

A record holds in memory until it can be written, as those that safety rests on. Only indexes with a
cooldown have records: one for each project, and one for each of its files whose time the index does
not state. They are not removed with the cache of a project: its next page would count as its first.

The first page that any of several shims has seen is the first one for all of them: see `merged`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

import msgspec

from indexfallback.store.best_effort import best_effort
from indexfallback.store.database import Database
from indexfallback.store.forms import is_text, is_time
from indexfallback.store.pending import PendingRecords
from indexfallback.store.statements import Ordered

#: When a file counts as seen that was on the first page: before any cooldown began.
OLD = 0.0
#: Stands for the first page itself: no file has this name.
_PAGE = ""
#: Later than any time.
_NEVER = float("inf")

_KEYS = Ordered(
    "SELECT source, project FROM first_seen WHERE (source, project) > (?, ?)"
    " ORDER BY source, project LIMIT ?",
    (0, 1),
)

#: File name to when it was first seen, seconds since the epoch; negative on a first page, which
#: has the empty name.
Seen = Mapping[str, float]
#: The key of an index, a normalised project, a file name.
_Key = tuple[str, str, str]


def merged(one: Seen, other: Seen) -> dict[str, float]:
    """Return what two shims know together: the earliest time of each file, and of the first page.

    It is commutative, associative and idempotent.
    """
    joined = {**one, **other}
    for name in one.keys() & other.keys():
        joined[name] = min(one[name], other[name], key=lambda when: (abs(when), when))
    return joined


def times(seen: Seen) -> dict[str, float]:
    """Return when files were first seen: `OLD` for those of the first page of all.

    Where another shim had an earlier first page, the files of a first page were seen at its time.
    """
    first = seen.get(_PAGE, _NEVER)
    return {name: OLD if -first <= when < 0 else abs(when) for name, when in seen.items()}


def is_sound(seen: Seen) -> bool:
    """Tell whether a record has the right form."""
    return seen.get(_PAGE, -1.0) >= 0 and all(is_time(abs(when)) for when in seen.values())


class SeenSharing(Protocol):
    """A bucket with the times at which several shims have first seen files."""

    def first_seen(self, source: str, project: str, *, again: bool) -> Seen | None:
        """Return what other shims have seen of a project, if they were not asked before.

        With ``again`` they are asked in any case. None is returned, too, if they cannot be asked.
        """

    def seen(self, source: str, project: str) -> None:
        """Tell the others that there is something new to them in the record of a project."""


class FirstSeen:
    """The files of all projects, by the key of their index. Times are seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shared: SeenSharing | None = None
        self._pending: PendingRecords[_Key, float] = PendingRecords(
            "the times at which files were first seen", self._write
        )

    def see(
        self,
        source: str,
        project: str,
        undated: Collection[str],
        ahead: Collection[str],
        now: float,
        *,
        is_alone: bool = False,
    ) -> Mapping[str, float]:
        """Return when the files of a page were first seen, and record those that are new.

        ``undated`` are the names of files without an upload-time, which count as old on the first
        page of the project. ``ahead`` are those whose stated time is in the future: they are new
        there, too. With ``is_alone``, other shims are not asked.

        If they cannot be asked, the first page here counts as the first one until they can.
        Raises `StoreFault` if the records cannot be read.
        """
        seen = self.of(source, project)
        new = _new(seen, undated, ahead, now)
        found = None
        if self.shared is not None and not is_alone:
            found = self.shared.first_seen(source, project, again=bool(new))
        if found is not None:
            new = _new(merged(seen, found), undated, ahead, now)
        elif not new:
            return times(seen)
        joined = self.learn(source, project, merged(found or {}, new))
        if self.shared is not None and joined != found:
            self.shared.seen(source, project)
        return times(joined)

    def of(self, source: str, project: str) -> Seen:
        """Return the record of a project, empty if its page was never seen."""
        # First: what is written meanwhile is in the database.
        pending = {
            name: when
            for (of_source, of_project, name), when in self._pending.all().items()
            if (of_source, of_project) == (source, project)
        }
        row = self._database.row(
            "SELECT body FROM first_seen WHERE source = ? AND project = ?", (source, project)
        )
        return merged(pending, _decoded(row))

    def learn(self, source: str, project: str, found: Seen) -> Seen:
        """Add what was seen of a project, here or by another shim; return its record."""
        known = self.of(source, project)
        joined = merged(known, found)
        new = {
            (source, project, name): when
            for name, when in joined.items()
            if known.get(name) != when
        }
        if new:
            with best_effort("record when files were first seen"):
                self._pending.add_all(new)
        return joined

    def keys(self) -> Iterator[tuple[str, str]]:
        """Yield the index and the project of each record that is written."""
        yield from chain.from_iterable(self._database.pieces(_KEYS))

    def flush(self) -> None:
        """Try to write the pending records."""
        self._pending.flush(now=True)

    def _write(self, batch: Mapping[_Key, float]) -> None:
        new: dict[tuple[str, str], dict[str, float]] = {}
        for (source, project, name), when in batch.items():
            new.setdefault((source, project), {})[name] = when
        with self._database.write() as connection:
            for key, seen in new.items():
                row = connection.execute(
                    "SELECT body FROM first_seen WHERE source = ? AND project = ?", key
                ).fetchone()
                # Another process may have written meanwhile.
                body = msgspec.json.encode(merged(seen, _decoded(row)))
                connection.execute(
                    "INSERT OR REPLACE INTO first_seen VALUES (?, ?, ?)", (*key, body)
                )


def is_first_seen(row: Sequence[Any]) -> bool:
    """Tell whether a row, with its columns in order, is sound."""
    source, project, body = row
    return is_text(source, project) and isinstance(body, bytes) and bool(_decoded((body,)))


def _new(
    seen: Seen, undated: Collection[str], ahead: Collection[str], now: float
) -> dict[str, float]:
    """Return what a page adds to the record of its project, with the files as of `FirstSeen.see`.

    A record of a file that is after ``now`` is of a clock that was ahead, and made anew. Where
    ``now`` is before the first page, it is this clock that is behind: all records are believed.
    """
    if not seen:
        return {_PAGE: now, **dict.fromkeys(undated, -now), **dict.fromkeys(ahead, now)}
    latest = now if now >= seen.get(_PAGE, now) else _NEVER
    names = (n for n in chain(undated, ahead) if n not in seen or abs(seen[n]) > latest)
    return dict.fromkeys(names, now)


def _decoded(row: tuple[bytes] | None) -> dict[str, float]:
    """Return what a row has; after a damaged one, the next page counts as the first."""
    if row is None:
        return {}
    try:
        return msgspec.json.decode(row[0], type=dict[str, float])
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):  # TypeError: not bytes
        return {}
