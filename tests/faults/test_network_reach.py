"""An index that cannot be reached: refused, black-holed, without an address, or by a dead one."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from indexfallback.config import Index
from indexfallback.health import State
from indexfallback.shim import Shim
from tests.chain.chain import ask, mirror, pypi, until
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

PROJECTS = [f"demo-{number}" for number in range(20)]
#: Connect timeout of these tests, seconds; by default it is 3.
CONNECT = 0.4
#: Far above the limits here, and below the 20 s that an index may take for each byte, seconds.
ENDS = 15.0
ADDRESS = "packages.example.com"

Addresses: TypeAlias = list[tuple[Any, ...]]
Resolve: TypeAlias = Callable[[Callable[[], Addresses]], None]

linux = pytest.mark.skipif(sys.platform != "linux", reason="packets are ignored by a Linux trick")


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    """The mirror, which has what the public index has."""
    with FakeIndex([wheel(project) for project in PROJECTS]) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    """The public index."""
    with FakeIndex([wheel(project) for project in PROJECTS]) as index:
        yield index


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Return what sets how the one name of these tests is looked up, on a connected machine."""
    real = socket.getaddrinfo
    monkeypatch.setattr("indexfallback.upstream.failures.has_route", lambda: True)

    def use(find: Callable[[], Addresses]) -> None:
        def look_up(host: Any, *args: Any, **values: Any) -> Any:
            return find() if host == ADDRESS else real(host, *args, **values)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return use


def named(**values: Any) -> Index:
    """Return a mirror at an address that must be looked up."""
    made: dict[str, Any] = {"name": "mirror", "url": f"http://{ADDRESS}:9/simple/"}
    return Index(**{**made, "role": "mirror", "mirror_of": "pypi", **values})


def warm(made: Shim) -> None:
    """Have the libraries imported, and connections open."""
    assert ask(made, "unknown") == 404


def skipping(made: Shim, project: str) -> str:
    """Return what became of the mirror while the public index answered in time."""
    begun = time.monotonic()
    answer = made.fallback.page(project)
    assert answer.owner.name == "pypi"
    assert time.monotonic() - begun < ENDS
    return answer.tried[0].what


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of the mirror as a warning or worse."""
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return [r.getMessage() for r in records if r.getMessage().startswith("mirror: ")]


def assert_said(caplog: pytest.LogCaptureFixture, cause: str, remedy: str) -> None:
    """Check for a line of the first failure at most, and one of the circuit's opening."""
    *first, opened = lines(caplog)
    assert len(first) <= 1, first
    assert opened.startswith(f"mirror: unavailable ({cause}"), opened
    for line in (*first, opened):
        assert cause in line
        assert remedy in line


