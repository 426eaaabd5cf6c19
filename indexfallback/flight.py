"""Work that is shared by many callers, and work that is waited for with a deadline.

Locks: ``SingleFlight._lock`` guards ``_flights``; the work runs outside it.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Runs work once for all callers that ask for the same key at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[K, Future[V]] = {}

    def run(self, key: K, work: Callable[[], V], seconds: float) -> V:
        """Return the result of ``work``, or raise its error; this or another caller runs it.

        Raises TimeoutError if another caller does not finish within ``seconds``.
        """
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not leads:
            return _result(flight, seconds)
        try:
            flight.set_result(work())
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._flights[key]
        return flight.result()


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
