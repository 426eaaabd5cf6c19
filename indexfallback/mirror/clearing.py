"""What a run removes: gathered until its end, counted, agreed to, and only then done.

Used by one thread.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from indexfallback.mirror.account import Account, Removal
from indexfallback.mirror.intake import Intake
from indexfallback.mirror.plan import needs_consent
from indexfallback.store import Store
from indexfallback.store.mirrors import MirroredFile, MirroredProject


class _Change(NamedTuple):
    project: MirroredProject
    gone: tuple[MirroredFile, ...]
    #: Of these, those that nobody has decided on yet.
    surprising: tuple[MirroredFile, ...]


class Clearing:
    """The removals of one run."""

    def __init__(self, store: Store, source: str, account: Account) -> None:
        self._store = store
        self._source = source
        self._account = account
        #: As it was before the run.
        self._before = store.mirrors.totals(source)
        self._projects: set[str] = set()
        self._changes: list[_Change] = []

    def add_projects(self, projects: Iterable[str]) -> None:
        """Have projects removed, with all of their files."""
        self._projects.update(projects)

    def spare(self, wants: Callable[[str], bool]) -> None:
        """Have those projects stay that are wanted after all."""
        self._projects = {name for name in self._projects if not wants(name)}

    def add_change(
        self,
        project: MirroredProject,
        gone: tuple[MirroredFile, ...],
        surprising: tuple[MirroredFile, ...],
    ) -> None:
        """Have a project recorded as it is, without some of the files that it had.

        ``surprising`` are those of them that go not by a rule that went for the last run, too.
        """
        self._changes.append(_Change(project, gone, surprising))

    @property
    def removal(self) -> Removal:
        """What would go that somebody may have to agree to."""
        files = [f for name in self._projects for f in self._files(name)]
        files += [file for change in self._changes for file in change.surprising]
        return Removal(
            tuple(sorted(self._projects)),
            tuple(sorted(file.filename for file in files)),
            self._before.projects,
            self._before.files,
        )

    @property
    def needs_consent(self) -> bool:
        """Whether so much would go that somebody has to agree."""
        removal = self.removal
        return needs_consent(
            removal.all_projects, len(removal.projects), removal.all_files, len(removal.files)
        )

    def count(self) -> None:
        """Take what goes into the account."""
        self._account.removed_projects = sorted(self._projects)
        self._account.removed_files = sorted(file.filename for file in self._gone())

    def carry_out(self, intake: Intake) -> None:
        """Remove it; raises OSError and sqlite3.Error."""
        sha256s = {file.sha256 for file in self._gone()}
        self.count()
        for change in self._changes:
            intake.add_project(change.project)
        intake.flush()
        self._store.mirrors.remove(self._source, self._projects)
        # Last: whatever ends this half-way leaves bytes that eviction takes.
        for sha256 in sha256s - self._store.mirrors.needed(sha256s):
            self._store.blobs.remove(sha256)

    def _gone(self) -> list[MirroredFile]:
        gone = [file for name in self._projects for file in self._files(name)]
        return gone + [file for change in self._changes for file in change.gone]

    def _files(self, project: str) -> list[MirroredFile]:
        return list(self._store.mirrors.files(self._source, project))
