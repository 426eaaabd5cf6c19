"""The fetching side of a run: from the store, by this process or, for many files, by workers.

Used by the threads of one run; `FetchPool.expect` is called by the run's own thread only.
"""

import os
import threading
from collections.abc import Sequence

from indexfallback.config import Index, Settings
from indexfallback.config.mirror import Mirror
from indexfallback.mirror.fetcher import Fetcher
from indexfallback.mirror.file_download import FetchedFile
from indexfallback.mirror.rate_limiter import RateLimiter
from indexfallback.mirror.workers import Workers
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.disk import is_intact
from indexfallback.upstream.http import HttpIndex

#: The number of files that makes worker processes worth their start, which takes half a second.
_MANY = 500


class FetchPool:
    """Fetches pages and files for one run."""

    def __init__(
        self, settings: Settings, mirror: Mirror, index: Index, upstream: HttpIndex, store: Store
    ) -> None:
        self._settings = settings
        self._mirror = mirror
        self._index = index
        self._upstream = upstream
        self._store = store
        self._expected = 0
        self._workers: Workers | None = None
        self._stopped = threading.Event()
        limiter = RateLimiter(mirror.rate, self._stopped)
        partials = store.blobs.partials
        self._fetcher = Fetcher(index, upstream, partials, limiter, settings.page_size)
        self.page = self._fetcher.page
        self.sizes = self._fetcher.sizes

    def expect(self, files: int) -> None:
        """Prepare for so many more files."""
        self._expected += files
        if self._expected > _MANY and self._workers is None:
            mirror, directory = self._mirror, self._store.blobs.partials.directory
            self._workers = Workers(
                self._settings, self._index, directory, mirror.connections, mirror.rate
            )

    def fetch(self, files: Sequence[File]) -> tuple[list[FetchedFile], list[str]]:
        """Return the files that are here now, and why the others are not.

        Raises `MirrorError` and OSError.
        """
        stored = [found for file in files if (found := self._stored(file)) is not None]
        names = {found.file.filename for found in stored}
        missing = [file for file in files if file.filename not in names]
        if not missing or self._stopped.is_set():
            return stored, []
        if self._workers is None:
            fetched, failures = self._fetcher.fetch(missing)
        else:
            upstream = self._upstream
            logins = {file.url: login for file in missing if (login := upstream.link_login(file))}
            fetched, failures = self._workers.fetch(missing, logins)
        return [*stored, *fetched], failures

    def _stored(self, file: File) -> FetchedFile | None:
        """Return a file that an earlier run stored and was killed before it recorded."""
        if file.sha256 is None:
            return None
        path = self._store.blobs.path(file.sha256)
        if not os.path.exists(path) or not is_intact(path):  # noqa: PTH110 - a third of the time
            return None
        return FetchedFile(file, path, file.sha256, path.stat().st_size)

    def stop(self) -> None:
        """End every wait and all worker processes."""
        self._stopped.set()
        if self._workers is not None:
            self._workers.close()
