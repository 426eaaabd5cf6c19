"""A database that is set aside or removed, and made again."""

import errno
import shutil
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from indexfallback.errors import StoreError
from indexfallback.store import Store
from indexfallback.store.database import CONNECTIONS
from indexfallback.store.database_file import DatabaseFile
from indexfallback.store.documents import DocumentKey
from indexfallback.store.salvage import salvage
from tests.store.damaged import (
    FACTS,
    OWNED,
    PAGES,
    PROJECTS,
    PUBLIC,
    Filled,
    mended,
    safety,
    walk,
)


@pytest.mark.fault(56)
def test_pages_and_mirrors_are_read_from_the_database_that_was_set_aside(
    full: Store, filled: Filled
) -> None:
    full.database.make_again("a test")
    full.wait_until_rebuilt(10)
    assert walk(full, filled)
    assert full.documents.load(DocumentKey(PUBLIC, PROJECTS[0])) is not None
    assert [file.filename for file in full.mirrors.files(PUBLIC)] == ["x-1.tar.gz"]
    assert full.mirrors.state(PUBLIC, PROJECTS[0]) == (1, "all")
    assert full.blobs.records.count() == len(filled.sha256s)


def test_what_was_stored_since_is_not_replaced_by_what_was_set_aside(full: Store) -> None:
    project = PROJECTS[5]
    newer = FACTS[project]._replace(checked=2000.0)
    full.database.on_renewal = lambda: None
    full.database.make_again("a test")
    full.pages.put(PUBLIC, PAGES[project], newer)
    (aside,) = full.database.set_aside
    assert salvage(aside, full.database, threading.Event()) == len(PROJECTS) - 1
    assert full.pages.facts(PUBLIC, project) == newer


def test_a_second_process_goes_on_with_the_new_database(full: Store, filled: Filled) -> None:
    with closing(Store(full.directory, 10**6)) as other:
        other.pins.record("before", "before-1.zip", "1" * 64, PUBLIC)
        full.database.make_again("a test")
        other.pins.record("after", "after-1.zip", "2" * 64, PUBLIC)
        assert other.database.set_aside == {}
        for each in (full, other):
            assert each.pins.get("before", "before-1.zip") == "1" * 64
            assert each.pins.get("after", "after-1.zip") == "2" * 64
            assert safety(each) == filled.safety


def test_two_processes_that_find_the_same_damage_set_one_database_aside(full: Store) -> None:
    with closing(Store(full.directory, 10**6)) as other:
        flip_all(full.database.path)
        assert full.pins.get("demo", "demo-1.zip") is None
        assert other.pins.get("demo", "demo-1.zip") is None
        assert len({**full.database.set_aside, **other.database.set_aside}) == 1


def flip_all(path: Path) -> None:
    """Overwrite all but the header, without changing the inode."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def test_names_that_were_disowned_and_pins_that_were_removed_do_not_come_back(full: Store) -> None:
    full.ledger.forget(OWNED[0])
    full.pins.remove(PROJECTS[0])
    full.database.make_again("a test")
    assert full.ledger.owners(OWNED[0]) == {}
    assert full.ledger.owners(OWNED[1])
    assert full.pins.of_project(PROJECTS[0]) == {}
    assert full.pins.of_project(PROJECTS[1])


@pytest.mark.fault(54)
def test_a_removed_directory_is_made_again_with_owners_and_pins_and_said_once(
    full: Store, filled: Filled, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(full.directory)
    full.pins.record("demo", "demo-1.zip", "1" * 64, PUBLIC)
    assert safety(full) == filled.safety
    full.pages.put(PUBLIC, PAGES[PROJECTS[0]], FACTS[PROJECTS[0]])
    blob = full.blobs.add(b"new")
    said = [record.message for record in caplog.records if "removed" in record.message]
    assert len(said) == 1
    assert "it is made again" in said[0]
    full.close()
    with closing(Store(full.directory, 10**6)) as again:
        assert again.pins.get("demo", "demo-1.zip") == "1" * 64
        assert safety(again) == filled.safety
        assert again.blobs.find(blob.sha256) == blob
        assert again.pages.load(PUBLIC, PROJECTS[0]) == PAGES[PROJECTS[0]]
        assert mended(again) == []


def test_a_database_that_cannot_be_made_again_now_is_made_with_the_next_request(
    full: Store, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(DatabaseFile, "make", fail)
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"cannot be made again \(.*No space left on device"):
            full.database.make_again("a test")
        with pytest.raises(StoreError, match="cannot be made again"):
            full.pages.load(PUBLIC, PROJECTS[0])
    assert time.monotonic() - began < 2
    monkeypatch.undo()
    assert safety(full) == filled.safety


def test_a_thread_that_waits_for_a_connection_gets_one_of_the_new_database(full: Store) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(full.database.read())
        waiting = threading.Thread(target=full.pages.load, args=(PUBLIC, PROJECTS[0]))
        waiting.start()
        began = time.monotonic()
        full.database.make_again("a test")
        waiting.join(10)
        assert time.monotonic() - began < 2
