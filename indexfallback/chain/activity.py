"""The activity of the shim: pages and files that it served, and failures with their causes.

It is kept in memory, is bounded, and feeds `status` and the last lines of `run`.

Locks: ``Activity._lock`` guards the clients and the counters.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from indexfallback.chain.decisions import REFUSED, Asked, Decisions
from indexfallback.chain.fetched_ahead import FetchedAhead
from indexfallback.errors import FileError, IndexFallbackError, ProjectError, Tried
from indexfallback.memory.table import Table

#: Clients remembered, and characters of a client's name.
_CLIENTS = 20
_NAME = 40
#: Withheld releases of a project that are remembered, the newest: as many as can be told of.
_RELEASES = 10


@dataclass(frozen=True)
class Served:
    """A project's latest page. ``when`` is seconds since the epoch."""

    when: float
    owner: str
    #: ``fresh``, ``ahead`` (fetched just before a client asked for it), ``asked``, ``stale``.
    how: str
    #: Seconds spent waiting for indexes.
    waited: float
    #: Why none of the files that it lists is offered; empty if some are.
    left_out: str = ""
    #: The newest releases that the cooldown of the index withholds, as `cooldown.as_json` has them.
    withheld: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Failure:
    """What could not be served. ``when`` is seconds since the epoch."""

    when: float
    #: A project or a file name.
    what: str
    status: int
    #: What kind of failure it is: ``File withheld``.
    title: str
    message: str
    #: The parts of the message: why, and what to do.
    cause: str = ""
    remedy: str = ""
    #: Index by index, in the order in which they were asked.
    tried: tuple[Tried, ...] = ()
    #: The private index that the project belongs to, where no other one may answer.
    owner: str = ""


class Activity:
    """Counters and the latest events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.time()
        self._served: Table[str, Served] = Table("chain.activity.Activity._served")
        self._failures: Table[str, Failure] = Table("chain.activity.Activity._failures")
        self._clients: OrderedDict[str, float] = OrderedDict()
        self._cached_bytes = 0
        self._fetched_bytes = 0
        self.ahead = FetchedAhead()
        self.decisions = Decisions()

    def served(self, project: str, owner: str, how: str, waited: float, left_out: str = "") -> str:
        """Note that a project's page was served, and return how: perhaps it was fetched ahead."""
        if self.ahead.claim(project) and how == "fresh":
            how = "ahead"
        before = self._served.get(project)
        withheld = before.withheld if before is not None else ()
        served = Served(time.time(), owner, how, waited, left_out, withheld)
        self._served.put(project, served)
        self._failures.remove(project)
        return how

    def withheld(self, project: str, releases: Sequence[dict[str, Any]]) -> None:
        """Note which releases the page of a project that was just served did not offer yet."""
        served = self._served.get(project)
        if served is not None:
            told = tuple(releases[:_RELEASES])
            self._served.put(project, replace(served, withheld=told))

    def failed(self, what: str, error: IndexFallbackError) -> None:
        """Note that a project or file could not be served."""
        failure = Failure(time.time(), what, error.status, error.title, str(error))
        if isinstance(error, (ProjectError, FileError)):
            failure = replace(failure, cause=error.cause, remedy=error.remedy, owner=error.owner)
        if isinstance(error, ProjectError):
            failure = replace(failure, tried=error.tried)
        self._failures.put(what, failure)

    def refused(self, asked: Asked, error: IndexFallbackError) -> None:
        """Note that a request of a client got an error."""
        owner = error.owner if isinstance(error, (ProjectError, FileError)) else ""
        self.decisions.add(asked, owner, REFUSED, error)
        self.client(asked.client)

    def client(self, name: str) -> None:
        """Note that a client was here, by its `client_name`."""
        with self._lock:
            self._clients[name] = time.time()
            self._clients.move_to_end(name)
            if len(self._clients) > _CLIENTS:
                self._clients.popitem(last=False)

    def sent(self, file: Hashable, size: int, *, cached: bool) -> bool:
        """Note that ``size`` bytes of a file are sent, from the store or from an index.

        Returns whether they are from the store: not so if they were fetched ahead for this.
        """
        cached = not self.ahead.claim(file) and cached
        with self._lock:
            if cached:
                self._cached_bytes += size
            else:
                self._fetched_bytes += size
        return cached

    def owners(self, since: float) -> dict[str, str]:
        """Return the name of the index that each project came from since a time."""
        return {name: s.owner for name, s in self._served.items() if s.when >= since}

    def report(self, since: float = 0.0) -> dict[str, object]:
        """Return what happened since a time, as JSON has it."""
        served = {n: asdict(s) for n, s in self._served.items() if s.when >= since}
        failures = [asdict(f) for _, f in self._failures.items() if f.when >= since]
        with self._lock:
            clients = dict(self._clients)
            cached, fetched = self._cached_bytes, self._fetched_bytes
        return {
            "started": self._started,
            "projects": served,
            "failures": failures,
            # The newest first.
            "decisions": [decision._asdict() for decision in self.decisions.since(since)],
            "clients": clients,
            "bytes": {"cached": cached, "fetched": fetched},
            "ahead": self.ahead.report(),
        }


def client_name(user_agent: str | None) -> str:
    """Return name and version of a client: ``pip/26.3`` of ``pip/26.3 {...}``."""
    return (user_agent or "").partition(" ")[0][:_NAME]
