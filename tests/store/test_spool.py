"""The spool: one writer, many readers, and commits to the store."""

import gc
import hashlib
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from indexfallback.store import Store
from indexfallback.store.spool import Spool


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary directory, for this test alone."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def partial(store: Store) -> list[Path]:
    return list((store.directory / "partial").iterdir())


def test_written_bytes_can_be_read_at_any_offset(store: Store) -> None:
    spool = Spool(store.blobs)
    spool.write(b"hello, ")
    spool.write(b"world")
    assert spool.read(0, 100) == b"hello, world"
    assert spool.read(7, 3) == b"wor"
    assert spool.read(12, 3) == b""


def test_a_spool_becomes_a_blob(store: Store) -> None:
    spool = Spool(store.blobs)
    spool.write(b"content")
    sha256 = hashlib.sha256(b"content").hexdigest()
    blob = spool.commit(sha256)
    assert blob is not None
    assert store.blobs.find(sha256) == blob
    assert blob.path.read_bytes() == b"content"
    assert spool.read(0, 100) == b"content"  # for readers who are not done yet
    del spool
    gc.collect()
    assert blob.path.exists()


def test_a_spool_that_was_not_committed_leaves_no_file(store: Store) -> None:
    spool = Spool(store.blobs)
    spool.write(b"content")
    assert len(partial(store)) == 1
    del spool
    gc.collect()
    assert partial(store) == []


def test_a_cleared_spool_starts_over(store: Store) -> None:
    spool = Spool(store.blobs)
    spool.write(b"wrong content")
    spool.clear()
    spool.write(b"right")
    assert spool.read(0, 100) == b"right"
    blob = spool.commit(hashlib.sha256(b"right").hexdigest())
    assert blob is not None
    assert blob.size == 5
    assert dict(store.blobs.verify()) == {blob.sha256: "right"}


def test_readers_see_only_written_bytes_during_the_write(store: Store) -> None:
    spool = Spool(store.blobs)
    data = bytes(range(256)) * 4096
    seen: list[bytes] = []

    def read() -> None:
        position = 0
        while position < len(data):
            piece = spool.read(position, 100_000)
            seen.append(piece)
            position += len(piece)

    reader = threading.Thread(target=read)
    reader.start()
    for start in range(0, len(data), 65536):
        spool.write(data[start : start + 65536])
    reader.join(60)
    assert b"".join(seen) == data


@pytest.mark.fault(54)
def test_a_store_that_vanished_is_made_again_with_the_next_file(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(store.directory)
    for content in (b"content", b"more"):
        spool = Spool(store.blobs)
        spool.write(content)
        blob = spool.commit(hashlib.sha256(content).hexdigest())
        assert blob is not None
        assert store.blobs.find(blob.sha256) == blob
    said = [r.message for r in caplog.records if "was removed while in use" in r.message]
    assert len(said) == 1
    assert "to remove a cache, stop indexfallback first" in said[0]


@pytest.mark.fault(54)
def test_a_store_that_cannot_be_made_again_sends_the_bytes_through_a_temporary_file(
    store: Store, temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(store.directory)
    store.directory.touch()
    spool = Spool(store.blobs)
    spool.write(b"content")
    assert spool.read(0, 100) == b"content"
    assert spool.commit(hashlib.sha256(b"content").hexdigest()) is None
    assert "the file is served without being stored: free space" in caplog.text
    del spool
    gc.collect()
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no partial files")
def test_a_spool_with_a_sha256_leaves_its_bytes_to_the_next_one(store: Store) -> None:
    sha256 = hashlib.sha256(b"content").hexdigest()
    spool = Spool(store.blobs, sha256)
    spool.write(b"cont")
    del spool
    gc.collect()
    assert len(partial(store)) == 1
    again = Spool(store.blobs, sha256)
    assert (again.size, again.read(0, 10)) == (4, b"cont")
    again.write(b"ent")
    blob = again.commit(sha256)
    assert blob is not None
    assert blob.path.read_bytes() == b"content"
    assert partial(store) == []


@pytest.mark.parametrize("end", ["cleared", "dropped", "empty"])
def test_a_dropped_partial_file_is_removed(store: Store, end: str) -> None:
    spool = Spool(store.blobs, "0" * 64)
    if end != "empty":
        spool.write(b"wrong")
    if end == "cleared":
        spool.clear()
    if end == "dropped":
        spool.drop()
    del spool
    gc.collect()
    assert partial(store) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no partial files")
def test_a_committed_file_is_not_continued(store: Store) -> None:
    sha256 = hashlib.sha256(b"content").hexdigest()
    spool = Spool(store.blobs, sha256)
    spool.write(b"content")
    path = spool._file.path
    blob = spool.commit(sha256)
    assert blob is not None
    path.symlink_to(blob.path)  # as if it had been opened just before
    assert Spool(store.blobs, sha256).size == 0
    assert blob.path.read_bytes() == b"content"
