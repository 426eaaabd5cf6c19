"""Known vulnerabilities: what a database of advisories answered, and what users were told.

An index that has no JSON of a release is recorded as a database that knows of nothing.

Both can be recreated, at the cost of a request and of a notice that is repeated.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from indexfallback.formats.advisories import Advisory, Release
from indexfallback.store.database import Database

#: Answers and notices are kept this long, seconds: a release that is still in use is asked for
#: again within a day, and a vulnerability that is a year old may be told again.
_KEEP_ANSWERS, _KEEP_TOLD = 30 * 86400.0, 365 * 86400.0

_decoder = msgspec.json.Decoder(tuple[Advisory, ...])


class StoredAdvisories(NamedTuple):
    """What a database of advisories answered for a release."""

    advisories: tuple[Advisory, ...]
    #: When, seconds since the epoch.
    checked: float


class Advisories:
    """The answers of databases of advisories, by their addresses, and the notices that were told.

    Its methods raise `RecordsFault`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, source: str, release: Release) -> StoredAdvisories | None:
        """Return what was answered for a release; None if that is not known."""
        row = self._database.row(
            "SELECT body, checked FROM advisory WHERE source = ? AND project = ? AND version = ?",
            (source, *release),
        )
        return _stored(*row) if row is not None else None

    def of_project(self, source: str, project: str) -> dict[str, StoredAdvisories]:
        """Return what was answered for the releases of a project, by version."""
        rows = self._database.rows(
            "SELECT version, body, checked FROM advisory WHERE source = ? AND project = ?",
            (source, project),
        )
        read = {version: _stored(body, checked) for version, body, checked in rows}
        return {version: stored for version, stored in read.items() if stored is not None}

    def put(self, source: str, found: Iterable[tuple[Release, Iterable[Advisory]]]) -> None:
        """Store what was answered now."""
        now = time.time()
        rows = [
            (source, *release, msgspec.json.encode(tuple(advisories)), now)
            for release, advisories in found
        ]
        with self._database.write() as connection:
            connection.execute("DELETE FROM advisory WHERE checked < ?", (now - _KEEP_ANSWERS,))
            connection.executemany("INSERT OR REPLACE INTO advisory VALUES (?, ?, ?, ?, ?)", rows)

    def tell(self, notices: Iterable[tuple[Release, str]]) -> list[tuple[Release, str]]:
        """Record that notices are told now; return those that were not told before.

        A notice is a release, and the identifier of one of its vulnerabilities.
        """
        now = time.time()
        with self._database.write() as connection:
            connection.execute("DELETE FROM told WHERE told < ?", (now - _KEEP_TOLD,))
            return [
                (release, name)
                for release, name in notices
                if connection.execute(
                    "INSERT OR IGNORE INTO told VALUES (?, ?, ?, ?)", (*release, name, now)
                ).rowcount
            ]


def _stored(body: bytes, checked: float) -> StoredAdvisories | None:
    try:
        return StoredAdvisories(_decoder.decode(body), float(checked))
    except (msgspec.MsgspecError, TypeError, ValueError):  # a damaged row: it is asked for again
        return None
