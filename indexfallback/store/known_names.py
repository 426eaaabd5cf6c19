"""All known names, of stored pages, of owners, and of directories, searched and counted by SQLite.

Of 890,000 names only those of one page are in memory, and other threads run meanwhile.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from indexfallback.store.database import Database

#: The one parameter is a JSON array of the fields of each `NameSource`, in order. A CROSS JOIN is
#: done in its order.
_KNOWN = """
WITH source AS (
    SELECT key AS place, json_extract(value, '$[0]') AS address,
    json_extract(value, '$[1]') AS owns, json_extract(value, '$[2]') AS listed FROM json_each(?)
), known AS (
    SELECT project, place FROM source CROSS JOIN page ON page.source = address
    UNION ALL SELECT project, place FROM source CROSS JOIN name ON name.source = address
    WHERE owns AND coalesce(name.listed, name.served) IS NOT NULL
    UNION ALL SELECT each.value, place FROM source CROSS JOIN json_each(source.listed) AS each
)"""
#: The condition of a project that is in the scope of a reader; its value is by `in_scope`. The
#: characters of patterns, ``*`` and ``?``, mean the same to GLOB.
IN_SCOPE = "EXISTS (SELECT 1 FROM json_each(?) AS pattern WHERE project GLOB pattern.value)"
#: The first parameter is a JSON array of names, the second as before; by look-ups, not by search.
_PLACES = """
WITH wanted AS (SELECT value AS project FROM json_each(?)), source AS (
    SELECT key AS place, json_extract(value, '$[0]') AS address,
    json_extract(value, '$[1]') AS owns, json_extract(value, '$[2]') AS listed FROM json_each(?)
), known AS (
    SELECT wanted.project, place FROM source CROSS JOIN wanted CROSS JOIN page
    ON page.source = address AND page.project = wanted.project
    UNION ALL SELECT wanted.project, place FROM source CROSS JOIN wanted CROSS JOIN name
    ON name.project = wanted.project AND name.source = address
    WHERE owns AND coalesce(name.listed, name.served) IS NOT NULL
    UNION ALL SELECT each.value, place FROM source CROSS JOIN json_each(source.listed) AS each
    WHERE each.value IN (SELECT project FROM wanted)
) SELECT project, min(place) FROM known GROUP BY project
"""


class NameSource(NamedTuple):
    """An index whose names are known."""

    #: Without credentials.
    address: str
    #: Whether the names that it owns count, and not only its stored pages.
    owns: bool = False
    #: Names that it has besides, as a directory.
    listed: Collection[str] = ()


class KnownNames:
    """The names that some indexes are known to have."""

    def __init__(self, database: Database, sources: Iterable[NameSource]) -> None:
        self._database = database
        self._sources = json.dumps([[s.address, s.owns, list(s.listed)] for s in sources])

    def count(self, part: str, scope: Sequence[str] = ()) -> int:
        """Return the number of names that contain ``part``; raises as `Database.rows`.

        ``scope`` has the patterns of the names that count; all do if it is empty.
        """
        where, values = _having(part, scope)
        query = f"{_KNOWN} SELECT count(DISTINCT project) FROM known WHERE {where}"  # noqa: S608 - ours
        return int(self._database.row(query, (self._sources, *values))[0])

    def places(self, projects: Collection[str]) -> dict[str, int]:
        """Return those of ``projects`` that are known, each with the place of its first source.

        Raises as `Database.rows`.
        """
        wanted = json.dumps(list(projects))
        return dict(self._database.rows(_PLACES, (wanted, self._sources)))

    def find(
        self, part: str, start: int, most: int, scope: Sequence[str] = ()
    ) -> list[tuple[str, int]]:
        """Return names that contain ``part``, and for each the place of the first source with it.

        They are sorted, those that begin with ``part`` first; ``start`` of them are left out.
        ``scope`` is as of `count`. Raises as `Database.rows`.
        """
        where, values = _having(part, scope)
        query = (
            f"{_KNOWN} SELECT project, min(place) FROM known WHERE {where} GROUP BY project"  # noqa: S608 - ours
            " ORDER BY instr(project, ?) <> 1, project LIMIT ? OFFSET ?"
        )
        return self._database.rows(query, (self._sources, *values, part, most, start))


def in_scope(scope: Sequence[str]) -> str:
    """Return the value of `IN_SCOPE` for patterns of normalised names, of which there are some."""
    return json.dumps(scope)


def _having(part: str, scope: Sequence[str]) -> tuple[str, list[str]]:
    """Return the condition of names that contain ``part`` and are in scope, and its values."""
    if not scope:
        return "instr(project, ?)", [part]
    return f"instr(project, ?) AND {IN_SCOPE}", [part, in_scope(scope)]
