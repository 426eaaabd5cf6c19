"""The figures of an index: when it answered and failed last, and since when it fails."""

import time

from indexfallback.chain.figures import Figures
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
