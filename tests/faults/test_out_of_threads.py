"""No thread can be started: the request fails because of this machine, and a later one does not."""

import threading
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from indexfallback import flight
from indexfallback.health import State
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.faults.client import Client

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
