"""The store: cached files, pages and records, in a directory that several processes may share."""

import logging
import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from pathlib import Path

from indexfallback.errors import StoreError
from indexfallback.store.acceptances import Acceptance, Acceptances
from indexfallback.store.advisories import Advisories
from indexfallback.store.best_effort import RecordsFault, StoreFault, best_effort
from indexfallback.store.blobs import Blob, Blobs
from indexfallback.store.damage import NewerSchemaError
from indexfallback.store.database import Database
from indexfallback.store.documents import Documents
from indexfallback.store.first_seen import FirstSeen
from indexfallback.store.health_records import HealthRecords
from indexfallback.store.hosting import Hosting
from indexfallback.store.ledger import Ledger
from indexfallback.store.local_files import LocalFiles
from indexfallback.store.mirror_lists import MirrorLists
from indexfallback.store.mirrors import Mirrors
from indexfallback.store.page_rows import PageFacts, Validators
from indexfallback.store.pages import Pages
from indexfallback.store.pins import Pins
from indexfallback.store.provenance import ProvenanceRecords
from indexfallback.store.read_only import copy_records
from indexfallback.store.salvage import record_files, salvage
from indexfallback.store.schema import SCHEMA_VERSION
from indexfallback.store.seam import Shared
from indexfallback.store.search_index import SearchIndex

__all__ = ["Blob", "PageFacts", "RecordsFault", "Store", "StoreFault", "Validators", "best_effort"]

log = logging.getLogger("indexfallback.store")

_DATABASE = "index.sqlite3"
#: `Store.close` waits at most this long for records to be restored, seconds: a server must end
#: soon.
_REBUILD_SECONDS = 1.0


class Store:
    """The parts of the store, opened together."""

    def __init__(self, directory: Path, limit: int) -> None:
        """Open ``directory`` (created with mode 0700 if missing), for ``limit`` bytes of files.

        If it cannot be written, it is only read, and a temporary directory takes what is new, with
        a warning. Raises `StoreError` if other users can write to it.
        """
        self.hosting = Hosting()
        self._temporary: Path | None = None
        #: The bucket that is shared with other shims, if there is one.
        self.shared: Shared | None = None
        #: The directory that is only read, if there is one.
        self.read_only: Path | None = None
        self._closing = threading.Event()
        self._rebuilding: threading.Thread | None = None
        try:
            self._open(directory, limit)
        except (OSError, sqlite3.OperationalError) as error:
            self._temporary = Path(tempfile.mkdtemp(prefix="indexfallback-"))
            log.warning(
                "%s: the cache cannot be written (%s); a temporary one is used for what is new "
                "until the next start: free space there or set INDEXFALLBACK_CACHE_DIR",
                directory, error,
            )  # fmt: skip
            if copy_records(directory / _DATABASE, self._temporary / _DATABASE):
                self.read_only = directory
            self._open(self._temporary, limit, directory / _DATABASE)

    def _open(self, directory: Path, limit: int, heir_of: Path | None = None) -> None:
        """Open a directory; ``heir_of`` is as of `Database`."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_owner(directory)
        try:
            self.database = Database(directory / _DATABASE, heir_of=heir_of)
        except NewerSchemaError:
            log.warning(
                "%s was written by a newer indexfallback and is not changed; "
                "this version uses the subdirectory schema-%d",
                directory, SCHEMA_VERSION,
            )  # fmt: skip
            heir_of = directory / _DATABASE
            directory = directory / f"schema-{SCHEMA_VERSION}"
            directory.mkdir(exist_ok=True, mode=0o700)
            self.database = Database(directory / _DATABASE, heir_of=heir_of)
        self.directory = directory
        self.pages = Pages(self.database)
        self.search = SearchIndex(directory)
        self.documents = Documents(self.database, self.search.note)
        self.provenance = ProvenanceRecords(self.database)
        self.advisories = Advisories(self.database)
        self.ledger = Ledger(self.database)
        self.pins = Pins(self.database, self.search.note)
        self.first_seen = FirstSeen(self.database)
        #: Those of the bucket, as they were last read; those of the user are in `hosting`.
        self.acceptances = Acceptances(self.database)
        self.mirrors = Mirrors(self.database, self.search.note)
        self.mirror_lists = MirrorLists(directory, self.database)
        self.health_records = HealthRecords(self.database)
        self.local_files = LocalFiles(self.database)
        self.blobs = Blobs(directory, self.database, limit, read_only=self.read_only)
        self.database.on_renewal = self._rebuild
        if self.database.is_new:
            self._rebuild()

    def _rebuild(self) -> None:
        """Fill a new database in the background, if there is something to fill it with."""
        files = self.blobs.directory
        if self.database.set_aside or (files.is_dir() and any(files.iterdir())):
            thread = threading.Thread(target=self._fill, name="rebuild-records", daemon=True)
            self._rebuilding = thread
            thread.start()

    def _fill(self) -> None:
        with best_effort("bring the records back"):
            pages = 0
            for path in list(self.database.set_aside)[-1:]:
                pages = salvage(path, self.database, self._closing)
            # Last: what is not recorded is not evicted, and the records of mirrors come first.
            files = record_files(self.blobs, self._closing)
            log.info("%d stored files are recorded again, and %d pages", files, pages)

    def share(self, shared: Shared) -> None:
        """Share what is stored from now on with other shims, and use what they have stored."""
        self.shared = self.blobs.shared = self.pins.shared = shared
        self.pages.shared = self.ledger.shared = self.first_seen.shared = shared

    def accepted(self, project: str) -> frozenset[str]:
        """Return the versions of a project that are accepted here or in the bucket, canonical.

        Raises `StoreFault` if the records cannot be read.
        """
        here = self.hosting.accepted(project)
        return here if self.shared is None else here | self.acceptances.versions(project)

    def all_accepted(self) -> list[Acceptance]:
        """Return all releases that are accepted here or in the bucket; raises as `accepted`."""
        here = self.hosting.acceptances.all()
        return here if self.shared is None else here + self.acceptances.all()

    def wait_until_rebuilt(self, seconds: float) -> None:
        """Wait until a new database has the records that can be restored from the old one."""
        if self._rebuilding is not None:
            self._rebuilding.join(seconds)

    @property
    def is_temporary(self) -> bool:
        """Whether the directory is removed when this process ends."""
        return self._temporary is not None

    def close(self) -> None:
        """Write pending records and close the files."""
        self.wait_until_rebuilt(_REBUILD_SECONDS)
        self._closing.set()
        self.blobs.eviction.close()
        with best_effort("record when files were last used"):
            self.blobs.records.flush()
        self.ledger.flush()
        self.pins.flush()
        self.first_seen.flush()
        self.search.write_notes()
        if self.shared is not None:
            self.shared.close()
        self.database.close()
        self.hosting.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _check_owner(directory: Path) -> None:
    # A user who can write here can make every install run their code.
    if os.name != "posix":
        return
    status = directory.stat()
    if status.st_uid != os.geteuid():
        raise StoreError(
            str(directory), "belongs to another user", "set INDEXFALLBACK_CACHE_DIR to your own"
        )
    if status.st_mode & (stat.S_IWOTH | stat.S_IWGRP):
        raise StoreError(
            str(directory), "other users can write to it", f"run: chmod go-w {directory}"
        )
