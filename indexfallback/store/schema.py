"""The schema of the cache's database, and what a database file is made of."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from indexfallback.store.safety_records import OWNERS_AND_PINS
from indexfallback.store.totals import SCHEMA as TOTALS

#: Incremented with each change of the schema; a database of a newer version is not touched.
SCHEMA_VERSION = 7


class Layout(NamedTuple):
    """The schema and durability of a database."""

    version: int
    #: SQL, as a script.
    schema: str
    #: The value of the pragma.
    synchronous: Literal["NORMAL", "FULL"]
    #: Consequence and remedy if the file is damaged and moved away.
    if_damaged: str
    #: File name of the journal.
    journal: str
    #: The tables whose changes are in it, each with the kind of change that adds a row.
    tables: Mapping[str, str]
    #: The content of these tables, and the consequence if neither journal nor file can be read.
    what: str
    if_unreadable: str
    #: SQL for a database whose records come from it.
    if_restored: str = ""


_SCHEMA = """
CREATE TABLE page (
    source TEXT NOT NULL, project TEXT NOT NULL, body BLOB NOT NULL,
    digest TEXT NOT NULL, etag TEXT, modified TEXT,
    checked REAL NOT NULL, resolved REAL NOT NULL, passed TEXT NOT NULL, seal INTEGER NOT NULL,
    PRIMARY KEY (source, project)
);
CREATE INDEX page_checked ON page (source, checked);
CREATE TABLE document (
    source TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL, body BLOB NOT NULL,
    etag TEXT, modified TEXT, page TEXT NOT NULL, checked REAL NOT NULL, seal INTEGER NOT NULL,
    PRIMARY KEY (source, project, version)
);
CREATE TABLE name (
    source TEXT NOT NULL, project TEXT NOT NULL, listed REAL, served REAL, copied REAL,
    PRIMARY KEY (project, source)
) WITHOUT ROWID;
CREATE INDEX name_source ON name (source);
CREATE INDEX name_again ON name (project, source, listed, served, copied);
CREATE TABLE name_list (
    source TEXT PRIMARY KEY, fetched REAL NOT NULL, names INTEGER NOT NULL, digest TEXT NOT NULL
);
CREATE TABLE pin (
    project TEXT NOT NULL, filename TEXT NOT NULL, key TEXT NOT NULL, sha256 TEXT NOT NULL,
    seen REAL NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (project, filename, key)
) WITHOUT ROWID;
CREATE INDEX pin_sha256 ON pin (sha256);
CREATE INDEX pin_again ON pin (project, filename, key, sha256, seen, source);
CREATE TABLE blob (
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, added REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX blob_used ON blob (used);
CREATE TABLE mirror_page (
    source TEXT NOT NULL, project TEXT NOT NULL, serial INTEGER, selection TEXT NOT NULL,
    PRIMARY KEY (source, project)
) WITHOUT ROWID;
CREATE TABLE mirror_file (
    source TEXT NOT NULL, project TEXT NOT NULL, filename TEXT NOT NULL, sha256 TEXT NOT NULL,
    size INTEGER NOT NULL, removed REAL, PRIMARY KEY (source, project, filename)
) WITHOUT ROWID;
CREATE INDEX mirror_file_sha256 ON mirror_file (sha256);
CREATE TABLE mirror_run (
    source TEXT PRIMARY KEY, serial INTEGER, began REAL NOT NULL, ended REAL NOT NULL,
    failed INTEGER NOT NULL
);
CREATE TABLE mirror_list (
    source TEXT PRIMARY KEY, settings TEXT NOT NULL, etag TEXT, modified TEXT,
    digest TEXT NOT NULL, selected INTEGER NOT NULL
);
CREATE TABLE mirror_again (
    source TEXT NOT NULL, project TEXT NOT NULL, PRIMARY KEY (source, project)
) WITHOUT ROWID;
CREATE TABLE origin (origin TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE health (source TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE pace (source TEXT PRIMARY KEY, seconds REAL NOT NULL);
CREATE TABLE local_file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, facts BLOB NOT NULL,
    seal INTEGER NOT NULL
);
CREATE TABLE provenance (
    source TEXT NOT NULL, project TEXT NOT NULL, filename TEXT NOT NULL, sha256 TEXT NOT NULL,
    body BLOB NOT NULL, checked REAL NOT NULL, seal INTEGER NOT NULL,
    PRIMARY KEY (source, project, filename, sha256)
);
CREATE INDEX provenance_sha256 ON provenance (sha256);
CREATE TABLE advisory (
    source TEXT NOT NULL, project TEXT NOT NULL, version TEXT NOT NULL, body BLOB NOT NULL,
    checked REAL NOT NULL, PRIMARY KEY (source, project, version)
) WITHOUT ROWID;
CREATE TABLE told (
    project TEXT NOT NULL, version TEXT NOT NULL, advisory TEXT NOT NULL, told REAL NOT NULL,
    PRIMARY KEY (project, version, advisory)
) WITHOUT ROWID;
CREATE TABLE first_seen (
    source TEXT NOT NULL, project TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (source, project)
);
CREATE TABLE acceptance (
    project TEXT NOT NULL, version TEXT NOT NULL, accepted REAL NOT NULL, login TEXT NOT NULL,
    PRIMARY KEY (project, version)
) WITHOUT ROWID;
CREATE TABLE unshared (
    kind TEXT NOT NULL, project TEXT NOT NULL, filename TEXT NOT NULL, key TEXT NOT NULL,
    source TEXT NOT NULL, sha256 TEXT NOT NULL, seen REAL NOT NULL,
    PRIMARY KEY (kind, project, filename, key, source)
) WITHOUT ROWID;
CREATE TABLE pin_conflict (
    project TEXT NOT NULL, filename TEXT NOT NULL, refused TEXT NOT NULL, held TEXT NOT NULL,
    source TEXT NOT NULL, found REAL NOT NULL, PRIMARY KEY (project, filename, refused)
) WITHOUT ROWID;
"""


CACHE = Layout(
    version=SCHEMA_VERSION,
    schema=_SCHEMA + TOTALS,
    # A crash loses nothing. A power cut may lose the last records, but leaves no record without its
    # file, since the file is written first.
    synchronous="NORMAL",
    if_damaged="owners and pins are read from the journal, stored files are recorded again, and "
    "pages that cannot be read are fetched again",
    journal="owners-and-pins.journal",
    tables=OWNERS_AND_PINS,
    what="the owners of names",
    if_unreadable="a name of a private index is protected again only when that index has answered "
    "for it or listed it",
    # The next list of names is read in full: a name of it may have been in a damaged line.
    if_restored="UPDATE name_list SET digest = ''",
)
