"""The process of a server: how it starts, stops and ends."""

import ctypes
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, index_table, wait_until

NOWHERE = index_table("pypi", "http://127.0.0.1:9/simple/")
DEMO = wheel("demo", size=400_000)
#: Far more than the three seconds of grace, and far less than the transfer takes.
STOP_SECONDS = 40.0

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")


def assert_gone(shim: Served) -> None:
    """Assert that the port is free."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", shim.port))


@pytest.fixture
def in_transfer(served: Serve) -> Iterator[Served]:
    """A shim in the middle of sending a file that never comes to its end."""
    with FakeIndex([DEMO]) as index:
        index.drip(2_000, path="/files/")
        shim = served(index_table("pypi", index.url))
        path = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"
        with shim.ask(path) as response:
            response.read(1000)
            yield shim


@posix_only
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_exit_code_0(served: Serve, number: int) -> None:
    shim = served(NOWHERE)
    assert shim.stop(number) == 0
    assert_gone(shim)
    assert "Traceback" not in shim.log


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has threads with an id of their own"
)
def test_a_signal_that_another_thread_gets_stops_it(served: Serve) -> None:
    shim = served(NOWHERE)
    others = [thread.id for thread in shim.system.threads() if thread.id != shim.process.pid]
    # The newest belong to the server; older ones may end.
    assert ctypes.CDLL(None).tgkill(shim.process.pid, max(others), signal.SIGTERM) == 0
    assert shim.process.wait(STOP_SECONDS) == 0


@pytest.mark.fault(73)
@posix_only
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_the_middle_of_a_transfer(in_transfer: Served, number: int) -> None:
    assert in_transfer.stop(number, STOP_SECONDS) == 0
    assert_gone(in_transfer)
    assert "Traceback" not in in_transfer.log


def test_it_is_one_process(served: Serve) -> None:
    assert served(NOWHERE).system.children(recursive=True) == []


def test_it_ends_with_its_standard_input_if_asked_to(served: Serve) -> None:
    shim = served(NOWHERE, arguments=("--stop-at-eof",))
    assert shim.process.stdin is not None
    shim.process.stdin.write(b"what is written changes nothing\n")
    shim.process.stdin.flush()
    assert shim.get("/-/health").status == 200
    shim.process.stdin.close()
    assert shim.process.wait(STOP_SECONDS) == 0
    assert_gone(shim)


def test_the_end_of_its_standard_input_alone_does_not_end_it(served: Serve) -> None:
    shim = served(NOWHERE)
    assert shim.process.stdin is not None
    shim.process.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        shim.process.wait(0.5)
    assert shim.get("/-/health").status == 200


@posix_only
def test_a_stop_and_a_new_start_keep_what_was_seen(served: Serve) -> None:
    with FakeIndex([DEMO]) as index:
        path = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"
        first = served(index_table("pypi", index.url))
        assert first.get("/simple/demo/").status == 200
        assert first.get(path).body == DEMO.data
        wait_until(lambda: first.json("/-/status")["cache"]["files"] == 1, 5, "it was not kept")
        first.stop()
        index.clear()
        second = served(index_table("pypi", index.url))
        assert second.get("/simple/demo/").status == 200
        assert second.get(path).body == DEMO.data
        assert index.count() == 0


@pytest.mark.fault(73)
@posix_only
def test_a_kill_in_the_middle_of_a_transfer_leaves_a_store_that_serves_on(served: Serve) -> None:
    with FakeIndex([DEMO]) as index:
        slow = index.drip(50_000, path="/files/")
        first = served(index_table("pypi", index.url))
        path = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"
        with first.ask(path) as response:
            response.read(1000)
            first.process.kill()
        first.process.wait(STOP_SECONDS)
        slow.lift()
        second = served(index_table("pypi", index.url))
        status = second.json("/-/status")["cache"]
        assert (status["files"], status["pages"], status["temporary"]) == (0, 1, False)
        assert second.get(path).body == DEMO.data


def _holds(shim: Served, files: int) -> bool:
    return bool(shim.json("/-/status")["cache"]["files"] == files)


def test_two_shims_share_one_directory(served: Serve) -> None:
    dists = [wheel("demo", f"1.{number}", size=50_000) for number in range(10)]
    with FakeIndex(dists) as index:
        first, second = (served(index_table("pypi", index.url)) for _ in range(2))
        assert first.port != second.port

        def fetch(shim: Served) -> None:
            shim.get("/simple/demo/")
            for dist in dists:
                path = f"/files/pypi/demo.{dist.sha256}/{dist.filename}"
                assert shim.get(path).body == dist.data

        threads = [threading.Thread(target=fetch, args=(shim,)) for shim in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        for shim in (first, second):
            wait_until(partial(_holds, shim, 10), 5, "files are missing")
            assert not shim.json("/-/status")["cache"]["temporary"]
        index.clear()
        fetch(first)
        fetch(second)
        assert index.count() == 0
