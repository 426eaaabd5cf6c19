"""Files in transfer over a real socket: slow, broken, wrong, and read by many clients."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, fill, index_table, wait_until

DEMO = wheel("demo", size=400_000)
PATH = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"
UPSTREAM = f"/files/{DEMO.filename}"
#: So slow that an answer begins long before the file is whole, after two seconds.
SLOW = 50_000
#: More than the 256 threads with which `/-/health` once waited for 12 s.
READERS = 300


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO]) as fake:
        yield fake


@pytest.fixture
def shim(served: Serve, index: FakeIndex) -> Served:
    made = served(index_table("pypi", index.url))
    assert made.get("/simple/demo/").status == 200
    return made


@pytest.mark.fault(68)
def test_many_readers_of_one_slow_file_leave_the_rest_responsive(
    shim: Served, index: FakeIndex
) -> None:
    endless = wheel("endless", size=2_000_000)
    index.add(endless)
    upstream = f"/files/{endless.filename}"
    rate = 20_000
    slow = index.drip(rate, path=upstream)
    begun = threading.Semaphore(0)

    def read() -> bool:
        with shim.ask(f"/files/pypi/endless.{endless.sha256}/{endless.filename}") as response:
            first = response.read(1000)
            begun.release()
            return first + response.read() == endless.data

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        ends = time.monotonic() + len(endless.data) / rate / 2
        all_begun = all(begun.acquire(timeout=max(0.0, ends - time.monotonic())) for _ in readers)
        for path in ("/-/health", "/simple/demo/", "/-/health"):
            assert shim.get(path).status == 200
        slow.lift()
        assert all(reader.result(120) for reader in readers)
    assert all_begun
    assert index.count(upstream) == 1


@pytest.mark.fault(70)
def test_a_client_that_leaves_does_not_stop_the_transfer(shim: Served, index: FakeIndex) -> None:
    slow = index.drip(SLOW, path=UPSTREAM)
    with shim.ask(PATH) as response:
        assert response.read(1000) == DEMO.data[:1000]
    slow.lift()
    wait_until(lambda: shim.json("/-/status")["cache"]["files"] == 1, 10, "it was not kept")
    assert shim.get(PATH).body == DEMO.data
    assert index.count(UPSTREAM) == 1


def test_a_range_of_a_file_in_transfer_is_answered_with_the_whole(
    shim: Served, index: FakeIndex
) -> None:
    slow = index.drip(SLOW, path=UPSTREAM)
    with shim.ask(PATH, {"Range": "bytes=350000-"}) as response:
        slow.lift()
        assert (response.status, response.read()) == (200, DEMO.data)


@pytest.mark.fault(16)
@pytest.mark.fault(31)
def test_wrong_bytes_in_transfer_end_in_a_cut_and_are_not_resumed(
    shim: Served, index: FakeIndex
) -> None:
    slow = index.drip(SLOW, path=UPSTREAM)
    index.corrupt(DEMO.filename, times=1)
    with shim.ask(PATH) as response:
        assert response.status == 200
        sent = bytearray(response.read(1000))
        slow.lift()
        with pytest.raises(http.client.IncompleteRead) as cut:
            sent += response.read()
        sent += cut.value.partial
    assert len(sent) <= len(DEMO.data) - 65536
    assert shim.json("/-/status")["cache"]["files"] == 0
    # The only source is not asked again for a while; another one that lists it is.
    problem = shim.get(PATH, {"Range": f"bytes={len(sent)}-"}).problem
    assert (problem["status"], "gave wrong bytes lately" in problem["detail"]) == (409, True)


@pytest.mark.fault(31)
def test_after_wrong_bytes_the_next_range_is_answered_with_the_whole(served: Serve) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as public:
        made = served(
            index_table("mirror", mirror.url, role="mirror", mirror_of="pypi"),
            index_table("pypi", public.url),
        )
        made.get("/simple/demo/")
        slow = mirror.drip(SLOW, path=UPSTREAM)
        mirror.corrupt(DEMO.filename)
        with made.ask(PATH) as response:
            response.read(1000)
            slow.lift()
            with pytest.raises(http.client.IncompleteRead):
                response.read()
        resume = {"Range": "bytes=300000-", "If-Range": f'"{DEMO.sha256}"'}
        for _ in range(2):
            answer = made.get(PATH, resume)
            assert (answer.status, answer.body) == (200, DEMO.data)
        assert public.count(UPSTREAM) == 1


@pytest.mark.fault("incident: devpi #1107")
def test_a_source_that_breaks_on_the_way_is_not_noticed(shim: Served, index: FakeIndex) -> None:
    slow = index.drip(SLOW, path=UPSTREAM, times=1)
    index.cut(300_000, path=UPSTREAM, times=1)
    with shim.ask(PATH) as response:
        slow.lift()
        assert response.read() == DEMO.data
    assert index.requests[-1].headers["Range"] == "bytes=300000-"


def test_a_file_without_any_source_left_is_a_503_with_the_reason(
    shim: Served, index: FakeIndex
) -> None:
    index.fail(500, path=UPSTREAM)
    problem = shim.get(PATH).problem
    assert problem["status"] == 503
    assert "pypi: 500 Internal Server Error" in problem["detail"]


def _opened_below(served: Served, directory: Path) -> list[str]:
    """Return the files in a directory that a shim has open, removed ones too."""
    opened = []
    for descriptor in Path(f"/proc/{served.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            opened.append(str(descriptor.readlink()))
    return [path for path in opened if path.startswith(str(directory))]


@pytest.mark.fault(51)
def test_a_full_disk_makes_it_slower_and_not_wrong(
    served: Serve, mount: Callable[..., Path]
) -> None:
    disk = mount()
    other = wheel("other", size=2_000_000)
    with FakeIndex([DEMO, other, wheel("third")]) as index:
        made = served(index_table("pypi", index.url), cache_dir=disk / "cache")
        path = f"/files/pypi/other.{other.sha256}/{other.filename}"
        partial = disk / "cache" / "partial"
        for times in (1, 2):
            assert made.get("/simple/other/").status == 200
            assert made.get(path).body == other.data
            assert index.count(f"/files/{other.filename}") == times
            # Also what is removed already takes space, as long as somebody has it open.
            wait_until(lambda: not _opened_below(made, partial), 5, "a partial file is left")
        assert list(partial.iterdir()) == []
        full = fill(disk)
        for project in ("demo", "third"):
            assert made.get(f"/simple/{project}/").status == 200
        assert made.get(PATH).body == DEMO.data
        assert made.get(PATH + ".metadata").body == DEMO.metadata
        assert made.json("/-/status")["cache"]["files"] == 0
        full.unlink()
        assert made.get(PATH).body == DEMO.data
        wait_until(lambda: made.json("/-/status")["cache"]["files"], 10, "nothing is kept again")
        assert "the file is served without being stored: free space" in made.log
