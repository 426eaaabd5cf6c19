"""No thread, memory or handle is left: one request fails because of this machine, no later one."""

import sqlite3
import sys
import threading
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from indexfallback import flight
from indexfallback.config import Index
from indexfallback.files.assembly import Assembly
from indexfallback.health import State
from indexfallback.store.pages import Pages
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.faults.client import Client

if sys.platform != "win32":
    import resource

DEMO = wheel("demo", size=100_000)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[[], None]]:
    """Refuse threads whose names begin so, until the returned function is called."""

    idle = flight._idle
    none: deque[None] = deque()
    # Threads end as ever, and none is used again.
    busy = SimpleNamespace(append=idle.append, remove=idle.remove, pop=none.pop)
    monkeypatch.setattr(flight, "_idle", busy)

    def begin(prefix: str) -> Callable[[], None]:
        start = threading.Thread.start

        def refusing(thread: threading.Thread) -> None:
            if thread.name.startswith(prefix):
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refusing)
        return lambda: monkeypatch.setattr(threading.Thread, "start", start)

    return begin


def _assert_local(answer_status: int, problem: str) -> None:
    assert answer_status == 503
    assert "no thread can be started: raise the limit of processes" in problem


@pytest.mark.parametrize("prefix", ["ask-", "prober"])
def test_a_page_that_no_thread_asks_for_is_asked_for_again(
    shim: MakeShim, refuse: Callable[[str], Callable[[], None]], prefix: str
) -> None:
    with FakeIndex([DEMO]) as index:
        client = Client(shim(index))
        end = refuse(prefix)
        answer = client.get("/simple/demo/")
        _assert_local(answer.status, answer.problem)
        end()
        assert client.get("/simple/demo/").status == 200
        assert client.shim.members["pypi"].health.state is State.CLOSED
        assert client.shim.members["pypi"].status()["errors"] == 0


def test_a_file_that_no_thread_fetches_is_fetched_by_the_next_request(
    shim: MakeShim, refuse: Callable[[str], Callable[[], None]]
) -> None:
    with FakeIndex([DEMO]) as index:
        client = Client(shim(index))
        client.files("demo")
        end = refuse("fetch-demo")
        answer = client.fetch("demo", DEMO.filename)
        _assert_local(answer.status, answer.problem)
        end()
        assert client.fetch("demo", DEMO.filename).body == DEMO.data


def test_a_file_for_which_there_is_no_memory_fails_because_of_this_machine(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(_: Assembly) -> None:
        raise MemoryError

    with FakeIndex([DEMO]) as index:
        client = Client(shim(index))
        client.files("demo")
        with monkeypatch.context() as patch:
            patch.setattr(Assembly, "open", exhausted)
            answer = client.fetch("demo", DEMO.filename)
        assert answer.status == 503
        assert "this machine: out of memory: free memory and run again" in answer.problem
        assert client.fetch("demo", DEMO.filename).body == DEMO.data


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_records_that_cannot_be_opened_without_handles_are_no_fault_of_the_disk(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Pages, index: str, project: str) -> None:
        raise sqlite3.OperationalError(f"unable to open database file: {index}, {project}")

    made = shim(Index(name="pypi", url="http://127.0.0.1:9/simple/", role="public"))
    client = Client(made)
    monkeypatch.setattr(Pages, "facts", refuse)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        answer = client.get("/simple/demo/")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert answer.status == 503
    assert "raise the limit of open files (ulimit -n)" in answer.problem
