"""Partial files: continued by one writer at a time, and never after they became a blob."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.store import Store, partials
from indexfallback.store.locks import lock_descriptor

SHA256 = "0" * 64

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files are not locked on Windows")


def leave(store: Store, data: bytes) -> Path:
    """Leave a partial file as a writer does that was killed."""
    partial = store.blobs.partials.open(SHA256)
    os.write(partial.fd, data)
    os.close(partial.fd)
    return partial.path


def test_a_partial_file_without_a_writer_is_continued(store: Store) -> None:
    path = leave(store, b"half")
    partial = store.blobs.partials.open(SHA256)
    assert (partial.path, partial.size) == (path, 4)
    os.close(partial.fd)


def test_a_partial_file_with_a_writer_is_not_touched(store: Store) -> None:
    first = store.blobs.partials.open(SHA256)
    os.write(first.fd, b"half")
    second = store.blobs.partials.open(SHA256)
    assert (second.path != first.path, second.size) == (True, 0)
    os.close(first.fd)
    os.close(second.fd)


def test_the_largest_partial_file_is_continued(store: Store) -> None:
    held = store.blobs.partials.open(SHA256)
    larger = leave(store, b"more than half")
    os.write(held.fd, b"half")
    os.close(held.fd)
    partial = store.blobs.partials.open(SHA256)
    assert partial.path == larger
    os.close(partial.fd)


def rename(path: Path, blob: Path) -> None:
    path.rename(blob)


def rename_and_replace(path: Path, blob: Path) -> None:
    path.rename(blob)
    path.write_bytes(b"another")


@pytest.mark.parametrize("commit", [rename, rename_and_replace])
def test_a_partial_file_that_becomes_a_blob_while_it_is_opened_is_not_written_to(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    commit: Callable[[Path, Path], None],
) -> None:
    path, blob = leave(store, b"whole"), tmp_path / "blob"

    def commit_first(fd: int) -> bool:
        """Lock a file that its writer renames between our opening and our locking it."""
        if not blob.exists():
            commit(path, blob)
        return lock_descriptor(fd)

    monkeypatch.setattr(partials, "lock_descriptor", commit_first)
    partial = store.blobs.partials.open(SHA256)
    os.pwrite(partial.fd, b"WRITE", 0)
    os.close(partial.fd)
    assert partial.path.read_bytes() == b"WRITE"
    assert blob.read_bytes() == b"whole"
