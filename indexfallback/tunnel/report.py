"""What a tunnel did for a command: counted while it runs, reported as one line of JSON.

Locks: ``Activity._lock`` guards all its tables.
"""

import threading
from collections import OrderedDict
from typing import TypeVar

import msgspec

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

#: Programs and origins that are remembered: a build system uses a handful.
_MOST = 1000


class Refusal(msgspec.Struct, frozen=True):
    """A program that does not trust the tunnel's certificate for an origin."""

    #: ``https://packages.example.com``.
    origin: str
    #: The User-Agent that it sent to the proxy; empty if it sent none.
    program: str
    #: Connections of it that were relayed past the shim afterwards.
    relayed: int = 0


class Report(msgspec.Struct, frozen=True):
    """What a tunnel did so far."""

    #: Connections to the proxy, with the password.
    connections: int = 0
    #: Connections to it without the password, or with a wrong one.
    strangers: int = 0
    #: Requests at the origins of the chain.
    requests: int = 0
    #: Those of them that the real host answered, since the shim left them to it.
    passed_on: int = 0
    #: Connections and requests to other hosts.
    relayed: int = 0
    #: Requests and connections that failed, because a host or the shim could not be asked.
    failed: int = 0
    #: Programs that do not trust the tunnel's certificate, at most 1,000.
    refusals: tuple[Refusal, ...] = ()


class Activity:
    """Counts what a tunnel does, and remembers which programs do not trust its certificate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        #: Fingerprints of programs that have accepted the certificate; the values mean nothing.
        self._trusting: OrderedDict[str, None] = OrderedDict()
        self._refusals: OrderedDict[tuple[str, str], Refusal] = OrderedDict()

    def count(self, what: str) -> None:
        """Add one to a number of the report."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + 1

    def accepted(self, fingerprint: str) -> None:
        """Remember that a program has accepted the certificate."""
        with self._lock:
            _put(self._trusting, fingerprint, None)

    def refused(self, origin: str, fingerprint: str, program: str, *, said_so: bool) -> None:
        """Remember that a program has refused the certificate for an origin.

        ``said_so`` is False if it only closed the connection, as a program that trusts the
        certificate does as well when it is interrupted.
        """
        key = origin, fingerprint
        with self._lock:
            if key not in self._refusals and (said_so or fingerprint not in self._trusting):
                _put(self._refusals, key, Refusal(origin, program))

    def goes_past(self, origin: str, fingerprint: str) -> bool:
        """Tell whether a program has refused the certificate for an origin; count it if so."""
        with self._lock:
            refusal = self._refusals.get((origin, fingerprint))
            if refusal is None:
                return False
            self._refusals[origin, fingerprint] = msgspec.structs.replace(
                refusal, relayed=refusal.relayed + 1
            )
            return True

    def report(self) -> Report:
        """Return what was counted so far."""
        with self._lock:
            return Report(**self._counts, refusals=tuple(self._refusals.values()))


def _put(table: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(table) >= _MOST and key not in table:
        table.popitem(last=False)
    table[key] = value
