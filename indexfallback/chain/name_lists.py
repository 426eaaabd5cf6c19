"""The lists of names of private indexes, fetched into the ledger in the background.

Locks: ``NameLists._lock`` guards ``_looked``; each list is fetched by a thread of its own, which
ends with the index's own limits.
"""

import logging
import threading
import time

from indexfallback.chain.members import Member, Members
from indexfallback.config import Index, Settings
from indexfallback.outcome import Kind
from indexfallback.store import Store, best_effort
from indexfallback.upstream.answers import Limits

log = logging.getLogger("indexfallback")

#: A list is refreshed each hour, used for a week, and after a day with a warning; seconds.
LIST_REFRESH = 3600.0
LIST_WARN = 86400.0
LIST_USE = 7 * 86400.0
#: A list is checked this often, seconds; also the wait after a failure.
_LOOK_SECONDS = 60.0


class NameLists:
    """Refreshes the lists of names while there are clients."""

    def __init__(self, settings: Settings, store: Store, members: Members) -> None:
        self._settings = settings
        self._store = store
        self._members = members
        self._lock = threading.Lock()
        self._looked: dict[str, float] = {}

    def refresh(self) -> None:
        """Fetch the lists that are due, in the background. It is cheap: each walk calls it."""
        now = time.monotonic()
        for member in self._members:
            # What `only` names is the list of such an index.
            if not member.index.is_private or member.index.only or member.held(now):
                continue
            name = member.index.name
            with self._lock:
                looked = self._looked.get(name)
                if looked is not None and now - looked < _LOOK_SECONDS:
                    continue
                self._looked[name] = now
            threading.Thread(
                target=self._fetch, args=(member,), name=f"names-{name}", daemon=True
            ).start()

    def is_known(self, index: Index, now: float) -> bool:
        """Tell whether it is known which names a private index has; ``now`` is since the epoch."""
        if index.projects or index.only:
            return True
        known = self._store.ledger.name_list(index.key)
        return known is not None and now - known.fetched < LIST_USE

    def _fetch(self, member: Member) -> None:
        index = member.index
        with best_effort(f"store the list of names of {index.name}"):
            self._store.ledger.write_list(index.key)  # an earlier list may wait for the disk
            known = self._store.ledger.name_list(index.key)
            age = time.time() - known.fetched if known is not None else LIST_USE
            if 0 <= age < LIST_REFRESH:
                return
            ends = time.monotonic() + self._settings.deadline + index.read_timeout
            answer = member.upstream.names(Limits(ends, self._settings.page_size))
            if answer.outcome.kind is Kind.FOUND and answer.names:
                self._store.ledger.record_list(index.key, answer.names)
            elif age >= LIST_WARN:
                is_empty = answer.outcome.kind is Kind.FOUND
                log.warning(
                    "%s: its list of names could not be fetched (%s), and %s",
                    index.name,
                    "it is empty, which tells nothing" if is_empty else answer.outcome,
                    "none is known: set projects for it, so that an outage does not stop the rest"
                    if known is None
                    else f"the one of {age / 86400:.0f} days ago is used for a week at most",
                )
