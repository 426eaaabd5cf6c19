"""Evidence of the origin of projects, from stored pages, pins and the ledger, in batches."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from indexfallback.store.database import Database
from indexfallback.store.ledger import INDEXES
from indexfallback.store.ownership import Ownership

#: Projects in one query, below 999, the limit of SQLite's oldest versions.
BATCH = 900


class Evidence(NamedTuple):
    """The evidence for one project."""

    #: Addresses of the indexes with a stored page or a pin of the project.
    sources: frozenset[str] = frozenset()
    #: Its ownerships, by the address of the private index.
    ownerships: dict[str, Ownership] = {}  # noqa: RUF012 - replaced, never changed


def evidence(database: Database, projects: Sequence[str]) -> dict[str, Evidence]:
    """Return the evidence for at most `BATCH` projects, without those that have none."""
    marks = ",".join("?" * len(projects))
    sources: defaultdict[str, set[str]] = defaultdict(set)
    ownerships: defaultdict[str, dict[str, Ownership]] = defaultdict(dict)
    for table in ("page", "pin"):
        query = f"SELECT DISTINCT project, source FROM {table} WHERE project IN ({marks})"  # noqa: S608 - marks
        for project, source in database.rows(query, projects):
            sources[project].add(source)
    query = (
        "SELECT project, source, listed, served, copied"  # noqa: S608 - marks
        f" FROM name {{index}} WHERE project IN ({marks})"
    )
    for project, source, *ownership in database.agreed(query, INDEXES, projects):
        ownerships[project][source] = Ownership(*ownership)
    return {
        project: Evidence(frozenset(sources[project]), ownerships[project])
        for project in sources.keys() | ownerships.keys()
    }
