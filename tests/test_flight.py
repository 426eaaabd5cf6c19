"""Work that callers share, and work with a deadline."""

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexfallback import flight
from indexfallback.flight import SingleFlight, run_within, start
from tests.serving import wait_until
from tests.threads import waiting_in


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


def test_who_wants_new_work_waits_for_the_end_of_the_old_and_shares_the_next() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    old, new = Work(), Work()
    new.times = 1
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(flights.run, "a", old, 10)
        assert old.begun.wait(60)
        others = [pool.submit(flights.run, "a", new, 60, anew=True) for _ in range(7)]
        wait_until(lambda: waiting_in("_wait_for_earlier") == 7, 30, "nothing waits for the old")
        old.go.set()
        wait_until(lambda: waiting_in("_result") == 6, 30, "the new is not shared")
        new.go.set()
        assert (first.result(60), {future.result(60) for future in others}) == (1, {2})


def test_new_work_does_not_wait_for_the_old_longer_than_its_time() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    old, new = Work(), Work()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.run, "a", old, 10)
        assert old.begun.wait(60)
        with pytest.raises(TimeoutError):
            flights.run("a", new, 0.01, anew=True)
        old.go.set()
        assert (first.result(60), new.times) == (1, 0)


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
    assert work.begun.wait(60)
    (thread,) = _named("left-alone")
    assert thread.daemon
    work.go.set()
    wait_until(lambda: not _named("left-alone"), 60, "the work does not end")


def test_a_thread_takes_one_task_after_the_other_and_ends_when_none_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flight, "_idle", deque())
    threads = {start(threading.current_thread, "first").result(60)}
    for _ in range(5):
        wait_until(lambda: flight._idle, 60, "the thread does not wait for work")
        threads.add(start(threading.current_thread, "next").result(60))
    (thread,) = threads
    monkeypatch.setattr(flight, "IDLE_SECONDS", 0.01)
    wait_until(lambda: flight._idle, 60, "the thread does not wait for work")
    start(int, "last").result(60)
    thread.join(60)
    assert not thread.is_alive()
    assert not flight._idle


def test_no_work_waits_for_other_work() -> None:
    works = [Work() for _ in range(20)]
    futures = [start(work, "beside") for work in works]
    for work in works:
        assert work.begun.wait(60)
        work.go.set()
    assert [future.result(60) for future in futures] == [1] * 20


def _named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]
