"""A shim that is killed in the middle of a file: the next one goes on with what is there."""

import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexfallback.errors import FileUnavailableError, FileWrongError
from indexfallback.files.arrival import IncomingFile
from indexfallback.files.download import FileAddress
from indexfallback.shim import Shim
from indexfallback.store import Store
from indexfallback.store.spool import Spool
from indexfallback.upstream.answers import TransferError
from tests.conftest import MakeShim, Serve
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, fetch, is_kept, key_of
from tests.serving import Served, index_table, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no partial files")

LARGE = wheel("large", size=5_000_000)
LARGE_PATH = f"/files/{LARGE.filename}"
DEMO = wheel("demo", size=BIG)
PATH = f"/files/{DEMO.filename}"
HALF = len(DEMO.data) // 2


def ranges(index: FakeIndex, path: str = PATH) -> list[str | None]:
    """Return the Range of each request for the file."""
    return [r.headers.get("Range") for r in index.requests if r.path == path]


def partial(directory: Path) -> dict[str, int]:
    """Return the sizes of the files that are being written."""
    return {path.name: path.stat().st_size for path in (directory / "partial").iterdir()}


def kill(shim: Served) -> None:
    """Kill the shim, as a power switch would."""
    shim.process.kill()
    shim.process.wait(60)


@pytest.mark.fault(49)
def test_a_killed_shim_fetches_only_the_rest_when_started_again(
    served: Serve, tmp_path: Path
) -> None:
    cache = tmp_path / "served" / "cache"
    address = f"/files/pypi/large.{LARGE.sha256}/{LARGE.filename}"
    with FakeIndex([LARGE]) as index:
        slow = index.drip(1_000_000, path=LARGE_PATH)
        first = served(index_table("pypi", index.url))
        with socket.create_connection(("127.0.0.1", first.port)) as client:
            client.sendall(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            wait_until(lambda: sum(partial(cache).values()) > 10**6, 10, "nothing came")
            kill(first)
        ((name, left),) = partial(cache).items()
        assert name.startswith(f"{LARGE.sha256}.")
        index.clear()
        slow.lift()
        again = served(index_table("pypi", index.url))
        assert again.get(address).body == LARGE.data
        assert ranges(index, LARGE_PATH) == [f"bytes={left}-"]
        wait_until(lambda: not partial(cache), 5, "a partial file is left")
        assert again.get(address).body == LARGE.data
        assert len(ranges(index, LARGE_PATH)) == 1


def leave(shim: Shim, data: bytes, name: str = "dead") -> Path:
    """Leave a file behind as a killed process does."""
    path = shim.store.blobs.partials.directory / f"{DEMO.sha256}.{name}"
    path.write_bytes(data)
    return path


def assert_kept_alone(shim: Shim) -> None:
    wait_until(lambda: is_kept(shim), 5, "the file was not kept")
    wait_until(lambda: not partial(shim.store.directory), 5, "a partial file is left")
    assert dict(shim.store.blobs.verify()) == {DEMO.sha256: "right"}


WRONG = bytes(HALF)
LEFT: dict[str, tuple[bytes, list[str | None]]] = {
    "a right beginning": (DEMO.data[:HALF], [f"bytes={HALF}-"]),
    "all of it": (DEMO.data, []),
    "wrong bytes": (WRONG, [f"bytes={HALF}-", None]),
    "a beginning with a hole": (DEMO.data[:1000] + WRONG[1000:], [f"bytes={HALF}-", None]),
    "as many bytes, but wrong": (
        bytes(len(DEMO.data)),
        [f"bytes={len(DEMO.data)}-", None, None],
    ),
    "more bytes than there are": (
        DEMO.data + b"more",
        [f"bytes={len(DEMO.data) + 4}-", None],
    ),
}


@pytest.mark.fault(49)
@pytest.mark.parametrize("what", LEFT)
def test_whatever_a_killed_process_left_ends_in_the_right_file(shim: MakeShim, what: str) -> None:
    data, expected = LEFT[what]
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        leave(made, data)
        assert fetch(made, DEMO) == DEMO.data
        assert ranges(index) == expected
        assert_kept_alone(made)


@pytest.mark.fault(49)
def test_an_index_without_ranges_is_read_from_its_start_and_what_was_left_is_used(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO], ranges=False) as index:
        made = shim(index)
        leave(made, DEMO.data[:HALF])
        assert fetch(made, DEMO) == DEMO.data
        assert_kept_alone(made)


