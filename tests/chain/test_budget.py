"""What is earned by requests and by time is all that extra requests may cost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.chain.budget import Budget

SHARE, PER_SECOND, MOST = 0.2, 2.0, 10.0


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def spent(budget: Budget, times: int = 100) -> int:
    """Return how many of so many extra requests are granted."""
    return sum(budget.spend() for _ in range(times))


def test_a_new_budget_is_full_and_then_empty(clock: Clock) -> None:
    budget = Budget(SHARE, PER_SECOND, MOST, clock)
    assert [spent(budget), spent(budget)] == [10, 0]


def test_requests_earn_their_share(clock: Clock) -> None:
    budget = Budget(0.25, 0.0, MOST, clock)
    spent(budget)
    for _ in range(20):
        budget.earn()
    assert spent(budget) == 5


def test_time_earns_too(clock: Clock) -> None:
    budget = Budget(SHARE, PER_SECOND, MOST, clock)
    spent(budget)
    clock.now = 2.0
    assert spent(budget) == 4


def test_no_more_is_saved_than_a_full_budget(clock: Clock) -> None:
    budget = Budget(SHARE, PER_SECOND, MOST, clock)
    for _ in range(1000):
        budget.earn()
    clock.now = 1000.0
    assert spent(budget) == 10


def test_threads_do_not_spend_a_token_twice(clock: Clock) -> None:
    budget = Budget(SHARE, 0.0, MOST, clock)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: budget.spend(), range(200))) == 10


@given(st.lists(st.sampled_from(["earn", "spend"]) | st.floats(0, 10), max_size=300))
def test_never_more_is_spent_than_was_there(steps: list[str | float]) -> None:
    clock = Clock()
    budget = Budget(SHARE, PER_SECOND, MOST, clock)
    earned = granted = 0
    for step in steps:
        if step == "earn":
            earned += 1
            budget.earn()
        elif step == "spend":
            granted += budget.spend()
        elif isinstance(step, float):
            clock.now += step
    assert granted <= MOST + SHARE * earned + PER_SECOND * clock.now + 1e-6
