"""What clients do to the server: foreign writes, smuggled requests, a crowd, and who leaves."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from selectors import EVENT_READ, BaseSelector, DefaultSelector

import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, index_table, wait_until

#: Slow enough for everybody to be there before it is whole.
DEMO = wheel("demo", size=200_000)
PATH = f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}"
CROWD = 1000
#: All of the crowd have asked by then on a busy machine, and the first still waits, seconds.
DEADLINE = 120


@pytest.fixture(scope="module")
def index() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO]) as fake:
        yield fake


@pytest.fixture
def shim(served: Serve, index: FakeIndex) -> Served:
    index.lift()
    index.clear()
    return served(index_table("pypi", index.url), limits={"deadline": f"{DEADLINE} s"})


FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")


@pytest.mark.fault(66)
def test_a_post_from_a_foreign_page_or_form_is_refused_and_asks_nobody(
    shim: Served, index: FakeIndex
) -> None:
    for path in ("/", "/simple/", "/simple/demo/", "/upload/", "/-/status", PATH):
        for headers in (
            {"Origin": "https://evil.example.com"},
            *({"Origin": "null", "Content-Type": form} for form in FORMS),
        ):
            answer = shim.get(path, headers, method="POST")
            assert 400 <= answer.status < 500, path
            assert answer.problem
    assert index.requests == []


@pytest.mark.fault(71)
def test_a_length_beside_chunks_ends_the_connection(shim: Served) -> None:
    request = (
        b"GET /-/health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    answer = shim.raw(request + b"GET /-/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.fault(68)
def test_a_thousand_clients_of_one_file_cost_one_upstream_transfer(
    shim: Served, index: FakeIndex
) -> None:
    upstream = f"/files/{DEMO.filename}"
    slow = index.hang(path=upstream)
    with a_crowd(shim.port) as crowd:
        index.wait_for(upstream)
        assert shim.get("/-/health").status == 200, "while all of them wait"
        slow.lift()
        assert finish(crowd) == {DEMO.data: CROWD}
    assert index.count(upstream) == 1


@contextmanager
def a_crowd(port: int) -> Iterator[BaseSelector]:
    """Give clients that have all asked for the file, each with what it has received so far."""
    with ExitStack() as opened:
        crowd = opened.enter_context(DefaultSelector())
        for _ in range(CROWD):
            sock = opened.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE))
            sock.sendall(f"GET {PATH} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            sock.setblocking(False)
            crowd.register(sock, EVENT_READ, bytearray())
        yield crowd


def finish(crowd: BaseSelector) -> dict[bytes, int]:
    """Return how often which body came."""
    bodies: dict[bytes, int] = {}
    ends = time.monotonic() + DEADLINE
    while crowd.get_map():
        assert time.monotonic() < ends, "not all clients got an answer"
        for key, _ in crowd.select(1.0):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            piece = sock.recv(1 << 18)
            key.data.extend(piece)
            if not piece:
                crowd.unregister(sock)
                head, _, body = bytes(key.data).partition(b"\r\n\r\n")
                assert b" 200 " in head.splitlines()[0]
                bodies[body] = bodies.get(body, 0) + 1
    return bodies


@pytest.mark.fault(69)
@pytest.mark.fault(70)
def test_followers_are_served_although_the_leader_disconnects(
    shim: Served, index: FakeIndex
) -> None:
    upstream = f"/files/{DEMO.filename}"
    slow = index.drip(20_000, path=upstream)
    with shim.ask(PATH) as leader:
        leader.read(1000)
        with shim.ask(PATH) as follower:
            first = follower.read(1000)
            leader.close()
            slow.lift()
            assert first + follower.read() == DEMO.data
    wait_until(lambda: shim.json("/-/status")["cache"]["files"] == 1, 5, "it was not kept")
    assert index.count(upstream) == 1
