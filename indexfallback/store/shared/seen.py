"""When any shim has first seen files, in the bucket: what decides the cooldown of undated files.

The record of a project is one object, which each shim joins with its own by `first_seen.merged`.
The result does not depend on the order in which shims write. A shim that could not ask the bucket
at a first page has the times of the others as soon as it can.
"""

from indexfallback.memory.table import Table
from indexfallback.store.first_seen import FirstSeen, Seen, is_sound
from indexfallback.store.shared import keys
from indexfallback.store.shared.answers import Answer, Outcome
from indexfallback.store.shared.link import Link
from indexfallback.store.shared.packing import packed, unpacked


class SharedSeen:
    """The records of the bucket."""

    def __init__(self, link: Link, first_seen: FirstSeen) -> None:
        self._link = link
        self._first_seen = first_seen
        #: The index and the project of those that the bucket has told since the start.
        self._asked: Table[tuple[str, str], None] = Table("store.shared.seen.SharedSeen._asked")

    def fetch(self, source: str, project: str, *, again: bool) -> Seen | None:
        """Return the record of a project, as `store.first_seen.SeenSharing.first_seen` says."""
        if not again and (source, project) in self._asked:
            return None
        answer = self._link.get(keys.seen(source, project))
        if answer.outcome not in (Outcome.FOUND, Outcome.ABSENT):
            return None
        self._asked.put((source, project), None)
        return _record(answer.data if answer.is_found else None)

    def share(self, source: str, project: str) -> Answer:
        """Join the record of the bucket with the one here; `EXISTS` if it says nothing new."""

        def joined(data: bytes | None) -> bytes | None:
            there = _record(data)
            own = self._first_seen.learn(source, project, there)
            return packed(own) if own != there else None

        return self._link.update(keys.seen(source, project), joined)


def _record(data: bytes | None) -> Seen:
    """Return the record of an object, empty if there is none or it is damaged: written anew."""
    found = unpacked(data, dict[str, float])
    return found if found is not None and is_sound(found) else {}
