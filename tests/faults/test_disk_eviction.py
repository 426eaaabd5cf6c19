"""Files that are evicted while somebody reads or fetches them."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexfallback.dists.metadata import read_metadata
from indexfallback.files import metadata
from indexfallback.files.pinned import FileAddress
from indexfallback.server.files import FileSender, Span
from indexfallback.shim import Shim
from indexfallback.store import Blob, Store
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, fetch, is_kept, key_of
from tests.serving import wait_until

DEMO = wheel("demo", size=BIG)
PATH = f"/files/{DEMO.filename}"


@pytest.mark.fault(62)
def test_a_stored_file_is_not_evicted_while_it_is_sent(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        found = made.downloads.get("pypi", key_of(DEMO), DEMO.filename)
        assert isinstance(found, Blob)
        pieces = made.store.blobs.read(found, 0, found.size)
        first = next(pieces)
        assert made.store.blobs.eviction.evict(0) == []
        assert first + b"".join(pieces) == DEMO.data
        assert made.store.blobs.eviction.evict(0) == [DEMO.sha256]


@pytest.mark.fault(62)
@pytest.mark.skipif(os.name != "posix", reason="Windows removes no open file")
def test_a_stored_file_that_another_process_evicts_is_sent_to_its_end(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        found = made.downloads.get("pypi", key_of(DEMO), DEMO.filename)
        assert isinstance(found, Blob)
        pieces = made.store.blobs.read(found, 0, found.size)
        first = next(pieces)
        other = Store(made.store.directory, 10**6)
        assert other.blobs.eviction.evict(0) == [DEMO.sha256]
        other.close()
        assert first + b"".join(pieces) == DEMO.data
        assert fetch(made, DEMO) == DEMO.data
        assert index.count(PATH) == 2


@pytest.mark.fault(62)
def test_a_file_that_another_process_evicts_before_it_is_opened_is_fetched_again(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        found = made.downloads.get("pypi", key_of(DEMO), DEMO.filename)
        evict_elsewhere(made)
        address = FileAddress("pypi", key_of(DEMO), DEMO.filename)
        whole = Span(0, len(DEMO.data))
        assert b"".join(FileSender(made)._stream(address, found, whole)) == DEMO.data
        assert index.count(PATH) == 2


@pytest.mark.fault(62)
def test_metadata_is_read_although_another_process_has_just_evicted_its_wheel(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")

        def read(path: Path, filename: str) -> bytes | None:
            if made.store.blobs.records.count():
                evict_elsewhere(made)
            return read_metadata(path, filename)

        monkeypatch.setattr(metadata, "read_metadata", read)
        found = made.downloads.get("pypi", key_of(DEMO), f"{DEMO.filename}.metadata")
        assert found.sha256 == DEMO.metadata_sha256


def evict_elsewhere(made: Shim) -> None:
    """Evict all as another process does, which does not know what is read here."""
    other = Store(made.store.directory, 10**6)
    assert other.blobs.eviction.evict(0) == [DEMO.sha256]
    other.close()


@pytest.mark.fault(62)
def test_eviction_while_a_file_is_fetched_neither_breaks_nor_loses_it(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index, ThreadPoolExecutor() as pool:
        made = shim(index)
        slow = index.drip(200_000, path=PATH)
        fetched = pool.submit(fetch, made, DEMO)
        index.wait_for(PATH)
        assert made.store.blobs.eviction.evict(0) == []
        slow.lift()
        assert fetched.result(60) == DEMO.data
        wait_until(lambda: is_kept(made), 5, "the file was not kept")


@pytest.mark.fault(62)
def test_a_file_larger_than_the_whole_cache_is_served(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index, cache_size=1000)
        for _ in range(2):
            assert fetch(made, DEMO) == DEMO.data
            wait_until(lambda: not made.downloads._running, 5, "it does not end")
        assert made.store.blobs.records.total() <= 1000