@pytest.mark.fault(1)
def test_refused__the_next_index_answers(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    made = shim(mirror(near), pypi(far))
    warm(made)
    near.stop_listening()
    assert [skipping(made, project) for project in PROJECTS[:2]] == ["unavailable"] * 2
    assert made.members["mirror"].health.state is State.OPEN
    assert_said(caplog, f"connection refused (127.0.0.1:{near.port})", "Start mirror, or correct")


@linux
@pytest.mark.fault(2)
def test_blackholed_syn__costs_the_connect_timeout_once_and_then_nothing(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    made = shim(mirror(near, connect_timeout=CONNECT), pypi(far), deadline=60.0)
    warm(made)
    near.blackhole()
    tried = [skipping(made, project) for project in PROJECTS[:4]]
    assert tried == ["unavailable", *["skipped"] * 3]
    assert_said(caplog, f"connect timeout (127.0.0.1:{near.port})", "Make mirror reachable")


@pytest.mark.fault(2)
def test_blackholed_syn__is_given_up_after_three_seconds_by_default() -> None:
    assert Index(name="pypi", url="https://example.com/simple/").connect_timeout == 3.0


@pytest.mark.fault(3)
def test_dns_nxdomain__the_next_index_answers(
    shim: MakeShim, far: FakeIndex, resolve: Resolve, caplog: pytest.LogCaptureFixture
) -> None:
    def nobody() -> Addresses:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    resolve(nobody)
    made = shim(named(), pypi(far))
    warm(made)
    assert skipping(made, PROJECTS[0]) == "unavailable"
    assert made.members["mirror"].health.state is State.OPEN
    assert_said(caplog, f"no such host ({ADDRESS}:9)", "Correct the host in the url of mirror")


@pytest.fixture
def hanging(resolve: Resolve) -> Iterator[list[str]]:
    """Let look-ups hang until the end of the test; return the threads that do."""
    ended = threading.Event()
    waiting: list[str] = []

    def find() -> Addresses:
        waiting.append(threading.current_thread().name)
        ended.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    resolve(find)
    yield waiting
    ended.set()
    until(lambda: not [t for t in threading.enumerate() if t.name in waiting])


@pytest.mark.fault(4)
def test_dns_hang__the_deadline_holds_and_the_next_index_answers(
    shim: MakeShim, far: FakeIndex, hanging: list[str]
) -> None:
    made = shim(named(), pypi(far), deadline=4.0)
    tried = [skipping(made, project) for project in PROJECTS[:5]]
    assert tried == ["unavailable", "unavailable", *["skipped"] * 3]
    assert made.members["mirror"].health.state is State.OPEN
    assert hanging == ["ask-mirror"] * 2, "an open circuit costs a thread"


@pytest.mark.fault(4)
def test_dns_hang__of_the_only_index_is_an_outage_within_the_deadline(
    shim: MakeShim, hanging: list[str]
) -> None:
    made = shim(named(role="public", mirror_of=None), deadline=0.5)
    begun = time.monotonic()
    assert ask(made) == 503
    assert time.monotonic() - begun < ENDS


def test_no_network__is_charged_to_nobody_and_over_as_soon_as_it_is(
    shim: MakeShim, near: FakeIndex, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Addresses:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    resolve(nobody)
    made = shim(named(role="public", mirror_of=None))
    with monkeypatch.context() as away:
        away.setattr("indexfallback.upstream.failures.has_route", lambda: False)
        assert [ask(made, project) for project in PROJECTS[:5]] == [404] * 5
    health = made.members["mirror"].health
    assert (health.state, health.failures) == (State.CLOSED, 0)
    resolve(lambda: addresses(near))
    assert ask(made, PROJECTS[0]) == "mirror"


def addresses(*fakes: FakeIndex) -> Addresses:
    """Return the answer of a look-up: one address for each fake index."""
    tcp = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    return [(*tcp, ("127.0.0.1", fake.port)) for fake in fakes]


@linux
@pytest.mark.fault(19)
@pytest.mark.parametrize("how", ["stop_listening", "blackhole"])
def test_one_of_two_ips_dead__the_other_one_answers(
    shim: MakeShim, near: FakeIndex, resolve: Resolve, how: str
) -> None:
    with FakeIndex() as dead:
        getattr(dead, how)()
        resolve(lambda: addresses(dead, near))
        made = shim(named(connect_timeout=CONNECT))
        assert [ask(made, project) for project in PROJECTS[:2]] == ["mirror"] * 2
        assert near.connections == 1, "the connection is not kept"
        assert made.members["mirror"].status()["errors"] == 0


@pytest.mark.fault(20)
@pytest.mark.parametrize("when", ["before the next request", "at the next request"])
def test_dead_keep_alive_connection__is_replaced_once_and_silently(
    shim: MakeShim, far: FakeIndex, caplog: pytest.LogCaptureFixture, when: str
) -> None:
    made = shim(far)
    assert ask(made, PROJECTS[0]) == "pypi"
    if when == "at the next request":
        far.drop(times=1)
    else:
        far.drop_connections()
    assert ask(made, PROJECTS[1]) == "pypi"
    assert far.connections == 2
    assert made.members["pypi"].status()["errors"] == 0
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []


@pytest.mark.fault(21)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_system_proxy_set__an_index_on_loopback_is_asked_directly(
    shim: MakeShim, far: FakeIndex, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with FakeIndex() as proxy:
        for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, proxy.base)
        made = shim(pypi(far, url=far.url.replace("127.0.0.1", host)))
        assert ask(made, PROJECTS[0]) == "pypi"
        assert proxy.requests == []
