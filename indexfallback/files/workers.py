"""A few threads for many tasks: started when they are needed, ended when there is nothing to do.

Starting a thread for each task would take milliseconds on a busy machine.

Locks: ``Workers._changed`` guards everything here, and is notified of new tasks.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger("indexfallback")

T = TypeVar("T")

#: A thread without a task ends after this long, seconds.
IDLE_SECONDS = 10.0


class Workers(Generic[T]):
    """Threads that do one kind of work."""

    def __init__(
        self, work: Callable[[T], None], most: int, name: str, *, backlog: int | None = None
    ) -> None:
        """Call ``work`` with each task, in at most ``most`` threads.

        With a ``backlog``, a task that finds so many others waiting is not done.
        """
        self._work = work
        self._most = most
        self._name = name
        self._backlog = backlog
        self._changed = threading.Condition()
        self._tasks: deque[T] = deque()
        self._threads = 0
        self._waiting = 0
        self._closed = False

    def put(self, task: T) -> None:
        """Have a task done, as soon as a thread is free."""
        with self._changed:
            is_full = self._backlog is not None and len(self._tasks) >= self._backlog
            if self._closed or is_full:
                return
            self._tasks.append(task)
            if len(self._tasks) > self._waiting and self._threads < self._most:
                self._add_thread()
            self._changed.notify()

    def _add_thread(self) -> None:
        try:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        except RuntimeError as error:  # the machine has no thread left: the next task tries again
            log.warning("%s: %s", self._name, error)
        else:
            self._threads += 1

    def close(self) -> None:
        """Begin no task any more; what is under way ends by its own limits."""
        with self._changed:
            self._closed = True
            self._tasks.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                self._work(task)
            except BaseException:  # a defect: the thread ends, and another one takes its place
                with self._changed:
                    self._threads -= 1
                raise

    def _next(self) -> T | None:
        """Wait for a task; None if the thread is to end."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._tasks or self._closed, IDLE_SECONDS)
            self._waiting -= 1
            if self._tasks:
                return self._tasks.popleft()
            self._threads -= 1
            return None
