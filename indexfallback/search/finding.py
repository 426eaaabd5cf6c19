"""Finds known projects: first those whose names have the text, then those that it describes.

A project is found at the first index of the chain that is known to have it, and by what that
index's group said of it: what another index says of the same name is of another project.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from indexfallback.chain.cooling import Cooling
from indexfallback.chain.members import Members
from indexfallback.chain.question import asking_order
from indexfallback.config import Index, Settings
from indexfallback.search.described import age
from indexfallback.search.filling import Filling
from indexfallback.search.query import Query
from indexfallback.store import Store, best_effort
from indexfallback.store.known_names import KnownNames, NameSource
from indexfallback.store.search_index import Match
from indexfallback.upstream.answers import Limits

#: Most projects that are found by their metadata: more than anyone looks through.
MOST = 1000


class Found(NamedTuple):
    """A project that was found."""

    project: str
    #: Name of the first index that has it.
    owner: str
    #: The newest version whose metadata is known, and its summary; both empty if none is.
    version: str = ""
    summary: str = ""


class Findings(NamedTuple):
    """Some of the projects that were found."""

    projects: tuple[Found, ...]
    #: The number of all, of which `MOST` at most by their metadata.
    total: int
    #: Whether the metadata of all that is held was searched.
    is_complete: bool = True


class Search:
    """The search of one shim."""

    def __init__(
        self, settings: Settings, store: Store, members: Members, cooling: Cooling
    ) -> None:
        self.filling = Filling(settings, store, members, cooling)
        self._settings = settings
        self._store = store
        self._members = members

    def find(
        self,
        query: Query,
        start: int,
        most: int,
        *,
        patience: float,
        scope: Sequence[str] = (),
    ) -> Findings:
        """Return some of the projects that a query finds; ``start`` of them are left out.

        Metadata that has come lately is searched too if it takes ``patience`` seconds at most to
        read. ``scope`` has the patterns of the names that may be found; all may if it is empty.
        Raises sqlite3.Error.
        """
        is_complete = self.filling.update(patience)
        indexes = asking_order(self._settings.indexes)
        known = KnownNames(self._store.database, map(self._source, indexes))
        # What has a classifier is known by metadata alone.
        by_name = not query.classifier
        total = known.count(query.part, scope) if by_name else 0
        shown = known.find(query.part, start, most, scope) if by_name else []
        described = self._described_by(query, known, indexes, scope)
        rest = max(0, start - total)
        found = self._with_metadata(shown, indexes)
        found += described[rest : rest + most - len(found)]
        return Findings(tuple(found), total + len(described), is_complete)

    def close(self) -> None:
        """End what runs in the background."""
        self.filling.close()

    def _source(self, index: Index) -> NameSource:
        listed: Collection[str] = ()
        if index.is_directory:
            limits = Limits(0.0, self._settings.page_size)
            listed = self._members[index.name].upstream.names(limits).names
        elif index.is_bucket:  # as it was listed last
            with best_effort(f"read the names in {index.name}"):
                listed = self._store.search.stamps(index.key)
        return NameSource(index.key, index.is_private, listed)

    def _described_by(
        self, query: Query, known: KnownNames, indexes: tuple[Index, ...], scope: Sequence[str]
    ) -> list[Found]:
        """Return the projects that the text finds in metadata, and not in the name."""
        matches: list[Match] = []
        if query.words or (query.classifier and not query.text):
            with best_effort("search the metadata of projects"):
                matches = self._store.search.find(
                    query.words,
                    query.classifier,
                    MOST,
                    sources=[index.key for index in self._settings.every_index],
                    scope=scope,
                    besides="" if query.classifier else query.part,
                )
        places = known.places({match.project for match in matches})
        owned = {project: indexes[place] for project, place in places.items()}
        return list(self._of_owners(matches, owned).values())

    def _with_metadata(
        self, names: list[tuple[str, int]], indexes: tuple[Index, ...]
    ) -> list[Found]:
        """Return projects, each with the place of its index, with what their metadata says."""
        owned = {project: indexes[place] for project, place in names}
        matches: list[Match] = []
        with best_effort("read the metadata of projects"):
            matches = self._store.search.of_projects(owned)
        described = self._of_owners(matches, owned)
        return [
            described.get(project, Found(project, index.name)) for project, index in owned.items()
        ]

    def _of_owners(self, matches: list[Match], owned: dict[str, Index]) -> dict[str, Found]:
        """Return what the group of each project's index says of it, in the order of the matches."""
        groups = {index.group for index in owned.values()}
        keys = {group: {i.key for i in self._settings.group(group)} for group in groups}
        found: dict[str, Found] = {}
        for match in matches:
            index = owned.get(match.project)
            if index is None or match.source not in keys[index.group]:
                continue
            # A mirror may know an older version.
            other = found.get(match.project)
            if other is None or age(other.version) < age(match.version):
                found[match.project] = Found(match.project, index.name, *match[2:])
        return found


def report(query: Query, found: Findings) -> dict[str, Any]:
    """Return what is found as JSON."""
    return {
        "text": query.text,
        "classifier": query.classifier,
        "total": found.total,
        "complete": found.is_complete,
        "projects": [
            {
                "project": each.project,
                "owner": each.owner,
                "version": each.version or None,
                "summary": each.summary or None,
            }
            for each in found.projects
        ],
    }
