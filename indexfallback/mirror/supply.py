"""Where a run's pages and files come from: the index, by one process or more, or the store itself.

Used by the threads of one run; what it changes, `Supply.expect` does in the run's own.
"""

import os
import threading
from collections.abc import Sequence

from indexfallback.chain.members import Member
from indexfallback.config import Settings
from indexfallback.config.mirror import Mirror
from indexfallback.mirror.fetching import Fetcher
from indexfallback.mirror.gate import Gate
from indexfallback.mirror.hands import Hands
from indexfallback.mirror.incoming import Fetched
from indexfallback.page import File
from indexfallback.store import Store
from indexfallback.store.disk import is_right

#: Files from which on it pays to start more processes, which takes half a second.
_MANY = 500


class Supply:
    """What one run asks."""

    def __init__(self, settings: Settings, mirror: Mirror, member: Member, store: Store) -> None:
        self._settings = settings
        self._mirror = mirror
        self._index = member.index
        self._store = store
        self._expected = 0
        self._hands: Hands | None = None
        self._stopped = threading.Event()
        self._gate = Gate(mirror.rate, self._stopped)
        partials = store.blobs.partials
        self._fetcher = Fetcher(
            member.index, member.upstream, partials, self._gate, settings.page_size
        )
        #: Ask for the list of names, and for a page, as `Fetcher` does.
        self.names = self._fetcher.names
        self.page = self._fetcher.page

    def expect(self, files: int) -> None:
        """Prepare for so many more files."""
        self._expected += files
        if self._expected > _MANY and self._hands is None:
            mirror, directory = self._mirror, self._store.blobs.partials.directory
            self._hands = Hands(
                self._settings, self._index, directory, mirror.connections, mirror.rate
            )

    def fetch(self, files: Sequence[File]) -> tuple[list[Fetched], list[str]]:
        """Return the files that came, and why others did not; raises `MirrorError` and OSError."""
        recovered = [found for file in files if (found := self._recovered(file)) is not None]
        names = {found.file.filename for found in recovered}
        missing = [file for file in files if file.filename not in names]
        if not missing or self._stopped.is_set():
            return recovered, []
        fetched, failures = (self._hands or self._fetcher).fetch(missing)
        return [*recovered, *fetched], failures

    def _recovered(self, file: File) -> Fetched | None:
        """Return a file that a run stored, and was killed before it was recorded."""
        if file.sha256 is None:
            return None
        path = self._store.blobs.path(file.sha256)
        if not os.path.exists(path) or not is_right(path):  # noqa: PTH110 - a third of the time
            return None
        return Fetched(file, path, file.sha256, path.stat().st_size)

    def stop(self) -> None:
        """End what is under way."""
        self._stopped.set()
        if self._hands is not None:
            self._hands.close()
