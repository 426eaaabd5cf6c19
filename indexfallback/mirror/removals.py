"""The removals of a run, collected until its end, because large ones need the user's consent.

Used by one thread.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from indexfallback.mirror.result import Removal, Result
from indexfallback.mirror.write_batch import WriteBatch
from indexfallback.store import Store
from indexfallback.store.mirrors import MirroredFile, MirroredProject


class _Change(NamedTuple):
    project: MirroredProject
    removed: tuple[MirroredFile, ...]
    #: The removed files that count for the consent.
    counted: tuple[MirroredFile, ...]


class PendingRemovals:
    """What one run is going to remove."""

    def __init__(self, store: Store, source: str, result: Result) -> None:
        self._store = store
        self._source = source
        self._result = result
        self._before = store.mirrors.totals(source)
        self._projects: set[str] = set()
        self._changes: list[_Change] = []

    def add_projects(self, projects: Iterable[str]) -> None:
        """Remove projects with all of their files."""
        self._projects.update(projects)

    def keep(self, wants: Callable[[str], bool]) -> None:
        """Keep the added projects that ``wants`` accepts."""
        self._projects = {name for name in self._projects if not wants(name)}

    def add_change(
        self,
        project: MirroredProject,
        removed: tuple[MirroredFile, ...],
        counted: tuple[MirroredFile, ...],
    ) -> None:
        """Record a project without its ``removed`` files.

        ``counted`` are the removed files that count for the consent: not those that an unchanged
        selection removes, such as old versions under ``latest``.
        """
        self._changes.append(_Change(project, removed, counted))

    @property
    def removal(self) -> Removal:
        """The removals for which the user may have to agree."""
        files = [f for name in self._projects for f in self._files(name)]
        files += [file for change in self._changes for file in change.counted]
        return Removal(
            tuple(sorted(self._projects)),
            tuple(sorted(file.filename for file in files)),
            self._before.projects,
            self._before.files,
        )

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
