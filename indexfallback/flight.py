"""Waiting: for the same work done once for many, and for work that may never end.

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
        """Return what ``work`` returns or raises, done by this or by another caller.

        Raises TimeoutError if another caller has not finished within ``seconds``.
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
    """Begin ``work`` in a thread of its own, and return what it will return or raise.

    A caller that waits no longer leaves the thread to its own, shorter limits; it is a daemon,
    since a name look-up cannot be interrupted.
    """
    result: Future[V] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            result.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return result


def run_within(work: Callable[[], V], seconds: float, name: str) -> V:
    """Return what ``work`` returns or raises, done in a thread of its own (`start`).

    Raises TimeoutError after ``seconds``.
    """
    return _result(start(work, name), seconds)


def _result(future: Future[V], seconds: float) -> V:
    try:
        return future.result(timeout=max(seconds, 0.0))
    except FutureTimeoutError as error:  # another class than TimeoutError before Python 3.11
        raise TimeoutError(*error.args) from error
