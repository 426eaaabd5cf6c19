"""Work that is shared by many callers, and work that is waited for with a deadline.

Locks: ``SingleFlight._lock`` guards ``_flights``; the work runs outside it.
"""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


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
    """Start ``work`` in a thread of its own, and return the future of its result.

    The thread ends by the limits of ``work``, also if the caller waits no longer. It is a daemon,
    since a name look-up cannot be interrupted.
    """
    result: Future[V] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            result.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return result


def run_within(work: Callable[[], V], seconds: float, name: str) -> V:
    """Return the result of ``work``, or raise its error; it runs in a thread of its own.

    Raises TimeoutError after ``seconds``.
    """
    return _result(start(work, name), seconds)


def _result(future: Future[V], seconds: float) -> V:
    try:
        return future.result(timeout=max(seconds, 0.0))
    except FutureTimeoutError as error:  # another class than TimeoutError before Python 3.11
        raise TimeoutError(*error.args) from error
