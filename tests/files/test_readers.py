"""One upstream transfer serves any number of readers, also when some of them leave."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexfallback.files.arrival import IncomingFile, Progress
from indexfallback.store import Blob
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, fetch, is_kept, key_of, streamed
from tests.serving import wait_until

DEMO = wheel("demo", size=BIG)
PATH = f"/files/{DEMO.filename}"
READERS = 50


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(READERS) as executor:
        yield executor


@pytest.mark.fault("incident: cachecontrol #325")
@pytest.mark.fault(68)
@pytest.mark.parametrize("hashed", [True, False], ids=["with hash", "without hash"])
@pytest.mark.parametrize("slow", [True, False], ids=["slow", "quick"])
def test_many_readers_at_once_cost_one_upstream_transfer(
    shim: MakeShim, pool: ThreadPoolExecutor, *, slow: bool, hashed: bool
) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes=None if hashed else {})
        if slow:
            index.drip(1_000_000, path=PATH)
        made = shim(index)
        start = threading.Barrier(READERS)

        def read() -> bytes:
            start.wait(60)
            return fetch(made, DEMO, hashed=hashed)

        readers = [pool.submit(read) for _ in range(READERS)]
        assert all(reader.result(60) == DEMO.data for reader in readers)
        assert index.count(PATH) == 1
        assert index.count("/simple/demo/") == 1


def test_different_files_are_fetched_at_the_same_time(
    shim: MakeShim, pool: ThreadPoolExecutor
) -> None:
    dists = [wheel("demo", f"1.{number}", size=BIG) for number in range(4)]
    with FakeIndex(dists) as index:
        hanging = index.hang(path="/files/")
        made = shim(index)
        readers = [pool.submit(fetch, made, dist) for dist in dists]
        for dist in dists:
            index.wait_for(f"/files/{dist.filename}")
        hanging.lift()
        assert [reader.result(60) for reader in readers] == [dist.data for dist in dists]


@pytest.mark.fault(69)
@pytest.mark.usefixtures("impatient")
def test_the_first_readers_leaving_does_not_stop_the_others(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        slow = index.drip(200_000, path=PATH)
        made = shim(index)
        file = streamed(made, DEMO)
        assert streamed(made, DEMO) is file
        leaving = file.read(0, file.total or 0)
        next(leaving)
        leaving.close()  # what a server does when its client leaves
        slow.lift()
        assert b"".join(file.read(0, file.total or 0)) == DEMO.data
        assert index.count(PATH) == 1


@pytest.mark.fault(70)
@pytest.mark.usefixtures("impatient")
def test_a_transfer_that_all_readers_left_is_still_kept(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        slow = index.drip(200_000, path=PATH)
        made = shim(index)
        file = streamed(made, DEMO)
        leaving = file.read(0, file.total or 0)
        next(leaving)
        leaving.close()  # what a server does when its client leaves
        del file, leaving
        slow.lift()
        wait_until(lambda: is_kept(made), 10, "the file was not kept")
        assert isinstance(made.downloads.get("pypi", key_of(DEMO), DEMO.filename), Blob)
        assert index.count(PATH) == 1


@pytest.mark.usefixtures("impatient")
def test_a_late_reader_gets_the_whole_from_its_beginning(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        slow = index.drip(200_000, path=PATH)
        made = shim(index)
        file = streamed(made, DEMO)
        early = file.read(0, file.total or 0)
        pieces = [next(early) for _ in range(2)]
        assert streamed(made, DEMO) is file
        slow.lift()
        assert b"".join(file.read(0, file.total or 0)) == DEMO.data
        assert b"".join([*pieces, *early]) == DEMO.data


def test_a_failed_transfer_is_tried_again_by_the_next_reader(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        failing = index.fail(503, path=PATH)
        made = shim(index)
        with pytest.raises(Exception, match="503 Service Unavailable"):
            fetch(made, DEMO)
        failing.lift()
        assert fetch(made, DEMO) == DEMO.data


def test_after_a_failure_nothing_of_the_transfer_is_left(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.cut(1000, path=PATH)
        index.header("ETag", None, path=PATH)
        made = shim(index)
        index.fail(500, path=PATH)
        with pytest.raises(Exception, match="500"):
            fetch(made, DEMO)
        partial = made.store.directory / "partial"
        wait_until(lambda: not list(partial.iterdir()), 5, "a partial file was left")
        assert made.downloads._running == {}


def test_a_reader_sees_a_transfers_end_at_once(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.files.download.WHOLE_SECONDS", 60.0)
    with FakeIndex([DEMO]) as index:
        made = shim(index, deadline=90.0)
        started = time.monotonic()
        found = made.downloads.get("pypi", key_of(DEMO), DEMO.filename)
        assert isinstance(found, IncomingFile)
        assert found.progress is Progress.DONE
        assert time.monotonic() - started < 30.0
