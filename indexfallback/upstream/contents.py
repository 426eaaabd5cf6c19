"""What only the content of some files in a directory tells, read once for each state of a file.

These are sdists with ambiguous names, whose PKG-INFO tells their project, and pages that other
evidence contradicts.

Locks: none. The scan reads the files, in one thread at a time, and nothing is written afterwards.
"""

import os
from pathlib import Path
from typing import NamedTuple

from indexfallback.dists.bounds import ContradictionError
from indexfallback.dists.identity import project_at
from indexfallback.errors import PageError
from indexfallback.formats import parse_page
from indexfallback.names import begins_with, project_of
from indexfallback.upstream.facts import Facts, FactsCache, Stamp, stamp_of


class _Known(NamedTuple):
    """What was read from a file."""

    #: None if it could not be read.
    stamp: Stamp | None
    project: str | None = None
    contradiction: str | None = None
    lists: bool = False


class Contents:
    """The content of the files that one scan of a directory had to open."""

    def __init__(self, facts: FactsCache, page_size: int, before: "Contents | None" = None) -> None:
        """Take over from ``before``, the contents of an earlier scan, what has not changed."""
        self._facts = facts
        self._page_size = page_size
        self._before = before.known if before is not None else {}
        #: By path.
        self.known: dict[str, _Known] = {}

    def are_current(self) -> bool:
        """Tell whether none of these files has changed; raises OSError if one is removed."""
        return all(
            known.stamp is not None and _stamp(path) == known.stamp
            for path, known in self.known.items()
        )

    def project(self, path: str, filename: str) -> str | None:
        """Return the project of a distribution with an ambiguous name, or None.

        Raises `ContradictionError`.
        """
        known = self._unchanged(path) or self._read_project(path, filename)
        self.known[path] = known
        if known.contradiction is not None:
            raise ContradictionError(known.contradiction)
        return known.project

    def lists(self, path: str, project: str) -> bool:
        """Tell whether a page lists a distribution of a normalised project."""
        known = self._unchanged(path) or self._read_page(path, project)
        self.known[path] = known
        return known.lists

    def _unchanged(self, path: str) -> _Known | None:
        known = self._before.get(path)
        if known is None or known.stamp is None:
            return None
        try:
            return known if _stamp(path) == known.stamp else None
        except OSError:  # reading it fails, too, and decides
            return None

    def _read_project(self, path: str, filename: str) -> _Known:
        try:
            stamp = _stamp(path)
            facts = self._facts.get(path, stamp)
            if facts is None:
                facts = _identify(path, filename)
                self._facts.put(path, stamp, facts)
        except OSError:  # the page of its project has the reason
            return _Known(None, project_of(filename))
        return _Known(stamp, facts.project, facts.contradiction)

    def _read_page(self, path: str, project: str) -> _Known:
        try:
            stamp = _stamp(path)
            with Path(path).open("rb") as file:
                body = file.read(self._page_size + 1)
        except OSError:  # no page: the scan goes on
            return _Known(None)
        try:
            page = parse_page(body, "text/html", Path(path).as_uri(), project, whole=True)
        except PageError:
            return _Known(stamp)
        return _Known(stamp, lists=any(begins_with(f.filename, project) for f in page.files))


def _identify(path: str, filename: str) -> Facts:
    try:
        return Facts(project=project_at(Path(path), filename))
    except ContradictionError as error:
        return Facts(contradiction=str(error))


def _stamp(path: str) -> Stamp:
    return stamp_of(os.stat(path))  # noqa: PTH116 - Path is too slow for thousands
