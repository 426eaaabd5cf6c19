"""Indexes that fail in bursts: a storm of errors costs no second one, and no state flaps along."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from indexfallback import health as constants
from indexfallback.chain import probe
from indexfallback.chain.asking import RETRY_MOST, RETRY_PER_SECOND, RETRY_SHARE
from indexfallback.health import FIRST_WAIT, JITTER, Health, State, begin_trial, updated
from indexfallback.outcome import Kind, Outcome
from tests.chain.chain import ask, mirror, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

PROJECTS = [f"demo-{number}" for number in range(40)]
#: An index that flaps is up for so long and then down for so long, seconds.
FLAP = 2.0


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    with FakeIndex([wheel(project) for project in PROJECTS]) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    with FakeIndex([wheel(project) for project in PROJECTS]) as index:
        yield index


@pytest.mark.fault(17)
@pytest.mark.parametrize("status", [500, 502, 503])
def test_5xx_storm__every_client_is_answered_and_retries_stay_within_the_budget(
    shim: MakeShim,
    near: FakeIndex,
    far: FakeIndex,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    near.delay(0.2)  # so that many are under way before the first failure opens the circuit
    near.fail(status)
    made = shim(mirror(near), pypi(far))
    begun = time.monotonic()
    with ThreadPoolExecutor(len(PROJECTS)) as pool:
        assert set(pool.map(lambda project: ask(made, project), PROJECTS)) == {"pypi"}
    budget = RETRY_MOST + RETRY_SHARE * len(PROJECTS)
    budget += RETRY_PER_SECOND * (time.monotonic() - begun)
    retries = near.count() - len({request.path for request in near.requests})
    assert retries <= (budget if status != 500 else 0)
    opened = [line for line in caplog.messages if line.startswith("mirror: unavailable (")]
    assert len(opened) == 1
    assert str(status) in opened[0]
    assert "The fault is at mirror" in opened[0]


def _is_up(now: float) -> bool:
    return now % (2 * FLAP) < FLAP


@pytest.mark.fault(18)
@pytest.mark.parametrize("kind", [Kind.FAILED, Kind.UNREACHABLE, Kind.CONNECT_TIMEOUT])
@pytest.mark.parametrize("spread", [-1.0, 0.0, 1.0])
def test_flapping_every_2_s__no_circuit_opens_more_often_than_its_wait(
    kind: Kind, spread: float
) -> None:
    health, openings = Health(), []
    for tick in range(6000):  # ten minutes, ten requests a second
        now = tick / 10
        if health.may_try(now):
            health = begin_trial(health, now, seconds=3) or health
        elif not health.may_ask(now):
            continue
        outcome = Outcome(Kind.FOUND, "") if _is_up(now) else Outcome(kind, "down")
        was_open = health.state is State.OPEN
        health = updated(health, outcome, now, spread)
        if health.state is State.OPEN and not was_open:
            openings.append(now)
    between = [after - before for before, after in pairwise(openings)]
    assert min(between) > FIRST_WAIT * (1 - JITTER) - 0.1  # looked at each tenth of a second
    assert len(openings) <= 600 / (FIRST_WAIT * (1 - JITTER))


@pytest.mark.fault(18)
def test_flapping__clients_are_answered_all_along_and_the_state_does_not_follow(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, flap = 0.25, 0.1  # ten times as quick, twenty times the flaps
    monkeypatch.setattr(constants, "FIRST_WAIT", wait)
    monkeypatch.setattr(probe, "_LOOK_SECONDS", 0.01)
    made = shim(mirror(near), pypi(far), fresh=0.0)
    member = made.members["mirror"]
    opened, state = 0, State.CLOSED
    begun = time.monotonic()
    for number in range(12):
        near.start_again() if number % 2 else near.stop_listening()
        ends = time.monotonic() + flap
        while time.monotonic() < ends:
            for project in PROJECTS[:4]:
                assert made.fallback.page(project, again=True).how == "asked"
            before, state = state, member.health.state
            opened += before is not State.OPEN and state is State.OPEN
    assert 1 <= opened <= 1 + (time.monotonic() - begun) / (wait * (1 - JITTER))
    near.start_again()
