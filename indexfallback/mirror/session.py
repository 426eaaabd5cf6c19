"""The mirror of one configuration: its index, its store and the lock that a run holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from indexfallback.chain.members import Members
from indexfallback.chain.network import Network
from indexfallback.config import Settings
from indexfallback.errors import ConfigError, MirrorError, StoreError
from indexfallback.mirror.result import Result
from indexfallback.mirror.sync import Progress, Sync
from indexfallback.store import Store
from indexfallback.store.disk import is_intact
from indexfallback.store.locks import FileLock
from indexfallback.store.mirrors import MirroredFile

#: Held during a run; the operating system releases it after a crash.
_LOCK = "mirror.lock"


class Verified(NamedTuple):
    """The result of `MirrorSession.verify`."""

    files: int
    #: Files that were wrong or missing.
    wrong: int
    #: Those of them that could not be fetched again.
    lost: tuple[str, ...]
    #: Project to the reason why it could not be fetched again.
    failed: dict[str, str]


class MirrorSession:
    """The index and the store that ``[mirror]`` names, opened for runs."""

    def __init__(self, settings: Settings) -> None:
        """Open the store; raises `ConfigError` and `StoreError`."""
        if settings.mirror is None:
            raise ConfigError(
                "[mirror]", "the configuration does not say what to mirror",
                'add to the configuration: [mirror], index = "...", projects = ["..."]',
            )  # fmt: skip
        self.settings = settings
        self.mirror = settings.mirror
        self.store = Store(settings.cache_dir, settings.cache_size)
        if self.store.is_temporary:
            self.store.close()
            raise StoreError(
                str(settings.cache_dir), "the cache cannot be written",
                "make the directory writable, or set INDEXFALLBACK_CACHE_DIR to another one",
            )  # fmt: skip
        self._network = Network(settings)
        self._members = Members(settings, self.store, self._network)
        self.member = self._members[self.mirror.index]
        self.source = self.member.index.key

    def run(self, progress: Progress, *, dry: bool = False) -> Result:
        """Bring the mirror up to date; raises `MirrorError` and `StoreError`."""
        with self._locked():
            return self._sync(progress, dry=dry).run()

    def verify(self, progress: Progress) -> Verified:
        """Hash every file, and fetch the wrong ones again; raises what `run` does."""
        with self._locked():
            wrong = list(self._wrong_files())
            for file in wrong:
                self.store.blobs.quarantine(file.sha256)
            unreadable = [
                name
                for name in self.store.mirrors.names(self.source)
                if self.store.pages.load(self.source, name) is None
            ]
            projects = sorted({*unreadable, *(file.project for file in wrong)})
            self.store.mirrors.mark_incomplete(self.source, projects)
            failed = self._sync(progress).run(only=projects).failed if projects else {}
            held = self.store.blobs.records.held(file.sha256 for file in wrong)
            lost = tuple(file.filename for file in wrong if file.sha256 not in held)
            files = self.store.mirrors.totals(self.source).files
            return Verified(files, len(wrong), lost, failed)

    def _wrong_files(self) -> Iterator[MirroredFile]:
        for file in self.store.mirrors.files(self.source):
            if not is_intact(self.store.blobs.path(file.sha256)):
                yield file

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of a run; raises `MirrorError` if another run holds it, or offline."""
        ordered = self._network.offline_state.requested
        if ordered is not None:
            raise MirrorError(self.mirror.index, ordered.words, ordered.remedy)
        lock = FileLock(self.store.directory / _LOCK)
        if not lock.acquire():
            raise MirrorError(
                self.mirror.index, "another run is mirroring into this cache",
                "wait for its end; `indexfallback mirror status` shows the state of the mirror",
            )  # fmt: skip
        try:
            yield
        finally:
            lock.release()

    def _sync(self, progress: Progress, *, dry: bool = False) -> Sync:
        return Sync(self.settings, self.mirror, self.member, self.store, progress, dry=dry)

    def close(self) -> None:
        """Close connections and files."""
        self._members.close()
        self.store.close()
