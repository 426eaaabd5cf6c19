"""Asking in trouble: trials, retries and their budget, patience, and health across restarts."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexfallback import health
from indexfallback.chain import latency
from indexfallback.chain.asking import RETRY_MOST, RETRY_PER_SECOND, RETRY_SHARE
from indexfallback.chain.members import Member
from indexfallback.chain.probe import Prober
from indexfallback.health import State
from indexfallback.outcome import Kind, Outcome
from indexfallback.shim import Shim
from tests.chain.chain import APP, ask, learn_names, mirror, private, pypi, until
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.threads import waiting_in

IDNA = "/simple/idna/"
DOWN = Outcome(Kind.CONNECT_TIMEOUT, "connect timeout")
PROJECTS = [f"demo-{number}" for number in range(30)]


@pytest.fixture(autouse=True)
def _no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave trials to the clients' requests."""
    monkeypatch.setattr(Prober, "wake", lambda _: None)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a moment only before an open circuit may be tried again."""
    monkeypatch.setattr(health, "FIRST_WAIT", 0.05)


@pytest.fixture
def many() -> Iterator[FakeIndex]:
    """The public index, with many projects."""
    with FakeIndex([wheel(project) for project in PROJECTS]) as index:
        yield index


def opened(made: Shim, *names: str) -> list[Member]:
    """Open the circuits of these indexes, and wait until the last may be tried again."""
    found = [made.members[name] for name in names]
    for member in found:
        member.learn(DOWN)
    until(lambda: all(member.health.may_try(time.monotonic()) for member in found))
    return found


# Trials.


@pytest.mark.usefixtures("soon")
def test_a_clients_request_is_no_trial_while_another_index_answers(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = shim(mirror(near), pypi(far))
    opened(made, "mirror")
    assert ask(made, "idna") == "pypi"
    assert near.requests == []


@pytest.mark.usefixtures("soon")
def test_one_request_alone_tries_the_only_index_and_the_others_wait_for_its_end(
    shim: MakeShim, many: FakeIndex
) -> None:
    made = shim(many)
    opened(made, "pypi")
    hanging = many.hang()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, made, project) for project in PROJECTS[:8]]
        many.wait_for()
        until(lambda: waiting_in("await_turn") == 7)
        assert (many.count(), any(future.done() for future in asked)) == (1, False)
        hanging.lift()
        assert [future.result() for future in asked] == ["pypi"] * 8
    assert made.members["pypi"].health.state is State.CLOSED


@pytest.mark.usefixtures("soon")
def test_who_waits_for_a_trial_that_fails_does_not_try_it_again(
    shim: MakeShim, many: FakeIndex
) -> None:
    made = shim(many)
    opened(made, "pypi")
    many.fail(500)
    hanging = many.hang()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, made, project) for project in PROJECTS[:4]]
        many.wait_for()
        until(lambda: waiting_in("await_turn") == 3)
        hanging.lift()
        assert [future.result() for future in asked] == [503] * 4
    assert many.count() == 1


@pytest.mark.usefixtures("soon")
def test_failures_of_earlier_requests_do_not_end_the_wait_for_a_trial(
    shim: MakeShim, many: FakeIndex
) -> None:
    made = shim(many, deadline=20.0)
    (member,) = opened(made, "pypi")
    hanging = many.hang()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, made, project) for project in PROJECTS[:8]]
        many.wait_for()
        until(lambda: waiting_in("await_turn") == 7)
        for _ in range(5):
            member.learn(Outcome(Kind.FAILED, "500", elapsed=60.0))
        assert (waiting_in("await_turn"), many.count()) == (7, 1)
        hanging.lift()
        assert [future.result() for future in asked] == ["pypi"] * 8


@pytest.mark.usefixtures("soon")
def test_who_waits_for_a_trial_waits_no_longer_than_its_deadline(
    shim: MakeShim, many: FakeIndex
) -> None:
    made = shim(many, deadline=4.0)
    (member,) = opened(made, "pypi")
    assert member.await_turn(time.monotonic(), 60.0)
    begun = time.monotonic()
    assert ask(made, PROJECTS[0]) == 503
    assert 2.0 < time.monotonic() - begun < 20.0
    assert many.count() == 0


@pytest.mark.usefixtures("soon")
def test_a_private_name_waits_for_the_probe_of_its_index_although_another_one_could_be_asked(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = shim(index := private(near), pypi(far))
    learn_names(made, index)
    (member,) = opened(made, "private")
    assert member.await_turn(time.monotonic(), 60.0)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, made, "idna")
        until(lambda: waiting_in("await_turn") == 1)
        member.learn(Outcome(Kind.FOUND, "1 file"))
        assert asked.result() == "private"


@pytest.mark.usefixtures("soon")
def test_two_requests_that_had_no_other_way_close_the_circuit(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(far)
    (member,) = opened(made, "pypi")
    states = []
    for project in ("idna", "acme-app"):
        assert ask(made, project) == "pypi"
        states.append(member.health.state)
    assert states == [State.HALF_OPEN, State.CLOSED]


def test_if_all_are_open_the_one_whose_wait_is_over_first_is_tried(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = shim(mirror(near), pypi(far))
    made.members["pypi"].learn(DOWN)
    for _ in range(3):
        made.members["mirror"].learn(Outcome(Kind.FAILED, "503", retry_after=100))
    assert ask(made, "idna") == "pypi"
    assert (near.count(), far.count()) == (0, 1)


def test_an_index_that_is_tried_in_vain_is_not_tried_again_for_the_same_request(
    shim: MakeShim, far: FakeIndex
) -> None:
    far.fail(500)
    made = shim(far)
    made.members["pypi"].learn(DOWN)
    assert ask(made, "idna") == 503
    assert far.count() == 1


# Across restarts.


def test_after_a_restart_one_failure_is_enough_and_the_waits_begin_anew(
    shim: MakeShim, far: FakeIndex
) -> None:
    far.fail(500)
    first = shim(far)
    asked = [ask(first, project) for project in ("idna", "acme-app", "acme-lib")]
    assert (asked, first.members["pypi"].health.state) == ([503] * 3, State.OPEN)
    first.close()
    far.clear()
    second = shim(far)
    before = second.members["pypi"].health
    assert (before.state, before.reason) == (State.OPEN, "500 Internal Server Error")
    assert before.may_try(time.monotonic())
    assert ask(second, "idna") == 503
    after = second.members["pypi"].health
    assert (after.state, after.openings, far.count()) == (State.OPEN, 1, 1)


def test_after_a_restart_what_was_down_does_not_delay_what_is_not(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    first = shim(mirror(near), pypi(far))
    first.members["mirror"].learn(DOWN)
    first.close()
    near.hang()
    assert ask(shim(mirror(near), pypi(far)), "idna") == "pypi"
    assert near.requests == []


@pytest.mark.usefixtures("soon")
def test_after_a_restart_an_index_that_was_back_is_well(shim: MakeShim, far: FakeIndex) -> None:
    first = shim(far)
    opened(first, "pypi")
    assert [ask(first, project) for project in ("idna", "acme-app")] == ["pypi", "pypi"]
    first.close()
    assert shim(far).members["pypi"].health.state is State.CLOSED


# Retries.


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_passing_fault_is_asked_about_again(shim: MakeShim, far: FakeIndex, status: int) -> None:
    far.fail(status, times=1)
    made = shim(far)
    assert ask(made, "idna") == "pypi"
    assert far.count(IDNA) == 2
    assert made.members["pypi"].status()["errors"] == 0


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_passing_fault_that_does_not_pass_is_asked_about_once_more_only(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, status: int
) -> None:
    near.fail(status)
    assert ask(shim(mirror(near), pypi(far)), "idna") == "pypi"
    assert near.count(IDNA) == 2


NOT_AGAIN: dict[str, Callable[[FakeIndex], object]] = {
    "500": lambda index: index.fail(500),
    "503 with Retry-After": lambda index: index.fail(503, {"Retry-After": "9"}),
    "429": lambda index: index.fail(429),
    "401": lambda index: index.fail(401),
    "404": lambda index: index.fail(404),
    "silence": lambda index: index.hang(),
}


@pytest.mark.parametrize("way", NOT_AGAIN)
def test_what_is_no_passing_fault_is_not_asked_about_again(
    shim: MakeShim, far: FakeIndex, way: str
) -> None:
    NOT_AGAIN[way](far)
    ask(shim(far, deadline=2.0), "idna")
    assert far.count(IDNA) == 1


@pytest.mark.fault(17)
@pytest.mark.parametrize("way", ["503", "reset"])
def test_a_storm_of_passing_faults_is_not_doubled(
    shim: MakeShim, many: FakeIndex, way: str
) -> None:
    many.delay(0.3)  # so that all are under way before the first failure opens the circuit
    many.fail(503) if way == "503" else many.drop(reset=True)
    made = shim(many)
    begun = time.monotonic()
    with ThreadPoolExecutor(len(PROJECTS)) as pool:
        assert set(pool.map(lambda project: ask(made, project), PROJECTS)) == {503}
    seconds = time.monotonic() - begun
    retries = many.count() - len({request.path for request in many.requests})
    assert retries <= RETRY_MOST + RETRY_SHARE * len(PROJECTS) + RETRY_PER_SECOND * seconds
    assert max(many.count(f"/simple/{project}/") for project in PROJECTS) <= 2


def test_a_retry_that_would_come_after_the_deadline_is_not_made(
    shim: MakeShim, far: FakeIndex
) -> None:
    far.delay(1.0)
    far.fail(503)
    assert ask(shim(far, deadline=1.1), "idna") == 503
    assert far.count(IDNA) == 1


# Holds.


def test_retry_after_of_a_failing_index_replaces_the_wait(shim: MakeShim, far: FakeIndex) -> None:
    far.fail(503, {"Retry-After": "77"})
    made = shim(far)
    for project in ("idna", "acme-app", "acme-lib"):
        ask(made, project)
    assert made.members["pypi"].status()["next_try"] == pytest.approx(70, abs=7)


def test_a_limited_index_is_left_alone_as_long_as_it_asks_and_then_asked_again(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    near.fail(429, {"Retry-After": "60"}, times=1)
    made = shim(mirror(near), pypi(far))
    for _ in range(2):
        assert ask(made, "idna") == "pypi"
        far.project("idna")
    assert near.count() == 1
    assert made.members["mirror"].health.state is State.CLOSED
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 60)
    near.add(wheel("acme-lib"))
    assert ask(made, "acme-lib") == "mirror"


# Patience.


def test_a_first_byte_may_take_four_times_as_long_as_nearly_all_before(
    shim: MakeShim, far: FakeIndex
) -> None:
    def patience(seconds: float, times: int = 20) -> float:
        member = shim(far).members["pypi"]
        for _ in range(times):
            member.learn(Outcome(Kind.FOUND, "", elapsed=seconds))
        return member.latency.patience()

    assert patience(0.5) == 2.0
    assert (patience(0.01), patience(3.0)) == (latency.FIRST_BYTE_LEAST, latency.FIRST_BYTE_MOST)
    assert patience(0.01, times=4) == latency.FIRST_BYTE_MOST, "four answers are no measure"


def test_one_slow_answer_in_a_hundred_does_not_count(shim: MakeShim, far: FakeIndex) -> None:
    member = shim(far).members["pypi"]
    for number in range(100):
        member.learn(Outcome(Kind.FOUND, "", elapsed=0.5 if number else 60.0))
    assert member.latency.patience() == 2.0


def test_an_index_that_was_quick_is_given_up_before_its_share_is_over(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "FIRST_BYTE_LEAST", 0.2)
    made = shim(mirror(near), pypi(far), deadline=60.0)
    for _ in range(5):
        made.members["mirror"].learn(Outcome(Kind.FOUND, "", elapsed=0.01))
    near.hang(path=APP)
    answer = made.fallback.page("acme-app")
    assert answer.owner.name == "pypi"
    assert (answer.tried[0].seconds or 0.0) < 20.0  # its share is 30
    assert answer.tried[0].detail.startswith("no answer in time")


def answered(made: Shim, name: str, seconds: float, times: int = 5) -> Member:
    member = made.members[name]
    for _ in range(times):
        member.learn(Outcome(Kind.FOUND, "", elapsed=seconds))
    return member


def test_how_quick_an_index_was_is_known_to_the_next_process(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(far)
    answered(made, "pypi", 0.5)
    made.close()
    assert shim(far).members["pypi"].latency.patience() == 2.0


def test_one_slow_answer_is_more_than_what_an_earlier_process_knew(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(far)
    answered(made, "pypi", 0.5)
    made.close()
    assert answered(shim(far), "pypi", 1.0, times=1).latency.patience() == 4.0


def test_a_quick_index_is_given_up_before_its_connect_timeout(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "FIRST_BYTE_LEAST", 0.2)
    made = shim(mirror(near, connect_timeout=30.0), pypi(far), deadline=90.0)
    answered(made, "mirror", 0.01)
    near.blackhole()
    answer = made.fallback.page(APP.split("/")[2])
    assert answer.owner.name == "pypi"
    assert answer.tried[0].detail.startswith("connect timeout")
    assert (answer.tried[0].seconds or 0.0) < 20.0
