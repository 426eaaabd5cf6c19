"""What is known of a project, as the search index stores it."""

from typing import NamedTuple

from indexfallback.search.described import Said
from indexfallback.store.search_index import Described


class Known(NamedTuple):
    """What is known of a project."""

    #: By its newest version that is offered.
    said: Said | None = None
    #: When it is to be described anew, since a newer version is withheld until then; seconds since
    #: the epoch.
    until: float | None = None


def described(source: str, project: str, known: Known, stamp: str | None = None) -> Described:
    """Return the description of a project of the index at ``source``; ``stamp`` is as there."""
    said = known.said or Said(project, "")
    return Described(
        source,
        project,
        said.version,
        said.name,
        said.summary,
        said.keywords,
        said.classifiers,
        stamp or "",
        known.until,
    )
