"""Files of an index that is skipped: they wait for its trial, or are the trial themselves."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from indexfallback import health
from indexfallback.chain.members import Member
from indexfallback.chain.probe import Prober
from indexfallback.config import Index
from indexfallback.errors import FileUnavailableError
from indexfallback.health import State
from indexfallback.outcome import Kind, Outcome
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, wheel
from tests.files.support import fetch
from tests.serving import wait_until
from tests.threads import waiting_in

DOWN = Outcome(Kind.CONNECT_TIMEOUT, "connect timeout")
DEMOS = [wheel(f"demo-{number}", size=50_000) for number in range(6)]
DEMO = DEMOS[0]


def path(dist: Dist) -> str:
    return f"/files/{dist.filename}"


def pypi(fake: FakeIndex, **values: Any) -> Index:
    return Index(name="pypi", url=fake.url, role="public", **values)


def mirror(fake: FakeIndex) -> Index:
    return Index(name="mirror", url=fake.url, role="mirror", mirror_of="pypi")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave trials to the clients' requests, and let them begin after a moment."""
    monkeypatch.setattr(Prober, "wake", lambda _: None)
    monkeypatch.setattr(health, "FIRST_WAIT", 0.05)


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    """The public index."""
    with FakeIndex(DEMOS) as index:
        yield index


def opened(made: Shim, name: str = "pypi", projects: int = 1) -> Member:
    """Open the circuit of an index whose pages are known, and wait until it may be tried again."""
    for dist in DEMOS[:projects]:
        made.fallback.page(dist.project)
    member = made.members[name]
    member.learn(DOWN)
    wait_until(lambda: member.health.may_try(time.monotonic()), 10, "no trial is due")
    return member


def test_a_file_waits_for_a_trial_that_is_under_way(shim: MakeShim, far: FakeIndex) -> None:
    made = shim(pypi(far), deadline=20.0)
    member = opened(made)
    assert member.await_turn(time.monotonic(), 60.0)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(fetch, made, DEMO)
        wait_until(lambda: waiting_in("await_turn") == 1, 30, "the file does not wait")
        assert far.count(path(DEMO)) == 0
        member.learn(Outcome(Kind.FOUND, "1 file"), "demo-1")
        assert asked.result(60) == DEMO.data


def test_a_file_is_unavailable_after_a_trial_in_vain(shim: MakeShim, far: FakeIndex) -> None:
    made = shim(pypi(far), deadline=20.0)
    member = opened(made)
    assert member.await_turn(time.monotonic(), 60.0)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(fetch, made, DEMO)
        wait_until(lambda: waiting_in("await_turn") == 1, 30, "the file does not wait")
        member.learn(DOWN, "demo-1")
        with pytest.raises(FileUnavailableError, match="connect timeout"):
            asked.result(60)
    assert far.count(path(DEMO)) == 0


def test_a_file_waits_for_a_trial_no_longer_than_its_deadline(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(pypi(far), deadline=3.0)
    assert opened(made).await_turn(time.monotonic(), 60.0)
    begun = time.monotonic()
    with pytest.raises(FileUnavailableError):
        fetch(made, DEMO)
    assert 1.0 < time.monotonic() - begun < 20.0
    assert far.count(path(DEMO)) == 0


def test_one_file_tries_the_only_index_and_the_others_wait_for_its_answer(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(pypi(far), deadline=30.0)
    member = opened(made, projects=len(DEMOS))
    hanging = far.hang(path="/files/")
    far.clear()
    with ThreadPoolExecutor(len(DEMOS)) as pool:
        asked = [pool.submit(fetch, made, dist) for dist in DEMOS]
        far.wait_for()
        wait_until(lambda: waiting_in("await_turn") == len(DEMOS) - 1, 30, "they do not wait")
        assert far.count() == 1
        hanging.lift()
        assert [one.result(60) for one in asked] == [dist.data for dist in DEMOS]
    assert member.health.state is State.HALF_OPEN, "a page tells if the index is well"


def test_a_skipped_index_is_asked_for_a_file_only_after_all_others(
    shim: MakeShim, far: FakeIndex
) -> None:
    with FakeIndex([DEMO, DEMOS[1]]) as near:
        made = shim(mirror(near), pypi(far))
        for dist in (DEMO, DEMOS[1]):
            made.fallback.page(dist.project)
            made.fallback.page(dist.project, "pypi")
        opened(made, "mirror")
        assert fetch(made, DEMO) == DEMO.data
        assert near.count(path(DEMO)) == 0
        far.fail(500, path="/files/")
        assert fetch(made, DEMOS[1]) == DEMOS[1].data
        assert near.count(path(DEMOS[1])) == 1


def test_a_file_of_the_only_index_is_asked_for_before_the_wait_is_over(
    shim: MakeShim, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FIRST_WAIT", 300.0)
    made = shim(pypi(far))
    made.fallback.page(DEMO.project)
    made.members["pypi"].learn(DOWN)
    assert fetch(made, DEMO) == DEMO.data


def test_no_file_is_asked_for_while_an_index_wants_to_be_left_alone(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(pypi(far))
    made.fallback.page(DEMO.project)
    made.members["pypi"].learn(Outcome(Kind.LIMITED, "429", retry_after=60.0))
    with pytest.raises(FileUnavailableError, match="429"):
        fetch(made, DEMO)
    assert far.count(path(DEMO)) == 0


def test_a_file_on_another_host_waits_for_no_trial_of_the_index(
    shim: MakeShim, far: FakeIndex
) -> None:
    with FakeIndex([DEMO]) as files:
        far.files_url = f"{files.base}/files/"
        made = shim(pypi(far))
        member = opened(made)
        assert member.await_turn(time.monotonic(), 60.0)
        assert fetch(made, DEMO) == DEMO.data
        assert member.health.is_being_tried(time.monotonic())
