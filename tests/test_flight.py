"""Work that callers share, and work with a deadline."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexfallback.flight import SingleFlight, run_within


class Work:
    """Work that begins, and ends when it is let go."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.times = 0
        self._error = error

    def __call__(self) -> int:
        self.times += 1
        self.begun.set()
        assert self.go.wait(60)
        if self._error is not None:
            raise self._error
        return self.times


def test_callers_of_one_key_at_one_time_share_the_work() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    work = Work()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(flights.run, "a", work, 10)
        assert work.begun.wait(60)
        others = [pool.submit(flights.run, "a", work, 10) for _ in range(7)]
        work.go.set()
        assert {future.result(60) for future in (first, *others)} == {1}


def test_another_key_is_not_waited_for() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    work = Work()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(flights.run, "a", work, 10)
        assert work.begun.wait(60)
        assert flights.run("b", lambda: 2, 10) == 2
        work.go.set()
        assert slow.result(60) == 1


def test_an_exception_of_shared_work_reaches_all_callers() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    work = Work(KeyError("wrong"))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.run, "a", work, 10)
        assert work.begun.wait(60)
        second = pool.submit(flights.run, "a", work, 10)
        work.go.set()
        for future in (first, second):
            with pytest.raises(KeyError, match="wrong"):
                future.result(60)


@pytest.mark.parametrize("fails", [True, False])
def test_work_that_has_ended_is_done_again(fails: bool) -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    work = Work(KeyError() if fails else None)
    work.go.set()
    for _ in range(2):
        try:
            flights.run("a", work, 10)
        except KeyError:
            assert fails
    assert work.times == 2


def test_the_wait_for_shared_work_is_limited() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    work = Work()
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(flights.run, "a", work, 10)
        assert work.begun.wait(60)
        with pytest.raises(TimeoutError):
            flights.run("a", work, 0.01)
        work.go.set()
        assert leader.result(60) == 1


def test_work_within_its_time_gives_its_result_or_its_error() -> None:
    assert run_within(lambda: 1, 10, "test") == 1
    with pytest.raises(ZeroDivisionError):
        run_within(lambda: 1 / 0, 10, "test")


@pytest.mark.parametrize("seconds", [0.05, 0.0, -1.0])
def test_work_that_takes_too_long_is_not_awaited(seconds: float) -> None:
    work = Work()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        run_within(work, seconds, "left-alone")
    assert time.monotonic() - begun < 30
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "left-alone"]
    assert thread.daemon
    work.go.set()
    thread.join(60)
    assert not thread.is_alive()
