"""The database of what cannot be recreated: tokens, hosted files, events and accepted releases.

It is in the user's state directory, since caches are cleared.
"""

import sqlite3
import threading

import platformdirs

from indexfallback.errors import StoreError
from indexfallback.store.acceptances import Acceptances
from indexfallback.store.damage import NewerSchemaError
from indexfallback.store.database import Database
from indexfallback.store.events import Events
from indexfallback.store.hosted_files import HostedFiles
from indexfallback.store.safety_records import HOSTED_FILES
from indexfallback.store.schema import Layout
from indexfallback.store.tokens import Tokens

_DATABASE = "hosting.sqlite3"
LAYOUT = Layout(
    version=3,
    schema="""
CREATE TABLE hosted_file (
    source TEXT NOT NULL, filename TEXT NOT NULL, project TEXT NOT NULL, sha256 TEXT NOT NULL,
    uploaded REAL NOT NULL, requires_python TEXT, yanked TEXT,
    PRIMARY KEY (source, filename)
) WITHOUT ROWID;
CREATE INDEX hosted_file_project ON hosted_file (source, project);
CREATE TABLE token (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, rights TEXT NOT NULL,
    indexes TEXT NOT NULL, projects TEXT NOT NULL, created REAL NOT NULL, expires REAL, used REAL
) WITHOUT ROWID;
CREATE TABLE event (
    id TEXT PRIMARY KEY, at REAL NOT NULL, action TEXT NOT NULL, project TEXT NOT NULL,
    subject TEXT NOT NULL, index_name TEXT, actor TEXT NOT NULL, token TEXT, address TEXT NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX event_project ON event (project, id);
CREATE TABLE begun (
    id TEXT PRIMARY KEY, at REAL NOT NULL, action TEXT NOT NULL, project TEXT NOT NULL,
    subject TEXT NOT NULL, index_name TEXT, actor TEXT NOT NULL, token TEXT, address TEXT NOT NULL,
    detail TEXT NOT NULL, source TEXT NOT NULL, files TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE acceptance (
    project TEXT NOT NULL, version TEXT NOT NULL, accepted REAL NOT NULL, login TEXT NOT NULL,
    PRIMARY KEY (project, version)
) WITHOUT ROWID;
""",
    # A yank or a revoked token must not come back with a power cut.
    synchronous="FULL",
    if_damaged="its tokens are lost: create them again with `indexfallback token create`, and "
    "accept releases again with `indexfallback cache accept`; the records of uploaded files, their "
    "yanks and the log of events are read from the journal",
    journal="hosted-files.journal",
    tables=HOSTED_FILES,
    what="the records of uploaded files",
    if_unreadable="yank again with `indexfallback yank` what was yanked",
)


class Hosting:
    """The database of hosted indexes, opened on first use, since most users have none.

    Locks: ``_lock`` lets one thread open the file, which takes milliseconds, or wait for another
    process that opens it, at most `BUSY_SECONDS`.
    """

    def __init__(self) -> None:
        self._directory = platformdirs.user_state_path("indexfallback")
        self._lock = threading.Lock()
        self._database: Database | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a database: what only reads needs none to be made."""
        return self._database is not None or (self._directory / _DATABASE).exists()

    @property
    def files(self) -> HostedFiles:
        """The records of hosted files; raises `StoreError` if the database cannot be opened."""
        return HostedFiles(self._opened())

    @property
    def tokens(self) -> Tokens:
        """All tokens; raises `StoreError` if the database cannot be opened."""
        return Tokens(self._opened())

    @property
    def events(self) -> Events:
        """The log of events, whose methods open the database."""
        return Events(self._opened)

    @property
    def acceptances(self) -> Acceptances:
        """The accepted releases; raises `StoreError` if the database cannot be opened."""
        return Acceptances(self._opened())

    def accepted(self, project: str) -> frozenset[str]:
        """Return the accepted versions of a project, without making a database for that.

        Raises `StoreFault` if the database cannot be read.
        """
        if not self.exists:
            return frozenset()
        return self.acceptances.versions(project)

    def close(self) -> None:
        """Close the database, if it is open."""
        with self._lock:
            if self._database is not None:
                self._database.close()

    def _opened(self) -> Database:
        if self._database is None:
            with self._lock:
                if self._database is None:
                    self._database = self._open()
        return self._database

    def _open(self) -> Database:
        path = self._directory / _DATABASE
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Database(path, LAYOUT)
        except NewerSchemaError as error:
            raise StoreError(
                str(path), "was written by a newer indexfallback", "upgrade this one"
            ) from error
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(
                str(path),
                f"the database of tokens and yanks cannot be opened ({error})",
                "make it writable, free space on its disk, or set XDG_STATE_HOME",
            ) from error
