"""The mirror of one configuration: its index, its store and the lock that a run holds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from indexfallback.chain.network import Network
from indexfallback.config import Settings
from indexfallback.errors import ConfigError, MirrorError, StoreError
from indexfallback.mirror.fetcher import Fetcher
from indexfallback.mirror.name_list import Changes, NameList
from indexfallback.mirror.progress import Progress
from indexfallback.mirror.rate_limiter import RateLimiter
from indexfallback.mirror.result import Result
from indexfallback.store import Store, StoreFault
from indexfallback.store.disk import is_intact
from indexfallback.store.locks import FileLock
from indexfallback.store.mirrors import MirroredFile, Run

if TYPE_CHECKING:
    from indexfallback.mirror.requirements import Requirements
    from indexfallback.mirror.sync import Sync
    from indexfallback.upstream.http import HttpIndex

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
        index = settings.index(self.mirror.index)
        assert index is not None  # noqa: S101 - the settings have been checked
        self._index = index
        self.source = index.key

    def run(self, progress: Progress, *, dry: bool = False) -> Result:
        """Bring the mirror up to date; raises `MirrorError` and `StoreError`.

        If there is nothing to do, only what asks for the list of names is imported.
        """
        began = time.time()
        with self._locked():
            fetcher = Fetcher(
                self._index, self._upstream, self.store.blobs.partials,
                RateLimiter(self.mirror.rate, Event()), self.settings.page_size,
            )  # fmt: skip
            requirements = cache(self._requirements)
            names = NameList(
                self.mirror, self._index, self.store, fetcher, lambda: requirements().selection()
            )
            try:
                changes = names.changes(dry=dry)
                if changes.projects or changes.unwanted or self.mirror.dependencies:
                    result = self._sync(requirements(), progress, dry=dry).run(changes)
                else:
                    result = self._nothing(changes, began, dry=dry)
                if not (dry or result.interrupted or result.stopped):
                    names.keep(changes, result)
            except KeyboardInterrupt:
                result = Result(interrupted=True)
            result.seconds = time.time() - began
            return result

    def _nothing(self, changes: Changes, began: float, *, dry: bool) -> Result:
        """Record a run that has nothing to do."""
        if not dry:
            self.store.mirrors.put_run(self.source, Run(changes.serial, began, time.time(), 0))
        return Result(projects=changes.selected)

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
            again = Changes(dict.fromkeys(projects), selected=len(projects))
            failed: dict[str, str] = {}
            if projects:
                sync = self._sync(self._requirements(), progress)
                failed = sync.run(again, is_all=False).failed
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
        except StoreFault as error:
            raise StoreError(
                str(self.store.directory),
                f"cannot be written ({error})",
                "free space and run again: complete files are kept, and the run continues there",
            ) from error
        finally:
            lock.release()

    @cached_property
    def _upstream(self) -> "HttpIndex":
        from indexfallback.upstream.http import HttpIndex  # noqa: PLC0415 - `status` asks nothing

        return HttpIndex(self._index, self.settings)

    def _requirements(self) -> "Requirements":
        from indexfallback.mirror.requirements import Requirements  # noqa: PLC0415 - see `run`

        return Requirements(self.settings, self.mirror, self.store, self.source)

    def _sync(
        self, requirements: "Requirements", progress: Progress, *, dry: bool = False
    ) -> "Sync":
        from indexfallback.mirror.sync import Sync  # noqa: PLC0415 - see `run`

        return Sync(
            self.settings, self.mirror, self._index, self._upstream, self.store,
            requirements=requirements, progress=progress, dry=dry,
        )  # fmt: skip

    def close(self) -> None:
        """Close connections and files."""
        if "_upstream" in self.__dict__:
            self._upstream.close()
        self.store.close()
