"""Evidence: what the records say of where projects come from, for many projects at once."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.ledger import Ownership

#: Projects looked up in one query, below SQLite's oldest limit of 999 parameters.
BATCH = 900


class Evidence(NamedTuple):
    """What is known of one project."""

    #: Addresses of the indexes that have a page here, or from which a pin here came.
    sources: frozenset[str] = frozenset()
    #: What the ledger knows, by the address of each private index.
    ownerships: dict[str, Ownership] = {}  # noqa: RUF012 - replaced, never changed


def evidence(database: Database, projects: Sequence[str]) -> dict[str, Evidence]:
    """Return what is known of at most `BATCH` projects; those that are unknown are left out."""
    marks = ",".join("?" * len(projects))
    sources: defaultdict[str, set[str]] = defaultdict(set)
    ownerships: defaultdict[str, dict[str, Ownership]] = defaultdict(dict)
    with database.read() as connection:
        for table in ("page", "pin"):
            query = f"SELECT DISTINCT project, source FROM {table} WHERE project IN ({marks})"  # noqa: S608 - marks
            for project, source in connection.execute(query, projects):
                sources[project].add(source)
        query = (
            "SELECT project, source, listed, served, copied"  # noqa: S608 - marks
            f" FROM name WHERE project IN ({marks})"
        )
        for project, source, *ownership in connection.execute(query, projects):
            ownerships[project][source] = Ownership(*ownership)
    return {
        project: Evidence(frozenset(sources[project]), ownerships[project])
        for project in sources.keys() | ownerships.keys()
    }
