"""What a run has fetched and not recorded yet: made durable together, which costs as much as one.

Used by one thread.
"""

import contextlib

from indexfallback.config import Index
from indexfallback.mirror.incoming import Fetched
from indexfallback.store import Store
from indexfallback.store.mirrors import MirroredFile, MirroredProject

#: Files, projects and bytes that wait at most: what a run that is killed fetches again.
_MOST_FILES, _MOST_PROJECTS, _MOST_BYTES = 1000, 500, 256 << 20


class Intake:
    """Files and projects on their way into the store, in that order."""

    def __init__(self, store: Store, index: Index) -> None:
        self._store = store
        self._index = index
        self._fetched: dict[str, Fetched] = {}
        self._files: list[MirroredFile] = []
        self._projects: list[MirroredProject] = []
        self._bytes = 0

    def add(self, file: MirroredFile, fetched: Fetched) -> None:
        """Take a file; raises what `flush` does."""
        if fetched.sha256 in self._fetched:
            fetched.path.unlink()
        else:
            self._fetched[fetched.sha256] = fetched
            self._bytes += fetched.size
        self._files.append(file)
        if len(self._files) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            self.flush()

    def add_project(self, project: MirroredProject) -> None:
        """Take a project, all of whose files were taken or are stored; raises what `flush` does."""
        self._projects.append(project)
        if len(self._projects) >= _MOST_PROJECTS:
            self.flush()

    def flush(self) -> None:
        """Record everything; raises OSError and sqlite3.Error."""
        source = self._index.key
        if self._files:
            self._store.blobs.adopt([(f.path, sha256) for sha256, f in self._fetched.items()])
            self._store.mirrors.put(source, self._files)
            self._fetched, self._files, self._bytes = {}, [], 0
        if self._projects:
            self._store.mirrors.put_projects(source, self._projects)
            if self._index.is_private:
                for project in self._projects:
                    self._store.ledger.record_page(source, project.page.name)
            self._projects = []

    def drop(self) -> None:
        """Leave nothing of what was not recorded."""
        for fetched in self._fetched.values():
            with contextlib.suppress(OSError):  # it is a blob already, or cannot be removed
                fetched.path.unlink()
