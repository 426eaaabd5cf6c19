"""The condition of an index, as people say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.condition import SLOW, Condition, after, condition, seconds_in_state
from indexfallback.health import Health, State, begin_trial, updated
from indexfallback.outcome import LOGIN_KINDS, Kind, Outcome

WELL = Health()


def of(health: Health, now: float = 0.0, *, requests: int = 1, median: float | None = 0.1) -> str:
    return condition(health, now, offline=False, requests=requests, median=median).value


def failed(*kinds: Kind) -> Health:
    """Return the health after these outcomes, a second apart, of different names."""
    health = WELL
    for number, kind in enumerate(kinds):
        health = updated(health, Outcome(kind, ""), float(number), name=f"name-{number}")
    return health


def test_an_index_that_answers_is_up_and_one_that_takes_long_is_slow() -> None:
    assert of(WELL) == "up"
    assert of(WELL, median=SLOW) == "up"
    assert of(WELL, median=SLOW + 0.1) == "slow"


def test_an_index_that_was_not_asked_is_not_said_to_be_up() -> None:
    assert of(WELL, requests=0, median=None) == "not asked yet"


def test_an_index_is_down_until_it_has_shown_that_it_is_back() -> None:
    down = failed(Kind.CONNECT_TIMEOUT)
    assert of(down) == "down"
    tried = begin_trial(down, down.until, 3.0)
    assert tried is not None
    assert (tried.state, of(tried, down.until)) == (State.HALF_OPEN, "down")


@pytest.mark.parametrize("kind", sorted(LOGIN_KINDS, key=str))
def test_a_refused_login_is_no_outage_and_over_after_its_time(kind: Kind) -> None:
    refused = failed(kind)
    assert of(refused) == "refused (401)"
    assert of(refused, refused.until) == "up"


def test_a_login_that_may_read_nothing_is_refused_too() -> None:
    assert of(failed(*[Kind.REFUSED] * 5), 4.0) == "refused (403)"
    assert of(failed(Kind.REFUSED)) == "up", "one name alone may be refused"


def test_a_limit_is_said_to_be_one() -> None:
    assert of(failed(Kind.LIMITED)) == "limited (429)"


def test_offline_comes_before_everything_else() -> None:
    down = failed(Kind.CONNECT_TIMEOUT)
    assert condition(down, 0.0, offline=True, requests=0, median=None) is Condition.OFFLINE


def test_a_fault_of_this_machine_is_no_state_of_the_index() -> None:
    assert after(Kind.LOCAL) is Condition.LOCAL
    assert after(Kind.FAILED) is Condition.DOWN
    assert after(Kind.DENIED).word == "refused"


@given(st.lists(st.sampled_from(Kind), max_size=12), st.floats(0, 1000))
def test_it_is_asked_as_usual_exactly_if_it_is_well(kinds: list[Kind], later: float) -> None:
    health, now = failed(*kinds), len(kinds) + later
    is_well = condition(health, now, offline=False, requests=1, median=0.1).is_well
    assert is_well == health.may_ask(now)


def test_an_index_that_is_held_is_so_since_its_failures_began() -> None:
    held = Health(since=0.0, until=1060.0, reason="401")
    assert seconds_in_state(held, 1000.0, 10.0) == 10
    assert seconds_in_state(held, 1000.0, None) == 1000


def test_an_index_that_is_up_or_down_is_so_since_its_circuit_has_changed() -> None:
    down = Health(state=State.OPEN, since=900.0, until=1060.0)
    assert seconds_in_state(down, 1000.0, 10.0) == 100
    assert seconds_in_state(Health(since=900.0), 1000.0, 10.0) == 100
