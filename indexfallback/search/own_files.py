"""One's own indexes, directories and buckets, as the search reads them.

They are read themselves, since this shim may have served none of their files. An index behind HTTP
is not: a search asks no index.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from indexfallback.config import Index
from indexfallback.page import File, ProjectPage
from indexfallback.search.described import Said, said_by_metadata
from indexfallback.search.distributions import version_of_file
from indexfallback.search.known import Known, described
from indexfallback.search.offering import Offered, Offering
from indexfallback.store.search_index import Described
from indexfallback.upstream.completing import completed

#: Files of a project that are tried: those of its newest release, and perhaps of the one before.
_MOST_FILES = 10


class OwnFile(NamedTuple):
    """A distribution in an index of one's own."""

    #: With what the index states of it.
    file: File
    #: Returns its metadata, or None if none can be read; raises OSError if the index has failed.
    read: Callable[[], bytes | None]


class OwnProject(NamedTuple):
    """A project in an index of one's own."""

    name: str
    #: Tells its newest files apart from earlier ones; None if they have not changed since the last
    #: listing.
    stamp: str | None
    #: Returns its files, the newest version first.
    files: Callable[[], Sequence[OwnFile]]


class OwnIndex(Protocol):
    """A directory or a bucket. Its methods are called by one thread."""

    #: The index.
    index: Index
    #: How many files are read at the same time.
    at_once: int

    def listed(self) -> Iterator[OwnProject] | None:
        """Yield all projects; None if that is not due, or nothing has changed since `keep`.

        Raises OSError.
        """
        ...

    def keep(self) -> None:
        """Remember what was listed last: all of it is described."""
        ...

    def forget(self) -> None:
        """Remember nothing, so that all projects are listed again."""
        ...

    def project(self, name: str) -> OwnProject | None:
        """Return a normalised project as it is now, or None; raises OSError."""
        ...


def described_by_files(index: Index, project: OwnProject, offering: Offering) -> Described:
    """Return what the newest files of a project say that are offered; raises OSError.

    What says nothing is described too: it is not read again until it has changed.
    """
    files = project.files()
    offered = Offered()
    if index.cooldown_of(project.name):
        page = ProjectPage(name=project.name, files=tuple(each.file for each in files))
        offered = offering.by_page(index, completed(page))
    versions = [version_of_file(each.file.filename, project.name) for each in files]
    shown = (f for f, version in zip(files, versions, strict=True) if offered.has(version))
    said = map(_said_by, islice(shown, _MOST_FILES))
    known = Known(
        next((each for each in said if each is not None), None),
        min(filter(None, map(offered.until, versions)), default=None),
    )
    return described(index.key, project.name, known, project.stamp)


def _said_by(file: OwnFile) -> Said | None:
    metadata = file.read()
    return said_by_metadata(metadata) if metadata is not None else None
