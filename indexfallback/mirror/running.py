"""The mirror of one configuration: its index, its store and its lock, for a run at a time."""

from indexfallback.config import Settings
from indexfallback.errors import ConfigError, MirrorError, StoreError
from indexfallback.members import Members
from indexfallback.mirror.account import Account
from indexfallback.mirror.sync import Sync, Watcher
from indexfallback.store import Store
from indexfallback.store.locks import FileLock

#: Held while a run writes; the system drops it at a crash.
_LOCK = "mirror.lock"


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
        self._members = Members(settings, self.store)
        self.member = self._members[self.mirror.index]
        self.source = self.member.index.key

    def run(self, watcher: Watcher, *, dry: bool = False) -> Account:
        """Bring everything up to date; raises `MirrorError`, OSError and sqlite3.Error."""
        if self.settings.offline:
            raise MirrorError(self.mirror.index, "--offline is on", "run again without it")
        lock = FileLock(self.store.directory / _LOCK)
        if not dry and not lock.acquire():
            raise MirrorError(
                self.mirror.index, "another run is mirroring into this cache",
                "wait for its end; `indexfallback mirror status` shows what is there",
            )  # fmt: skip
        try:
            return Sync(
                self.mirror, self.member, self.store, watcher, self.settings.page_size, dry=dry
            ).run()
        finally:
            lock.release()

    def close(self) -> None:
        """Close connections and files."""
        self._members.close()
        self.store.close()
