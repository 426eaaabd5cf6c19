"""The removals of a run, collected until its end, because large ones need the user's consent.

Used by one thread.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from indexfallback.mirror.result import Removal, Result
from indexfallback.mirror.write_batch import WriteBatch
from indexfallback.store import Store
from indexfallback.store.mirrors import MirroredFile, MirroredProject, Totals


class _Change(NamedTuple):
    project: MirroredProject
    removed: tuple[MirroredFile, ...]
    #: The removed files that count for the consent.
    counted: tuple[MirroredFile, ...]
    is_emptied: bool


class PendingRemovals:
    """What one run is going to remove."""

    def __init__(self, store: Store, source: str, result: Result) -> None:
        self._store = store
        self._source = source
        self._result = result
        self._projects: set[str] = set()
        self._changes: list[_Change] = []
        #: What is mirrored when the first removal is found: to count it may take a second.
        self._before: Totals | None = None

    def add_projects(self, projects: Iterable[str]) -> None:
        """Remove projects with all of their files."""
        self._projects.update(projects)
        if self._projects:
            self._count()

    def keep(self, wants: Callable[[str], bool]) -> None:
        """Keep the added projects that ``wants`` accepts."""
        self._projects = {name for name in self._projects if not wants(name)}

    def add_change(
        self,
        project: MirroredProject,
        removed: tuple[MirroredFile, ...],
        counted: tuple[MirroredFile, ...],
        *,
        is_emptied: bool,
    ) -> None:
        """Record a project without its ``removed`` files, which may be all that it has.

        ``counted`` are the removed files that count for the consent: not those that an unchanged
        selection removes, such as old versions under ``latest``, nor those that are renamed.
        """
        self._count()
        counted = lost(counted, project.files)
        self._changes.append(_Change(project, removed, counted, is_emptied))

    @property
    def removal(self) -> Removal:
        """The removals for which the user may have to agree."""
        if not (self._projects or self._changes):
            return Removal((), (), 0, 0)
        before = self._count()
        gone = {name: self._files(name) for name in self._projects}
        files = [file for of_project in gone.values() for file in of_project]
        files += [file for change in self._changes for file in change.counted]
        emptied = [name for name, of_project in gone.items() if of_project]
        emptied += [change.project.page.name for change in self._changes if change.is_emptied]
        return Removal(
            tuple(sorted(self._projects)),
            tuple(sorted(file.filename for file in files)),
            before.projects,
            before.files,
            tuple(sorted(emptied)),
        )

    def _count(self) -> Totals:
        """Return what was mirrored at the first removal."""
        if self._before is None:
            self._before = self._store.mirrors.totals(self._source)
        return self._before

    def leave(self, projects: Collection[str]) -> None:
        """Leave these projects as they are."""
        self._projects.difference_update(projects)
        self._changes = [each for each in self._changes if each.project.page.name not in projects]

    def report(self) -> None:
        """Add the removals to the result."""
        self._result.removed_projects = sorted(self._projects)
        self._result.removed_files = sorted(file.filename for file in self._removed())

    def carry_out(self, batch: WriteBatch) -> None:
        """Remove everything; raises OSError and sqlite3.Error."""
        sha256s = {file.sha256 for file in self._removed()}
        self.report()
        for change in self._changes:
            batch.add_project(change.project)
        batch.flush()
        self._store.mirrors.remove(self._source, self._projects)
        # Last: after a crash before this line, eviction removes the files.
        for sha256 in sha256s - self._store.mirrors.needed(sha256s):
            self._store.blobs.remove(sha256)

    def _removed(self) -> list[MirroredFile]:
        removed = [file for name in self._projects for file in self._files(name)]
        return removed + [file for change in self._changes for file in change.removed]

    def _files(self, project: str) -> list[MirroredFile]:
        return list(self._store.mirrors.files(self._source, project))


def lost(removed: Iterable[MirroredFile], left: Iterable[MirroredFile]) -> tuple[MirroredFile, ...]:
    """Return the removed files whose bytes are not ``left`` under another name.

    Sdists were renamed when PEP 625 came: ``zope.foo-1.0.tar.gz`` to ``zope_foo-1.0.tar.gz``.
    """
    stay = {file.sha256 for file in left}
    return tuple(file for file in removed if file.sha256 not in stay)
