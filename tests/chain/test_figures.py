"""The figures of an index: when it answered and failed last, and since when it fails."""

import time

from indexfallback.chain.figures import Figures
from indexfallback.chain.members import seconds_in_state
from indexfallback.health import Health, State
from indexfallback.outcome import Kind, Outcome

FOUND, DENIED = Outcome(Kind.FOUND, ""), Outcome(Kind.DENIED, "401")


def test_the_times_of_the_latest_answer_and_failure_are_kept() -> None:
    figures = Figures()
    assert figures.report()[4:7] == (0.0, 0.0, 0.0)
    began = time.time()
    figures.count(FOUND)
    figures.count(DENIED)
    report = figures.report()
    assert began <= report.answered <= report.failed <= time.time()


def test_failures_begin_with_the_first_and_end_with_an_answer() -> None:
    figures = Figures()
    figures.count(DENIED)
    first = figures.report().failing
    figures.count(DENIED)
    assert figures.report().failing == first > 0
    figures.count(FOUND)
    assert figures.report().failing == 0


def test_an_index_that_is_held_is_so_since_its_failures_began() -> None:
    held = Health(since=0.0, until=1060.0, reason="401")
    assert 10 <= seconds_in_state(held, time.time() - 10, 1000.0) < 60
    assert seconds_in_state(held, 0.0, 1000.0) == 1000


def test_an_index_that_is_down_or_up_is_so_since_its_circuit_has_changed() -> None:
    failing = time.time() - 10
    down = Health(state=State.OPEN, since=900.0, until=1060.0)
    assert seconds_in_state(down, failing, 1000.0) == 100
    assert seconds_in_state(Health(since=900.0), failing, 1000.0) == 100
