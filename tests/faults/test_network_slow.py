"""An index that takes requests and says nothing, or drips: the deadline holds for the whole."""

import time
from collections.abc import Callable, Iterator

import pytest

from indexfallback.files import pace
from indexfallback.health import State
from tests.chain.chain import ask, mirror, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.faults.client import Client

DEMO, OTHER = wheel("demo"), wheel("other")
#: Half of it is enough for a whole request on a busy machine, seconds.
DEADLINE = 3.0
#: Far above the deadline, and below the 20 s that an index may take for each byte, seconds.
ENDS = 15.0

SLOW: dict[str, Callable[[FakeIndex], object]] = {
    "accept then silence": lambda index: index.hang(),
    "header drip": lambda index: index.drip_headers(1),
    "body drip": lambda index: index.drip(1),
}
EVERY_FAULT = pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=pytest.mark.fault(row)) for row, name in enumerate(SLOW, 9)],
)


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO, OTHER]) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO, OTHER, *(wheel(f"more-{n}") for n in range(5))]) as index:
        yield index


@EVERY_FAULT
def test_slow_index__the_next_one_answers_within_the_deadline_and_alone_from_the_third_on(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, fault: str
) -> None:
    SLOW[fault](near)
    made = shim(mirror(near), pypi(far), deadline=DEADLINE)
    for project in ("demo", "other"):
        begun = time.monotonic()
        assert ask(made, project) == "pypi"
        assert time.monotonic() - begun < ENDS
    assert made.members["mirror"].health.state is State.OPEN
    near.clear()
    assert [ask(made, f"more-{number}") for number in range(5)] == ["pypi"] * 5
    assert near.requests == []


@EVERY_FAULT
def test_slow_index__alone_is_a_503_within_the_deadline_that_names_it_and_what_to_do(
    shim: MakeShim, near: FakeIndex, fault: str
) -> None:
    SLOW[fault](near)
    client = Client(shim(near, deadline=DEADLINE))
    begun = time.monotonic()
    answer = client.get("/simple/demo/")
    assert time.monotonic() - begun < ENDS
    assert answer.status == 503
    assert "pypi could not be asked" in answer.problem
    assert "Make pypi reachable (VPN, network) and run again" in answer.problem
    assert client.shim.store.pages.count() == 0


@EVERY_FAULT
def test_slow_index__what_is_cached_stays_and_is_served(
    shim: MakeShim, near: FakeIndex, fault: str
) -> None:
    client = Client(shim(near, deadline=DEADLINE, fresh=0.0))
    assert client.fetch("demo", DEMO.filename).body == DEMO.data
    client.kept(DEMO.sha256)
    SLOW[fault](near)
    begun = time.monotonic()
    assert client.fetch("demo", DEMO.filename).body == DEMO.data
    assert time.monotonic() - begun < ENDS
    client.assert_clean()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("accept then silence", marks=pytest.mark.fault(9)),
        pytest.param("header drip", marks=pytest.mark.fault(10)),
    ],
)
def test_slow_index__a_file_comes_from_another_of_the_group(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, fault: str
) -> None:
    client = Client(shim(mirror(near), pypi(far), deadline=DEADLINE))
    assert set(client.files("demo")) == {DEMO.filename}
    SLOW[fault](near)
    begun = time.monotonic()
    assert client.fetch("demo", DEMO.filename).body == DEMO.data
    assert time.monotonic() - begun < ENDS
    client.kept(DEMO.sha256)
    client.assert_clean()


@pytest.mark.fault(11)
def test_a_file_that_drips_below_a_kilobyte_a_second_is_gone_on_with_elsewhere(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "WINDOW", 1.5)
    client = Client(shim(mirror(near), pypi(far)))
    assert set(client.files("demo")) == {DEMO.filename}
    near.drip(100, path=f"/files/{DEMO.filename}")
    assert client.fetch("demo", DEMO.filename).body == DEMO.data
    assert far.requests[-1].headers["Range"].startswith("bytes=")
    client.kept(DEMO.sha256)
    client.assert_clean()