@pytest.mark.fault(49)
def test_the_index_is_not_blamed_for_wrong_bytes_that_were_left(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        leave(made, WRONG)
        fetch(made, DEMO)
        assert made.downloads._wrong._known.items() == []


def test_an_index_that_gives_wrong_bytes_is_blamed_whatever_was_left(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.corrupt(DEMO.filename)
        made = shim(index)
        leave(made, DEMO.data[:1000])
        with pytest.raises(FileWrongError, match="wrong bytes"):
            fetch(made, DEMO)
        assert len(made.downloads._wrong._known) == 1
        assert partial(made.store.directory) == {}


def test_the_largest_of_several_is_gone_on_with_and_the_others_are_removed(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        for size in (1000, HALF, 0, 2000):
            leave(made, DEMO.data[:size], f"dead{size}")
        assert fetch(made, DEMO) == DEMO.data
        assert ranges(index) == [f"bytes={HALF}-"]
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        # An empty one may be somebody's who is about to begin.
        wait_until(
            lambda: list(partial(made.store.directory)) == [f"{DEMO.sha256}.dead0"], 5, "files left"
        )


def test_a_transfer_that_failed_is_gone_on_with_by_the_next_one(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index, ThreadPoolExecutor() as pool:
        slow = index.drip(200_000, path=PATH)
        made = shim(index)
        failing = pool.submit(fetch, made, DEMO)
        directory = made.store.directory
        wait_until(lambda: sum(partial(directory).values()) > 100_000, 5, "nothing came")
        index.stop_listening()
        with pytest.raises(FileUnavailableError, match="refused"):
            failing.result(60)
        (left,) = partial(directory).values()
        index.start_again()
        slow.lift()
        index.clear()
        assert fetch(made, DEMO) == DEMO.data
        assert ranges(index) == [f"bytes={left}-"]


def test_wrong_bytes_that_were_left_and_are_on_their_way_to_a_reader_end_in_a_cut(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.files.download.WHOLE_SECONDS", 0.1)
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        leave(made, WRONG)
        slow = index.drip(200_000, path=PATH)
        found = made.downloads.get("pypi", key_of(DEMO), DEMO.filename)
        assert isinstance(found, IncomingFile)
        slow.lift()
        with pytest.raises(TransferError):
            b"".join(found.read(0, found.total or 0))
        assert not made.downloads.is_resumable(FileAddress("pypi", key_of(DEMO), DEMO.filename))
        index.clear()
        assert fetch(made, DEMO) == DEMO.data
        assert ranges(index) == [None]


_WRITER = """
import sys
from pathlib import Path
from indexfallback.store import Store
from indexfallback.store.spool import Spool
store = Store(Path(sys.argv[1]), 10**7)
spool = Spool(store.blobs, sys.argv[2])
spool.write(b"x" * 1000)
print(spool.size, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process() -> Callable[[Path], "subprocess.Popen[bytes]"]:
    """Return what starts a process that has written 1000 bytes of the file and goes on."""

    def start(directory: Path) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(directory), DEMO.sha256],
            cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"1000\n"
        return process

    return start


@pytest.mark.fault(58)
def test_two_processes_never_write_the_same_partial_file(
    store: Store, other_process: Callable[[Path], "subprocess.Popen[bytes]"]
) -> None:
    with other_process(store.directory) as process:
        own = Spool(store.blobs, DEMO.sha256)
        assert own.size == 0
        own.write(b"own")
        assert sorted(partial(store.directory).values()) == [3, 1000]
        process.kill()
        process.communicate()
    assert Spool(store.blobs, DEMO.sha256).size == 1000


def test_two_spools_of_one_process_never_write_the_same_file(store: Store) -> None:
    first = Spool(store.blobs, DEMO.sha256)
    first.write(b"one")
    assert Spool(store.blobs, DEMO.sha256).size == 0
    first.release()
    assert Spool(store.blobs, DEMO.sha256).size == 3
    assert first.read(0, 10) == b"one"
