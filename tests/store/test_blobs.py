"""Blobs: atomic writes, lookup, eviction by last use, verification."""

import hashlib
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexfallback.store import Blob, Store, disk
from indexfallback.store.partials import PARTIAL_SECONDS


def data_of(number: int, size: int = 1000) -> bytes:
    return number.to_bytes(4, "big") * (size // 4)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    """A store that holds ten files of 1000 bytes."""
    store = Store(tmp_path / "small", 10_000)
    yield store
    store.close()


def test_a_blob_lies_under_its_sha256(store: Store) -> None:
    blob = store.blobs.add(b"content")
    sha256 = sha256_of(b"content")
    assert blob == Blob(sha256, store.directory / "blobs" / "sha256" / sha256[:2] / sha256, 7)
    assert blob.path.read_bytes() == b"content"


def test_a_blob_is_found_by_another_store_on_the_same_directory(store: Store) -> None:
    blob = store.blobs.add(b"content")
    other = Store(store.directory, 10**6)
    assert other.blobs.find(blob.sha256) == blob
    other.close()


def test_nothing_partial_is_left_beside_a_blob(store: Store) -> None:
    store.blobs.add(b"content")
    assert list((store.directory / "partial").iterdir()) == []


def test_a_blob_that_was_never_stored_is_not_found(store: Store) -> None:
    assert store.blobs.find("0" * 64) is None


def add(store: Store, data: bytes) -> None:
    store.blobs.add(data)


def adopt(store: Store, data: bytes) -> None:
    partial = store.blobs.partials.new()
    partial.write_bytes(data)
    store.blobs.adopt([(partial, sha256_of(data))])
    store.blobs.record({sha256_of(data): len(data)})


@pytest.mark.skipif(os.name != "posix", reason="Windows has no way to make a directory durable")
@pytest.mark.parametrize("keep", [add, adopt])
def test_a_blob_is_durable_before_it_has_its_name_and_its_name_is_before_the_record(
    store: Store, monkeypatch: pytest.MonkeyPatch, keep: Callable[[Store, bytes], None]
) -> None:
    sha256 = sha256_of(b"content")
    blob = store.blobs.path(sha256)
    synced: list[tuple[int, bool, bool]] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        synced.append(
            (os.fstat(fd).st_ino, blob.exists(), sha256 in store.blobs.records.held([sha256]))
        )
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(disk, "_sync_all", lambda directory: False)  # it would leave no trace
    keep(store, b"content")
    file, directory = blob.stat().st_ino, blob.parent.stat().st_ino
    # What was made durable; whether it had its name then, and its record.
    assert synced == [(file, False, False), (directory, True, False)]
    assert store.blobs.records.held([sha256]) == {sha256}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_directories_are_closed_to_others(store: Store) -> None:
    store.blobs.add(b"content")
    paths = [store.directory, *(path for path in store.directory.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o700}


def test_a_blob_of_another_length_is_quarantined_when_found(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    blob = store.blobs.add(b"content")
    os.truncate(blob.path, 3)
    assert store.blobs.find(blob.sha256) is None
    assert not blob.path.exists()
    assert (store.directory / "quarantine" / blob.sha256).read_bytes() == b"con"
    assert "3 bytes instead of 7; it is fetched again" in caplog.text


def test_a_blob_that_was_deleted_by_hand_is_forgotten(store: Store) -> None:
    blob = store.blobs.add(b"content")
    blob.path.unlink()
    assert store.blobs.find(blob.sha256) is None
    assert store.blobs.records.count() == 0


def test_a_stored_blob_is_found_while_its_record_cannot_be_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    store.blobs.add(b"first")
    with monkeypatch.context() as patched:
        patched.setattr(store.database, "write", fail)
        blob = store.blobs.add(b"content")
        assert store.blobs.find(blob.sha256) == blob
    assert store.blobs.records.count() == 2


def test_held_says_which_of_very_many_are_there(store: Store) -> None:
    sha256s = [store.blobs.add(data_of(number)).sha256 for number in range(3)]
    wanted = [f"{number:064x}" for number in range(3000)]
    assert store.blobs.records.held([*sha256s[:2], *wanted, sha256s[2]]) == set(sha256s)


def test_total_and_count_follow_additions_and_removals(store: Store) -> None:
    first, second = store.blobs.add(b"12345"), store.blobs.add(b"123")
    assert (store.blobs.records.total(), store.blobs.records.count()) == (8, 2)
    store.blobs.remove(first.sha256)
    assert (store.blobs.records.total(), store.blobs.records.count()) == (3, 1)
    assert not first.path.exists()
    assert second.path.exists()


def test_the_same_content_twice_counts_once(store: Store) -> None:
    assert store.blobs.add(b"same") == store.blobs.add(b"same")
    assert (store.blobs.records.total(), store.blobs.records.count()) == (4, 1)


def test_the_store_stays_within_its_limit(small: Store) -> None:
    for number in range(40):
        small.blobs.add(data_of(number))
        assert small.blobs.records.total() <= 10_000
    files = [path for path in (small.directory / "blobs").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) == small.blobs.records.total()


def test_eviction_takes_the_least_recently_used_first(small: Store) -> None:
    sha256s = [small.blobs.add(data_of(number)).sha256 for number in range(10)]
    for sha256 in sha256s[:3]:
        assert small.blobs.find(sha256) is not None
    assert small.blobs.eviction.evict(5000) == sha256s[3:8]
    assert small.blobs.records.held(sha256s) == {*sha256s[:3], *sha256s[8:]}


@pytest.mark.fault(62)
def test_a_file_that_is_being_read_is_not_evicted(small: Store) -> None:
    blobs = [small.blobs.add(data_of(number)) for number in range(5)]
    with small.blobs.open(blobs[0]) as file:
        assert small.blobs.eviction.evict(0) == [blob.sha256 for blob in blobs[1:]]
        assert blobs[0].path.exists()
        assert file.read() == data_of(0)
    assert small.blobs.eviction.evict(0) == [blobs[0].sha256]


def test_uses_survive_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path, 10**6)
    first, second = store.blobs.add(data_of(1)), store.blobs.add(data_of(2))
    store.blobs.find(first.sha256)
    store.close()
    store = Store(tmp_path, 10**6)
    assert store.blobs.eviction.evict(1000) == [second.sha256]
    store.close()


@pytest.mark.fault(55)
def test_verify_returns_a_verdict_for_each_file(store: Store) -> None:
    contents = [data_of(number) for number in range(6)]
    right, flipped, cut, deleted = (store.blobs.add(content) for content in contents[:4])
    with flipped.path.open("r+b") as file:
        file.seek(500)
        file.write(b"\xff")
    os.truncate(cut.path, 10)
    deleted.path.unlink()
    dropped = store.blobs.path(sha256_of(contents[4]))
    dropped.parent.mkdir(exist_ok=True)
    dropped.write_bytes(contents[4])
    assert dict(store.blobs.verify()) == {
        right.sha256: "right",
        flipped.sha256: "quarantined",
        cut.sha256: "quarantined",
        deleted.sha256: "missing",
        dropped.name: "adopted",
    }
    assert store.blobs.find(dropped.name) is not None
    assert all(store.blobs.find(blob.sha256) is None for blob in (flipped, cut, deleted))
    assert dict(store.blobs.verify()) == {right.sha256: "right", dropped.name: "right"}


def test_verify_quarantines_a_file_whose_name_is_no_sha256(store: Store) -> None:
    stray = store.directory / "blobs" / "sha256" / "ab"
    stray.mkdir()
    (stray / "notes.txt").write_text("mine")
    assert dict(store.blobs.verify()) == {"notes.txt": "quarantined"}
    assert not (stray / "notes.txt").exists()
    assert (store.directory / "quarantine" / "notes.txt").read_text() == "mine"
    assert list(store.blobs.verify()) == []


def test_the_quarantine_can_be_emptied(store: Store) -> None:
    blob = store.blobs.add(b"content")
    store.blobs.quarantine(blob.sha256)
    assert store.blobs.quarantined.empty() == 1
    assert list((store.directory / "quarantine").iterdir()) == []


def test_only_old_partial_files_are_taken_for_abandoned(store: Store) -> None:
    old, new = store.blobs.partials.new(), store.blobs.partials.new()
    for path in (old, new):
        path.write_bytes(b"half a file")
    long_ago = time.time() - PARTIAL_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    assert store.blobs.partials.tidy() == 1
    assert (old.exists(), new.exists()) == (False, True)


def test_a_disk_that_cannot_note_uses_still_serves(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    blob = store.blobs.add(b"content")
    store.blobs.records._flushed = float("-inf")  # uses are due to be written down
    with store.database.read() as connection:
        connection.execute("PRAGMA query_only = ON")
    with caplog.at_level(logging.WARNING):
        assert store.blobs.find(blob.sha256) == blob
