"""Threads that are there while there is something to do."""

import threading

import pytest

from indexfallback.files import workers
from indexfallback.files.workers import Workers
from tests.serving import wait_until


class Work:
    """Work that waits to be let go, and notes how much of it is done at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.go = threading.Event()
        self.begun: list[int] = []
        self.done: list[int] = []

    def __call__(self, task: int) -> None:
        with self.lock:
            self.begun.append(task)
        assert self.go.wait(30)
        with self.lock:
            self.done.append(task)


@pytest.fixture
def work() -> Work:
    return Work()


def test_no_more_threads_are_started_than_allowed_and_all_tasks_are_done(work: Work) -> None:
    made = Workers(work, 3, "test-workers")
    for task in range(10):
        made.put(task)
    wait_until(lambda: len(work.begun) == 3, 10, "three tasks do not begin")
    assert made._threads == 3
    work.go.set()
    wait_until(lambda: len(work.done) == 10, 10, "the tasks are not done")
    assert sorted(work.done) == list(range(10))
    made.close()


def test_a_thread_takes_one_task_after_the_other(work: Work) -> None:
    made = Workers(work, 3, "test-workers")
    work.go.set()
    for task in range(5):
        made.put(task)
        wait_until(lambda: work.done and made._waiting, 10, "the thread does not wait")
        work.done.clear()
    assert made._threads == 1
    made.close()


def test_threads_end_when_there_is_nothing_to_do(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.01)
    made = Workers(work, 3, "test-workers")
    work.go.set()
    for task in range(5):
        made.put(task)
    wait_until(lambda: len(work.done) == 5 and not made._threads, 10, "a thread does not end")
    made.put(5)
    wait_until(lambda: len(work.done) == 6, 10, "no thread begins again")


def test_closed_workers_begin_nothing(work: Work) -> None:
    made = Workers(work, 1, "test-workers")
    for task in range(3):
        made.put(task)
    wait_until(lambda: work.begun, 10, "no task begins")
    made.close()
    made.put(3)
    work.go.set()
    wait_until(lambda: not made._threads, 10, "the thread does not end")
    assert work.done == [0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_of_one_task_stops_no_other() -> None:
    done = []

    def work(task: int) -> None:
        done.append(10 // task)

    made = Workers(work, 1, "test-workers")
    made.put(0)
    wait_until(lambda: not made._threads, 10, "the thread does not end")
    made.put(2)
    wait_until(lambda: done == [5], 10, "no other thread begins")
    made.close()
