"""A circuit breaker in front of a bucket."""

import pytest

from indexfallback.store.shared.answers import Answer, Outcome
from indexfallback.store.shared.breaker import MOST_FAILURES, PAUSE_SECONDS, Breaker

FAILED = Answer(Outcome.UNREACHABLE, cause="connection refused")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.ask(lambda: FAILED)


def test_four_failures_do_not_open_it(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES - 1)
    assert breaker.state == "closed"
    assert breaker.ask(lambda: Answer(Outcome.FOUND)).is_found


def test_five_failures_in_a_row_open_it(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES)
    assert breaker.state == "open"
    answer = breaker.ask(lambda: pytest.fail("it was asked"))
    assert answer.outcome is Outcome.UNREACHABLE
    assert "connection refused" in answer.cause


@pytest.mark.parametrize("outcome", [Outcome.ABSENT, Outcome.EXISTS, Outcome.UNCHANGED])
def test_an_answer_of_the_bucket_is_no_failure(breaker: Breaker, outcome: Outcome) -> None:
    fail(breaker, MOST_FAILURES - 1)
    breaker.ask(lambda: Answer(outcome))
    fail(breaker, 1)
    assert breaker.state == "closed"


def test_denied_is_a_failure(breaker: Breaker) -> None:
    for _ in range(MOST_FAILURES):
        breaker.ask(lambda: Answer(Outcome.DENIED, cause="403"))
    assert breaker.state == "open"


def test_one_request_is_let_through_after_each_pause(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, MOST_FAILURES)
    clock.now += PAUSE_SECONDS
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    clock.now += PAUSE_SECONDS
    assert breaker.allows()


def test_a_success_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, MOST_FAILURES)
    clock.now += PAUSE_SECONDS
    assert breaker.ask(lambda: Answer(Outcome.ABSENT)).outcome is Outcome.ABSENT
    assert breaker.state == "closed"
    assert breaker.allows()
