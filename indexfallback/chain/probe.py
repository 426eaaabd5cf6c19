"""Background probes: whether a skipped index is back, and whether an idle one still answers.

Without clients there are no probes and no thread. Each probe has a thread of its own, because an
index that hangs must not delay the probes of the others. The prober owns the threads:
`Prober.close` ends the loop, and each probe ends by its limits.

Locks: ``_changed`` guards ``_thread``, ``_client`` and ``_closed``.
"""

import logging
import threading
import time

from indexfallback.chain.heartbeat import INTERVAL
from indexfallback.chain.members import Member, Members
from indexfallback.config import Settings
from indexfallback.process.machine import fault_of
from indexfallback.store import Store, StoreFault
from indexfallback.upstream.answers import Limits

log = logging.getLogger("indexfallback")

#: An index without a request for this long is probed, seconds.
IDLE_SECONDS = 60.0
#: Without a client for this long, nothing is probed, seconds.
CLIENT_SECONDS = 600.0
#: The loop looks for due probes, and beats, this often, seconds.
_LOOK_SECONDS = INTERVAL
#: The page that every copy of the public index has; its root would be 40 MB.
_PUBLIC_PROJECT = "pip"


class Prober:
    """Probes the indexes of a chain while there are clients."""

    def __init__(self, members: Members, store: Store, settings: Settings) -> None:
        self._members = members
        self._store = store
        self._settings = settings
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._client = float("-inf")
        self._closed = False

    def wake(self) -> None:
        """Note that a client was here."""
        with self._changed:
            self._client = time.monotonic()
            if self._thread is None and not self._closed:
                thread = threading.Thread(target=self._run, name="prober", daemon=True)
                thread.start()  # first: one that cannot be started is no prober
                self._thread = thread

    def close(self) -> None:
        """Stop probing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _start_probe(self, member: Member) -> None:
        name = f"probe-{member.index.name}"
        try:
            threading.Thread(target=self._probe, args=(member,), name=name, daemon=True).start()
        except RuntimeError as error:  # no thread is left: the next probe tries again
            log.warning("%s: %s", name, fault_of(error) or error)

    def _run(self) -> None:
        while True:
            now = time.monotonic()
            with self._changed:
                if self._closed or now - self._client > CLIENT_SECONDS:
                    self._thread = None
                    self._members.heartbeat.stop()
                    return
            self._members.heartbeat.beat(now, time.time())
            for member in self._members:
                if member.begin_probe(now, IDLE_SECONDS, self._seconds(member)):
                    self._start_probe(member)
            with self._changed:
                self._changed.wait_for(lambda: self._closed, _LOOK_SECONDS)

    def _seconds(self, member: Member) -> float:
        """Return how long a probe may take, seconds: as long as a client's request."""
        return self._settings.deadline + member.index.read_timeout

    def _probe(self, member: Member) -> None:
        limits = Limits(time.monotonic() + self._seconds(member), self._settings.page_size)
        project = self._project(member)
        if project is None:
            member.learn(member.upstream.names(limits).outcome)
        else:
            member.learn(member.upstream.page(project, limits, None, None).outcome, project)

    def _project(self, member: Member) -> str | None:
        """Return the project whose page to ask for, None for the root."""
        index = member.index
        if index.probe is not None:
            return index.probe
        try:
            served = self._store.pages.latest(index.key)
        except StoreFault:  # the disk's failure is logged elsewhere; the root will do
            served = None
        return served or (None if index.is_private else _PUBLIC_PROJECT)
