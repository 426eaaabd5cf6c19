"""All known names, of stored pages, of owners, and of directories, searched and counted by SQLite.

Of 890,000 names only those of one page are in memory, and other threads run meanwhile.
"""

import json
from collections.abc import Collection, Iterable
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
_COUNT = f"{_KNOWN} SELECT count(DISTINCT project) FROM known WHERE instr(project, ?)"  # noqa: S608 - ours
#: Names that begin with the part come first.
_FOUND = f"""{_KNOWN}
SELECT project, min(place) FROM known WHERE instr(project, ?) GROUP BY project
ORDER BY instr(project, ?) <> 1, project LIMIT ? OFFSET ?
"""  # noqa: S608 - ours
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

    def count(self, part: str) -> int:
        """Return the number of names that contain ``part``; raises as `Database.rows`."""
        return int(self._database.row(_COUNT, (self._sources, part))[0])

    def places(self, projects: Collection[str]) -> dict[str, int]:
        """Return those of ``projects`` that are known, each with the place of its first source.

        Raises as `Database.rows`.
        """
        wanted = json.dumps(list(projects))
        return dict(self._database.rows(_PLACES, (wanted, self._sources)))

    def find(self, part: str, start: int, most: int) -> list[tuple[str, int]]:
        """Return names that contain ``part``, and for each the place of the first source with it.

        They are sorted, those that begin with ``part`` first; ``start`` of them are left out, and
        with ``most`` -1 the others are all returned. Raises as `Database.rows`.
        """
        return self._database.rows(_FOUND, (self._sources, part, part, most, start))
