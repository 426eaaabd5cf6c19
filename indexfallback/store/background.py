"""Work in the background of a store: one thread at a time, which ends with the store.

Locks: ``Background._lock`` guards ``_running``; the work does not hold it.
"""

import threading
from collections.abc import Callable

from indexfallback.store.best_effort import best_effort


class Background:
    """Does one kind of work when it is started; an error is logged."""

    def __init__(self, name: str, what: str, work: Callable[[], object]) -> None:
        """``name`` is that of the thread; ``what`` follows "cannot" in the log."""
        self._name, self._what, self._work = name, what, work
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None
        #: Set when the work under way is to end.
        self.closing = threading.Event()

    @property
    def is_running(self) -> bool:
        """Whether the work is under way."""
        return self._running is not None

    def start(self) -> None:
        """Start, unless it is under way or closed."""
        with self._lock:
            if self._running is not None or self.closing.is_set():
                return
            self._running = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._running.start()

    def close(self) -> None:
        """End the work, and wait for its end."""
        self.closing.set()
        with self._lock:
            running = self._running
        if running is not None:
            running.join()

    def _run(self) -> None:
        try:
            with best_effort(self._what):
                self._work()
        finally:  # else an error of ours would end this work for good
            with self._lock:
                self._running = None
