"""The database: creation, concurrent use, damage, and other schema versions."""

import logging
import os
import shutil
import sqlite3
import stat
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from indexfallback.errors import StoreError
from indexfallback.store import Store
from indexfallback.store.database import CONNECTIONS, Database
from indexfallback.store.hosting import LAYOUT as HOSTING
from indexfallback.store.schema import CACHE, SCHEMA_VERSION, Layout
from tests.serving import wait_until

FILE = "index.sqlite3"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with one pin and one blob recorded."""
    store = Store(tmp_path / "cache", 10**6)
    store.pins.record("demo", "demo-1.0.tar.gz", "0" * 64, "https://packages.example.com/simple/")
    store.blobs.add(b"content")
    store.close()
    return store.directory


def damage(file: Path, kind: str) -> None:
    if kind == "garbage":
        file.write_bytes(b"not a database at all\n" * 1000)
    elif kind == "zero-length":
        file.write_bytes(b"")
    elif kind == "cut short":
        os.truncate(file, 4096 * 2)
    elif kind == "one byte":
        file.write_bytes(b"?")


@pytest.mark.fault(56)
@pytest.mark.parametrize("kind", ["garbage", "zero-length", "cut short", "one byte"])
def test_a_damaged_database_is_made_again_with_its_pins_and_files(
    directory: Path, kind: str
) -> None:
    damage(directory / FILE, kind)
    store = Store(directory, 10**6)
    assert not store.is_temporary
    assert store.pins.get("demo", "demo-1.0.tar.gz") == "0" * 64
    wait_until(lambda: store.blobs.records.count() == 1, 10, "the file is not recorded again")
    assert [verdict for _, verdict in store.blobs.verify()] == ["right"]
    store.close()
    again = Store(directory, 10**6)
    assert again.pins.get("demo", "demo-1.0.tar.gz") == "0" * 64
    again.close()


@pytest.mark.fault(56)
def test_a_damaged_database_is_moved_away_with_a_warning(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(directory / FILE, "garbage")
    Store(directory, 10**6).close()
    (aside,) = directory.glob(f"{FILE}.damaged-*")
    assert aside.read_bytes().startswith(b"not a database")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "is damaged (file is not a database); moved to" in record.message
    assert "owners and pins are read from the journal" in record.message


def newer(directory: Path) -> sqlite3.Connection:
    """Write the database of a newer version, which has it open still."""
    directory.mkdir(mode=0o700)
    connection = sqlite3.connect(directory / FILE, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE page (something TEXT)")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    return connection


@pytest.mark.fault(57)
@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "in use"])
def test_a_newer_schema_is_not_changed_and_a_subdirectory_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_open: bool
) -> None:
    connection = newer(tmp_path / "cache")
    if not is_open:
        connection.close()
    before = (tmp_path / "cache" / FILE).read_bytes()
    store = Store(tmp_path / "cache", 10**6)
    assert store.directory == tmp_path / "cache" / f"schema-{SCHEMA_VERSION}"
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700 or os.name != "posix"
    blob = store.blobs.add(b"content")
    store.close()
    connection.close()
    assert blob.path.is_relative_to(store.directory)
    if not is_open:
        assert (tmp_path / "cache" / FILE).read_bytes() == before
    assert "was written by a newer indexfallback and is not changed" in caplog.text


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / FILE)
    with suppress(ZeroDivisionError), database.write() as connection:
        connection.execute("INSERT INTO name_list VALUES ('x', 1, 1, '')")
        raise ZeroDivisionError
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM name_list").fetchone() == (0,)
    database.close()


def test_records_go_through_the_write_ahead_log(tmp_path: Path) -> None:
    database = Database(tmp_path / FILE)
    with database.read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.execute("INSERT INTO pace VALUES ('x', 1.0)")
    assert database.size() > (tmp_path / FILE).stat().st_size
    database.close()


def test_a_wait_for_a_connection_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexfallback.store.database.BUSY_SECONDS", 0.01)
    monkeypatch.setattr("indexfallback.store.database.CONNECTIONS", 1)
    database = Database(tmp_path / FILE)
    with (
        database.read(),
        pytest.raises(StoreError, match="all connections are busy; check whether the disk is slow"),
        database.read(),
    ):
        pass
    database.close()


def test_a_connection_in_use_while_the_store_closes_is_closed_when_it_is_returned(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path / "index.sqlite3")
    with database.read() as lent:
        database.close()
        assert lent.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        lent.execute("SELECT 1")


def test_closing_closes_every_connection(tmp_path: Path) -> None:
    database = Database(tmp_path / "index.sqlite3")
    with database.read() as one, database.read() as two, database.read() as three:
        lent = (one, two, three)
    database.close()
    for connection in lent:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_a_database_whose_directory_is_removed_goes_on_and_is_made_again(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    database = Database(directory / FILE)
    shutil.rmtree(directory)
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            lent = stack.enter_context(database.read())
            assert lent.execute("SELECT count(*) FROM page").fetchone() == (0,)
    database.execute("INSERT INTO pace VALUES ('x', 1.0)")
    assert (directory / FILE).exists()
    assert database.row("SELECT seconds FROM pace") == (1.0,)
    database.close()


@pytest.mark.parametrize("layout", [CACHE, HOSTING], ids=["cache", "hosting"])
def test_the_primary_key_of_a_table_without_rowid_comes_first(layout: Layout) -> None:
    # For another order, `quick_check` of SQLite 3.40 reports NULL values that are not there, and
    # `doctor` would replace a database that is sound.
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(layout.schema)
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%WITHOUT ROWID%'"
        ).fetchall()
        for (table,) in tables:
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            places = [column[5] for column in columns]
            keys = max(places)
            assert all(places[:keys]), table
