"""The queue of what is written to a bucket in the background."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from indexfallback.store.shared import queue
from indexfallback.store.shared.queue import AT_ONCE, TRIES, Job, WriteQueue
from tests.serving import wait_until

WAIT = 10.0


@pytest.fixture
def made() -> Iterator[Callable[..., WriteQueue]]:
    every: list[WriteQueue] = []

    def make(run: Callable[[Job], bool], **values: Any) -> WriteQueue:
        every.append(WriteQueue(run, **values))
        return every[-1]

    yield make
    for each in every:
        each.close()


class Gate:
    """A job that waits until it may end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun: list[Job] = []

    def __call__(self, job: Job) -> bool:
        self.begun.append(job)
        return self.may_end.wait(WAIT)


def test_jobs_are_run_in_the_background(made: Callable[..., WriteQueue]) -> None:
    done: list[Job] = []

    def run(job: Job) -> bool:
        done.append(job)
        return True

    jobs = made(run)
    jobs.add("file", "1")
    jobs.add("page", "a", "b")
    assert jobs.drain(WAIT)
    assert sorted(done) == [("file", "1"), ("page", "a", "b")]


def test_few_are_run_at_once(made: Callable[..., WriteQueue]) -> None:
    gate = Gate()
    jobs = made(gate)
    for number in range(3 * AT_ONCE):
        jobs.add("file", str(number))
    wait_until(lambda: len(gate.begun) == AT_ONCE, 5, "they were not begun")
    assert len(jobs) == 3 * AT_ONCE
    gate.may_end.set()
    assert jobs.drain(WAIT)


def test_a_job_that_waits_is_not_added_twice(made: Callable[..., WriteQueue]) -> None:
    gate = Gate()
    jobs = made(gate)
    for number in range(AT_ONCE):
        jobs.add("file", str(number))
    wait_until(lambda: len(gate.begun) == AT_ONCE, 5, "they were not begun")
    for _ in range(3):
        jobs.add("page", "a", "b")
    assert len(jobs) == AT_ONCE + 1
    gate.may_end.set()
    assert jobs.drain(WAIT)


def test_a_full_queue_drops_and_counts(made: Callable[..., WriteQueue]) -> None:
    gate = Gate()
    jobs = made(gate, most=2)
    for number in range(AT_ONCE):
        jobs.add("file", str(number))
        wait_until(lambda: len(gate.begun) > number, 5, "it was not begun")  # noqa: B023
    for number in range(5):
        jobs.add("page", "a", str(number))
    assert jobs.dropped == 3
    gate.may_end.set()


def test_what_cannot_be_done_now_waits_for_the_end_of_the_pause(
    made: Callable[..., WriteQueue],
) -> None:
    tried: list[Job] = []
    is_up = threading.Event()

    def run(job: Job) -> bool:
        tried.append(job)
        return is_up.is_set()

    jobs = made(run)
    jobs.add("file", "1")
    wait_until(lambda: tried, 5, "it was not tried")
    jobs.add("file", "2")
    is_up.set()
    jobs.resume()
    assert jobs.drain(WAIT)
    assert (len(tried), jobs.dropped) == (3, 0)


def test_what_fails_too_often_is_dropped(
    made: Callable[..., WriteQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAUSE_SECONDS", 0.0)
    tried: list[Job] = []

    def run(job: Job) -> bool:
        tried.append(job)
        return False

    jobs = made(run)
    jobs.add("file", "1")
    assert jobs.drain(WAIT)
    assert (len(tried), jobs.dropped) == (TRIES, 1)


def test_while_the_bucket_takes_nothing_a_job_waits_however_often_it_is_tried(
    made: Callable[..., WriteQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAUSE_SECONDS", 0.0)
    tried: list[Job] = []

    def run(job: Job) -> bool:
        tried.append(job)
        return len(tried) > 2 * TRIES

    jobs = made(run, takes_writes=lambda: len(tried) > 2 * TRIES)
    jobs.add("file", "1")
    assert jobs.drain(WAIT)
    assert (len(tried), jobs.dropped) == (2 * TRIES + 1, 0)


def test_a_defect_does_not_stop_the_others(
    made: Callable[..., WriteQueue], caplog: pytest.LogCaptureFixture
) -> None:
    done: list[Job] = []

    def run(job: Job) -> bool:
        if job == ("file", "bad"):
            raise ZeroDivisionError
        done.append(job)
        return True

    jobs = made(run)
    jobs.add("file", "bad")
    jobs.add("file", "good")
    assert jobs.drain(WAIT)
    assert done == [("file", "good")]
    assert "cannot share file bad" in caplog.text


def test_a_closed_queue_takes_nothing(made: Callable[..., WriteQueue]) -> None:
    jobs = made(lambda _job: True)
    jobs.add("file", "1")
    jobs.close()
    jobs.add("file", "2")
    assert len(jobs) == 0
