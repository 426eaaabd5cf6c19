"""The journal of owners and pins: damaged lines, writes that end half-way, its size."""

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.store import Store, journal
from indexfallback.store.journal import Change, Journal, line, parsed
from indexfallback.store.safety_records import ADD_PIN, recorded, snapshot
from indexfallback.store.statements import Ordered
from tests.serving import wait_until
from tests.store.damaged import OWNED, PROJECTS, PUBLIC, Filled, mended, safety

NAME = "owners-and-pins.journal"
Pieces = Callable[[Ordered], Iterator[list[Any]]]
CHANGES = [Change("pin", (f"project-{number}", "x.zip", "", 1.5, None)) for number in range(5)]

values = st.one_of(st.text(), st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(0, 1e10))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / NAME)) as made:
        made.replace(CHANGES)
        yield made


@given(st.text(), st.lists(values, max_size=6))
def test_a_line_is_read_as_it_was_written(kind: str, row: list[journal.Value]) -> None:
    change = Change(kind, tuple(row))
    assert parsed(line(change)) == change


@given(st.integers(0), st.integers(0, 7))
def test_a_line_with_a_flipped_bit_is_damaged(place: int, bit: int) -> None:
    text = bytearray(line(CHANGES[0]).rstrip(b"\n"))
    text[place % len(text)] ^= 1 << bit
    assert parsed(bytes(text)) is None


def test_a_damaged_line_spoils_no_other(file: Journal) -> None:
    data = file.path.read_bytes().replace(b"project-2", b"project-7")
    file.path.write_bytes(data)
    assert list(file.read()) == [*CHANGES[:2], None, *CHANGES[3:]]


def test_half_a_line_of_a_killed_process_spoils_no_later_one(file: Journal) -> None:
    with file.path.open("ab") as other:
        other.write(line(CHANGES[0])[:20])
    assert file.append(CHANGES[:1])
    assert list(file.read()) == [*CHANGES, None, CHANGES[0]]


