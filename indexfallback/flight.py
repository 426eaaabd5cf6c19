"""Work that is shared by many callers, and work that is waited for with a deadline.

Locks: ``SingleFlight._lock`` guards ``_flights``; the work runs outside it. ``_idle`` needs none:
each of its methods that is used is atomic.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: A thread without work ends after this long, seconds.
IDLE_SECONDS = 10.0

_Work = Callable[[], None]
#: The threads without work, and where each waits for some; the latest is used first.
_idle: deque[tuple[threading.Thread, "queue.SimpleQueue[_Work]"]] = deque()


class SingleFlight(Generic[K, V]):
    """Runs work once for all callers that ask for the same key at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[K, Future[V]] = {}

    def run(self, key: K, work: Callable[[], V], seconds: float, *, anew: bool = False) -> V:
        """Return the result of ``work``, or raise its error; this or another caller runs it.

        With ``anew`` the caller shares only work that begins after this call: it waits for the end
        of what is under way. Raises TimeoutError if other callers do not finish within ``seconds``.
        """
        ends = time.monotonic() + seconds
        if anew:
            self._wait_for_earlier(key, seconds)
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not leads:
            return _result(flight, ends - time.monotonic())
        try:
            result = self._run_alone(key, work)
        except BaseException as error:
            flight.set_exception(error)
            raise
        flight.set_result(result)
        return result

    def _wait_for_earlier(self, key: K, seconds: float) -> None:
        with self._lock:
            earlier = self._flights.get(key)
        if earlier is not None and not wait([earlier], seconds).done:
            raise TimeoutError

    def _run_alone(self, key: K, work: Callable[[], V]) -> V:
        try:
            return work()
        finally:
            # Before its end is told: who has waited for it must not share it.
            with self._lock:
                del self._flights[key]

    def join(self, key: K, seconds: float) -> V | None:
        """Return the result of work that another caller runs, or raise its error; None without it.

        Raises TimeoutError if it does not finish within ``seconds``.
        """
        with self._lock:
            flight = self._flights.get(key)
        return _result(flight, seconds) if flight is not None else None


def start(work: Callable[[], V], name: str) -> Future[V]:
    """Run ``work`` as `in_thread` does, and return the future of its result."""
    result: Future[V] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            result.set_exception(error)

    in_thread(run, name)
    return result


def in_thread(work: _Work, name: str) -> None:
    """Run ``work`` in a thread that does nothing else.

    It must end by its own limits. The thread is a daemon, since a name look-up cannot be
    interrupted; afterwards it waits some seconds for more work, because a new one costs 0.1 ms.
    """
    try:
        thread, waiting = _idle.pop()
    except IndexError:
        threading.Thread(target=_serve, args=([work],), name=name, daemon=True).start()
    else:
        thread.name = name
        waiting.put(work)


def _serve(works: list[_Work]) -> None:
    """Do the only one of ``works``, then what comes, until nothing comes for a while."""
    thread = threading.current_thread()
    waiting: queue.SimpleQueue[_Work] = queue.SimpleQueue()
    mine = thread, waiting
    while works:
        works.pop()()
        thread.name = "idle"
        _idle.append(mine)
        try:
            works.append(waiting.get(timeout=IDLE_SECONDS))
        except queue.Empty:
            try:
                _idle.remove(mine)
            except ValueError:  # it has just been given work
                works.append(waiting.get())


def run_within(work: Callable[[], V], seconds: float, name: str) -> V:
    """Return the result of ``work``, or raise its error; it runs in another thread.

    Raises TimeoutError after ``seconds``.
    """
    return _result(start(work, name), seconds)


def _result(future: Future[V], seconds: float) -> V:
    try:
        return future.result(timeout=max(seconds, 0.0))
    except FutureTimeoutError as error:  # another class than TimeoutError before Python 3.11
        raise TimeoutError(*error.args) from error
