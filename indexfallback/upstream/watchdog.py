"""Timers that share one thread; with `threading.Timer`, each request would start its own.

Locks: ``_changed`` guards everything; actions run outside it.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable

#: The thread ends after this long without a timer, seconds.
_IDLE_SECONDS = 10.0


class Watchdog:
    """Runs each action after its time, unless it is cancelled before."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._order: list[tuple[float, int]] = []
        self._actions: dict[int, Callable[[], None]] = {}
        self._thread: threading.Thread | None = None

    def watch(self, seconds: float, action: Callable[[], None]) -> int:
        """Run ``action``, which must be quick, in ``seconds``; return a number for `cancel`."""
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                thread.start()
                self._thread = thread
            number = next(self._numbers)
            self._actions[number] = action
            heapq.heappush(self._order, (time.monotonic() + seconds, number))
            if self._order[0][1] == number:
                self._changed.notify()
        return number

    def cancel(self, number: int) -> None:
        """Cancel an action that has not begun."""
        with self._changed:
            self._actions.pop(number, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                action = self._next()
                if action is None:
                    self._thread = None
                    return
            action()

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next action that is due; None after a long idle time."""
        while True:
            while self._order and self._order[0][1] not in self._actions:
                heapq.heappop(self._order)  # cancelled
            if not self._order:
                if not self._changed.wait_for(lambda: self._order, _IDLE_SECONDS):
                    return None
                continue
            left = self._order[0][0] - time.monotonic()
            if left <= 0:
                return self._actions.pop(heapq.heappop(self._order)[1])
            self._changed.wait(left)
