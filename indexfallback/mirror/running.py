"""The mirror of one configuration: its index, its store and its lock, for a run at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from indexfallback.chain.members import Members
from indexfallback.chain.network import Network
from indexfallback.config import Settings
from indexfallback.errors import ConfigError, MirrorError, StoreError
from indexfallback.mirror.account import Account
from indexfallback.mirror.sync import Sync, Watcher
from indexfallback.store import Store
from indexfallback.store.disk import is_right
from indexfallback.store.locks import FileLock
from indexfallback.store.mirrors import MirroredFile

#: Held while a run writes; the system drops it at a crash.
_LOCK = "mirror.lock"


class Verified(NamedTuple):
    """What hashing every file has found."""

    files: int
    #: Of these, those that were wrong or missing; and of them, those that could not be mended.
    wrong: int
    lost: tuple[str, ...]
    account: Account


class Mirroring:
    """What ``[mirror]`` asks for, ready to be done."""

    def __init__(self, settings: Settings) -> None:
        """Open the store; raises `ConfigError` and `StoreError`."""
        if settings.mirror is None:
            raise ConfigError(
                "[mirror]", "nothing is to be mirrored",
                'add to the configuration: [mirror], index = "...", projects = ["..."]',
            )  # fmt: skip
        self.settings = settings
        self.mirror = settings.mirror
        self.store = Store(settings.cache_dir, settings.cache_size)
        if self.store.is_temporary:
            self.store.close()
            raise StoreError(
                str(settings.cache_dir), "the cache cannot be written",
                "make it yours to write, or set INDEXFALLBACK_CACHE_DIR to another directory",
            )  # fmt: skip
        self._network = Network(settings)
        self._members = Members(settings, self.store, self._network)
        self.member = self._members[self.mirror.index]
        self.source = self.member.index.key

    def run(self, watcher: Watcher, *, dry: bool = False) -> Account:
        """Bring everything up to date; raises `MirrorError` and `StoreError`."""
        with self._alone():
            return self._sync(watcher, dry=dry).run()

    def verify(self, watcher: Watcher) -> Verified:
        """Hash every file, and fetch what is wrong again; raises what `run` does."""
        with self._alone():
            wrong = list(self._wrong_files())
            for file in wrong:
                self.store.blobs.quarantine(file.sha256)
            unreadable = [
                name
                for name in self.store.mirrors.names(self.source)
                if self.store.pages.load(self.source, name) is None
            ]
            projects = sorted({*unreadable, *(file.project for file in wrong)})
            self.store.mirrors.doubt(self.source, projects)
            account = self._sync(watcher).run(only=projects) if projects else Account()
            held = self.store.blobs.held(file.sha256 for file in wrong)
            lost = tuple(file.filename for file in wrong if file.sha256 not in held)
            files = self.store.mirrors.totals(self.source).files
            return Verified(files, len(wrong), lost, account)

    def _wrong_files(self) -> Iterator[MirroredFile]:
        for file in self.store.mirrors.files(self.source):
            path = self.store.blobs.path(file.sha256)
            if not is_right(path):
                yield file

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other runs out meanwhile; raises `MirrorError` where one is under way."""
        ordered = self._network.offline_state.ordered
        if ordered is not None:
            raise MirrorError(self.mirror.index, ordered.words, ordered.remedy)
        lock = FileLock(self.store.directory / _LOCK)
        if not lock.acquire():
            raise MirrorError(
                self.mirror.index, "another run is mirroring into this cache",
                "wait for its end; `indexfallback mirror status` shows what is there",
            )  # fmt: skip
        try:
            yield
        finally:
            lock.release()

    def _sync(self, watcher: Watcher, *, dry: bool = False) -> Sync:
        return Sync(self.settings, self.mirror, self.member, self.store, watcher, dry=dry)

    def close(self) -> None:
        """Close connections and files."""
        self._members.close()
        self.store.close()
