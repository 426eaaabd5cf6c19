"""Fetched files and projects that wait to be stored: a batch is as cheap to store as one file.

Used by one thread. `carry.batch` batches files for the cache; here files belong to mirrored
projects, which are recorded after them and in the same batch.
"""

import contextlib
import time

from indexfallback.config import Index
from indexfallback.mirror.file_download import FetchedFile
from indexfallback.store import Store
from indexfallback.store.mirrors import MirroredFile, MirroredProject
from indexfallback.store.provenance import ProvenanceKey, StoredProvenance

#: The largest batch in files, projects and bytes: a killed run loses at most so many.
_MOST_FILES, _MOST_PROJECTS, _MOST_BYTES = 1000, 500, 256 << 20


class WriteBatch:
    """Files and projects that are to be stored, files first."""

    def __init__(self, store: Store, index: Index, provenance_key: str) -> None:
        """Store what comes from ``index``; ``provenance_key`` is as of `ProvenanceKey.source`."""
        self._store = store
        self._index = index
        self._provenance_key = provenance_key
        self._provenance: dict[ProvenanceKey, StoredProvenance] = {}
        self._fetched: dict[str, FetchedFile] = {}
        self._files: list[MirroredFile] = []
        self._projects: list[MirroredProject] = []
        self._bytes = 0

    def add(self, file: MirroredFile, fetched: FetchedFile) -> None:
        """Add a file; flushes a full batch, and raises what `flush` does."""
        if fetched.sha256 in self._fetched:
            fetched.path.unlink()
        else:
            self._fetched[fetched.sha256] = fetched
            self._bytes += fetched.size
        self._files.append(file)
        if fetched.provenance is not None:
            key = ProvenanceKey(self._provenance_key, file.project, file.filename, file.sha256)
            self._provenance[key] = StoredProvenance(fetched.provenance, time.time())
        if len(self._files) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            self.flush()

    def add_project(self, project: MirroredProject) -> None:
        """Add a project whose files are all added or stored; raises what `flush` does."""
        self._projects.append(project)
        if len(self._projects) >= _MOST_PROJECTS:
            self.flush()

    def flush(self) -> None:
        """Store everything; raises OSError and sqlite3.Error."""
        source = self._index.key
        if self._files:
            self._store.blobs.adopt([(f.path, sha256) for sha256, f in self._fetched.items()])
            self._store.mirrors.put(source, self._files)
            self._store.provenance.put_all(self._provenance)
            self._fetched, self._files, self._bytes, self._provenance = {}, [], 0, {}
        if self._projects:
            self._store.mirrors.put_projects(source, self._projects)
            self._store.pages.origins.note(project.page for project in self._projects)
            if self._index.is_private:
                for project in self._projects:
                    self._store.ledger.record_page(source, project.page.name)
            self._projects = []

    def discard(self) -> None:
        """Remove the files that were not stored."""
        for fetched in self._fetched.values():
            with contextlib.suppress(OSError):  # it is stored already, or cannot be removed
                fetched.path.unlink()
