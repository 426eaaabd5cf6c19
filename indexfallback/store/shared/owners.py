"""Owners of names in the bucket: a mark for each project served, and a list of names an index.

The ledger is a union: nothing here is removed but by the user (`disowned`).
"""

import time
from collections.abc import Collection, Iterable
from functools import partial

import msgspec

from indexfallback.memory.table import Table
from indexfallback.store.ledger import Ledger
from indexfallback.store.ownership import OwnedName
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Answer, Outcome
from indexfallback.store.shared.disowned import SharedDisowned
from indexfallback.store.shared.link import Link
from indexfallback.store.shared.packing import packed, unpacked
from indexfallback.store.shared.unshared import Owner, Unshared

#: A project without a mark is not asked for again for so long, seconds: its index is asked in any
#: case, before the next one.
_ABSENT_SECONDS = 60.0
#: The list is not written again only to say that it was fetched anew, before it is this old,
#: seconds: every shim fetches it each hour.
_CONFIRM_SECONDS = 1800.0
#: A longer list is not shared, names: it is that of an index which passes on the public one's
#: names, and each shim reads it from the index. One of 200,000 is an object of 2.5 MB and takes
#: 75 MB of memory while it is joined; one of 890,000 would be 11 MB and take 300.
MOST_NAMES = 200_000


class _Mark(msgspec.Struct):
    served: float


class _Names(msgspec.Struct):
    #: When an index last gave its list, and when each name was first listed; since the epoch.
    fetched: float
    names: dict[str, float]


class SharedOwners:
    """The owners of the bucket."""

    def __init__(
        self, link: Link, ledger: Ledger, unshared: Unshared, disowned: SharedDisowned
    ) -> None:
        self._link = link
        self._ledger = ledger
        self._unshared = unshared
        self._disowned = disowned
        self._absent: Table[tuple[str, str], float] = Table(
            "store.shared.owners.SharedOwners._absent"
        )
        #: The version of the list of each index that is in the ledger.
        self._etags: dict[str, str] = {}

    def has_served(self, source: str, project: str) -> float | None:
        """Return since when an index has owned a project, as other shims know it, or None."""
        absent = self._absent.get((source, project))
        if absent is not None and time.monotonic() - absent < _ABSENT_SECONDS:
            return None
        answer = self._link.get(keys.marker(source, project), most=1024)
        if answer.outcome is Outcome.ABSENT:
            self._absent.put((source, project), time.monotonic())
        if not answer.is_found:
            return None
        served = _served(answer.data)
        if served <= self._disowned.until(source, project):
            self._absent.put((source, project), time.monotonic())
            return None
        return served

    def served(self, owner: Owner) -> None:
        """Mark a project as an index's; if that cannot be done now, later."""
        if self.mark(owner) is Outcome.UNREACHABLE and self._link.is_for_writing:
            self._unshared.add(owner)

    def mark(self, owner: Owner) -> Outcome:
        """Mark a project as an index's: `FOUND`, `EXISTS`, or `UNREACHABLE` if it cannot be now."""
        self._absent.remove((owner.source, owner.project))
        if not self._link.may_write:
            return Outcome.UNREACHABLE
        until = self._disowned.until(owner.source, owner.project)
        if owner.served <= until:
            return Outcome.FOUND
        mark = msgspec.json.encode(_Mark(owner.served))
        # A shim that did not know may have made one of before again.
        write = self._link.put if until > 0 else self._link.create
        answer = write(keys.marker(owner.source, owner.project), mark)
        is_there = answer.is_found or answer.outcome is Outcome.EXISTS
        return answer.outcome if is_there else Outcome.UNREACHABLE

    def poll_all(self, sources: Iterable[str]) -> None:
        """Learn which names were disowned, and which are listed."""
        if self._disowned.poll():
            self._etags.clear()
        for source in sources:
            self.poll(source)

    def poll(self, source: str) -> None:
        """Add the names of the bucket to the ledger, if its list has changed."""
        answer = self._link.get(keys.names(source), unless=self._etags.get(source, ""))
        found = unpacked(answer.data, _Names) if answer.is_found else None
        if found is not None:
            self._merge(source, found)
            self._etags[source] = answer.etag

    def _merge(self, source: str, found: _Names) -> None:
        listed = self._counting(source, found.names)
        names = (OwnedName(name, since, None) for name, since in sorted(listed.items()))
        self._ledger.merge(source, names, min(found.fetched, time.time()))

    def _counting(self, source: str, names: dict[str, float]) -> dict[str, float]:
        """Return the names that were not disowned since they were first listed."""
        until = self._disowned.until
        return {name: since for name, since in names.items() if since > until(source, name)}

    def share(self, source: str) -> Answer:
        """Add the names that are listed here to the list of the bucket; `EXISTS` if it has them."""
        listed = self._ledger.name_list(source)
        if listed is not None and listed.names > MOST_NAMES:
            return Answer(Outcome.EXISTS, cause=f"{source} lists more than {MOST_NAMES:,} names")
        return self._link.update(keys.names(source), lambda data: self._joined(source, data))

    def _joined(self, source: str, data: bytes | None) -> bytes | None:
        """Return the list of the bucket with the names here; None if that says nothing new."""
        there = unpacked(data, _Names) or _Names(0.0, {})
        listed = self._ledger.name_list(source)
        owned = self._ledger.owned(source)
        own = {name.project: name.listed for name in owned if name.listed is not None}
        own, others = self._counting(source, own), self._counting(source, there.names)
        fetched = max(there.fetched, listed.fetched if listed is not None else 0.0)
        is_late = fetched - there.fetched > _CONFIRM_SECONDS
        if not is_late and own.keys() <= others.keys():
            return None
        return packed(_Names(fetched, own | others))

    def forget(self, project: str, owning: Collection[str], private: Iterable[str]) -> None:
        """Disown a project: remove what the bucket has of its owners, and tell the other shims.

        ``owning`` are the owners that are known here. Raises `BucketUnavailableError`.
        """
        for source in {*owning, *private}:
            key = keys.marker(source, project)
            there = self._link.head(key)
            if there.outcome is not Outcome.ABSENT:
                self._link.remove([key])
            answer = self._link.update(keys.names(source), partial(_without, project))
            if not answer.is_found and answer.outcome is not Outcome.EXISTS:
                raise self._link.unavailable(answer)
            if source in owning or there.is_found or answer.is_found:
                self._disowned.record(source, project)

    def forget_all(self, source: str) -> None:
        """Disown all names of an index; raises `BucketUnavailableError`."""
        self._disowned.record(source, None)
        for folder in keys.folders(source):
            self._link.remove_below(folder)


def _served(data: bytes) -> float:
    try:
        return msgspec.json.decode(data, type=_Mark).served
    except (msgspec.DecodeError, UnicodeDecodeError):
        return time.time()  # the mark is there, and counts whatever it says


def _without(project: str, data: bytes | None) -> bytes | None:
    """Return a list without a name; None if the name is not there."""
    there = unpacked(data, _Names)
    if there is None or there.names.pop(project, None) is None:
        return None
    return packed(there)