def test_a_write_that_fails_half_way_leaves_nothing(
    file: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    pieces = iter([20])

    def write(fd: int, data: bytes) -> int:
        for size in pieces:
            return real(fd, data[:size])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        file.append(CHANGES)
    monkeypatch.undo()
    assert list(file.read()) == CHANGES


def test_a_file_that_another_process_has_replaced_is_opened_again(file: Journal) -> None:
    assert file.append(CHANGES[:1])
    Journal(file.path).replace(CHANGES[3:])
    assert file.append(CHANGES[:1])
    assert list(file.read()) == [*CHANGES[3:], CHANGES[0]]


def test_a_file_that_has_doubled_is_to_be_written_anew(
    file: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_SMALL", 0)
    for _ in range(3):
        file.append(CHANGES)
    assert file.append(CHANGES)
    assert file.is_due
    file.replace(CHANGES)
    assert file.append(CHANGES)
    assert not file.is_due


def test_a_list_of_names_that_is_fetched_every_hour_does_not_make_it_grow(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_SMALL", 10_000)
    sizes = set()
    for _ in range(300):
        full.ledger.record_list(PUBLIC, ["demo"])
        sizes.add((full.directory / NAME).stat().st_size)
        wait_until(lambda: not compacting(), 10, "the journal is not written anew")
    # 160 owners and pins of about 250 bytes, twice, and the line that came last.
    assert max(sizes) < 100_000
    assert mended(full) == []


def compacting() -> list[str]:
    """Return the names of the threads that write a journal anew."""
    return [each.name for each in threading.enumerate() if each.name == "compact-journal"]


def test_what_is_recorded_while_it_is_written_anew_is_kept_and_need_not_wait(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:

    def slow(pieces: Pieces, _tables: object) -> Iterator[Change]:
        for number, change in enumerate(recorded(pieces)):
            if number == 5:  # half-way, by the thread that would wait for itself
                full.pins.record("demo", "late-1.zip", "2" * 64, PUBLIC)
                full.ledger.forget(OWNED[0])
            yield change

    before = safety(full)
    monkeypatch.setattr("indexfallback.store.compaction.recorded", slow)
    full.database.compaction.compact()
    assert full.pins.get("demo", "late-1.zip") == "2" * 64
    expected = safety(full)
    assert expected != before
    assert mended(full) == []
    full.database.make_again("a test")
    assert safety(full) == expected


def test_the_log_of_the_database_can_be_emptied_while_the_journal_is_written_anew(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied: list[tuple[int, int, int]] = []

    def slow(pieces: Pieces, _tables: object) -> Iterator[Change]:
        for change in recorded(pieces):
            if not emptied:
                with full.database.read() as connection:
                    emptied.append(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
            yield change

    monkeypatch.setattr("indexfallback.store.compaction.recorded", slow)
    full.pins.record("demo", "demo-1.zip", "1" * 64, PUBLIC)
    full.database.compaction.compact()
    assert emptied == [(0, 0, 0)]


def test_the_writers_wait_for_the_last_lines_only(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[int] = []
    copy = Journal._copy

    def noted(self: Journal, new: BinaryIO, start: int, end: int) -> None:
        copied.append(end - start)
        copy(self, new, start, end)

    def slow(pieces: Pieces, _tables: object) -> Iterator[Change]:
        yield from recorded(pieces)
        for number in range(20):
            full.pins.record("demo", f"late-{number}.zip", "2" * 64, PUBLIC)

    monkeypatch.setattr("indexfallback.store.compaction.recorded", slow)
    monkeypatch.setattr("indexfallback.store.compaction._LITTLE", 1000)
    monkeypatch.setattr(Journal, "_copy", noted)
    full.database.compaction.compact()
    assert copied[0] > 20 * 100
    assert copied[1:] == [0]
    expected = safety(full)
    full.database.make_again("a test")
    assert safety(full) == expected


def test_a_journal_that_another_process_has_replaced_meanwhile_stays(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = full.directory / NAME

    monkeypatch.setattr("indexfallback.store.compaction._LITTLE", 0)

    def replaced(pieces: Pieces, _tables: object) -> Iterator[Change]:
        yield from recorded(pieces)
        with full.database.read() as other, closing(Journal(path)) as journal:
            journal.replace(snapshot(other))
        for number in range(5):
            full.pins.record("demo", f"late-{number}.zip", "2" * 64, PUBLIC)

    monkeypatch.setattr("indexfallback.store.compaction.recorded", replaced)
    full.database.compaction.compact()
    monkeypatch.undo()
    assert mended(full) == []
    assert not path.with_name(f"{NAME}.new").exists()


def test_a_full_disk_leaves_the_journal_as_it_is(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_pieces: Pieces, _tables: object) -> Iterator[Change]:
        yield CHANGES[0]
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("indexfallback.store.compaction.recorded", no_space)
    with pytest.raises(OSError, match="No space"):
        full.database.compaction.compact()
    monkeypatch.undo()
    full.pins.record("demo", "demo-1.zip", "1" * 64, PUBLIC)
    assert mended(full) == []


def test_a_record_costs_one_write_and_no_sync(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    real = os.write

    def write(fd: int, data: bytes) -> int:
        written.append(bytes(data))
        return real(fd, data)

    full.pins.record("demo", "demo-0.zip", "1" * 64, PUBLIC)
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", lambda fd: pytest.fail("a sync"))
    for number in range(1, 4):
        full.pins.record("demo", f"demo-{number}.zip", "1" * 64, PUBLIC)
    assert len(written) == 3


def test_without_the_database_it_brings_back_owners_and_pins(full: Store, filled: Filled) -> None:
    full.close()
    for path in full.directory.glob("index.sqlite3*"):
        path.unlink()
    with closing(Store(full.directory, 10**6)) as again:
        assert safety(again) == filled.safety


def test_lines_that_are_damaged_are_read_from_the_damaged_database(
    full: Store, filled: Filled
) -> None:
    full.close()
    path = full.directory / NAME
    path.write_bytes(path.read_bytes().replace(b"project-1", b"project-x"))
    with closing(Store(full.directory, 10**6)) as again:
        again.database.make_again("a test")
        assert safety(again) == filled.safety
        assert None not in list(Journal(path).read())


def test_a_removed_journal_is_written_anew_with_the_next_record(
    full: Store, filled: Filled
) -> None:
    (full.directory / NAME).unlink()
    full.pins.record("demo", "demo-1.zip", "1" * 64, PUBLIC)
    full.database.make_again("a test")
    assert safety(full) == filled.safety
    assert full.pins.get("demo", "demo-1.zip") == "1" * 64


def test_a_change_whose_transaction_was_killed_is_restored_by_verify(full: Store) -> None:
    pin = ("demo", "demo-1.zip", "", "1" * 64, 1000.0, PUBLIC)
    with closing(Journal(full.directory / NAME)) as other:
        other.append([Change(ADD_PIN, pin)])
    (said,) = mended(full)
    assert said == "1 record of owners and pins only in the journal: restored"
    assert full.pins.get("demo", "demo-1.zip") == "1" * 64
    assert mended(full) == []


def test_a_damaged_line_is_found_by_verify_and_the_file_written_anew(full: Store) -> None:
    path = full.directory / NAME
    path.write_bytes(path.read_bytes().replace(PROJECTS[5].encode(), b"project-x", 1))
    (said,) = mended(full)
    assert said.startswith("the journal of owners and pins has 1 damaged line and lacks 1 record")
    assert mended(full) == []


def test_a_record_that_the_journal_cannot_take_is_valid_and_written_later(
    full: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    assert full.pins.record("demo", "demo-1.zip", "1" * 64, PUBLIC) == "1" * 64
    assert "cannot be written ([Errno 28] No space left on device)" in caplog.text
    monkeypatch.undo()
    with closing(sqlite3.connect(full.database.path)) as other:
        assert other.execute("SELECT 1 FROM pin WHERE project = 'demo'").fetchone() is None
    full.close()
    with closing(Store(full.directory, 10**6)) as again:
        assert again.pins.get("demo", "demo-1.zip") == "1" * 64
        assert mended(again) == []
