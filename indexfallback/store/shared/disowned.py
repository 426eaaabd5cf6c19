"""Names that a user has disowned: the ownership that was known until then does not count.

A shim that knows such an owner forgets it, and does not write it into the bucket again. A name that
its index lists or serves later is owned again.
"""

import time

import msgspec

from indexfallback.store import Store
from indexfallback.store.shared import keys
from indexfallback.store.shared.link import Link

#: Of more names, only the first so many are read, in the order of their keys: ten requests.
MOST = 10_000
#: Before any time.
_NEVER = float("-inf")


class _Object(msgspec.Struct):
    until: float


class SharedDisowned:
    """What was disowned, in the bucket and, as it was last read, in memory."""

    def __init__(self, link: Link, store: Store, private: tuple[str, ...]) -> None:
        self._link = link
        self._store = store
        self._private = private
        #: Key to the version of an object that was read, and its time.
        self._known: dict[str, tuple[str, float]] = {}

    def record(self, source: str, project: str | None) -> None:
        """Record that an index does not own a name any more, or none of its names.

        Raises `BucketUnavailableError`.
        """
        content = msgspec.json.encode(_Object(time.time()))
        self._link.put_now(keys.disowned(source, project), content)

    def until(self, source: str, project: str) -> float:
        """Return the time up to which an ownership does not count."""
        of = (keys.disowned(source, project), keys.disowned(source, None))
        known = self._known  # another thread replaces it
        return max(known[key][1] if key in known else _NEVER for key in of)

    def poll(self) -> bool:
        """Forget here what was disowned elsewhere; return whether there was anything new.

        Raises `StoreFault` if it cannot be forgotten now.
        """
        if not self._private:
            return False
        answer, listed = self._link.list(keys.DISOWNED, MOST)
        if not answer.is_found:
            return False
        sources = {keys.disowned(source, "").rpartition("/")[0]: source for source in self._private}
        before, known = self._known, dict[str, tuple[str, float]]()
        for entry in listed:
            folder, _, project = entry.key.rpartition("/")
            if folder not in sources:
                continue
            read = before.get(entry.key)
            if read is None or read[0] != entry.etag:
                until = self._read(entry.key)
                if until is None:
                    continue
                self._forget(sources[folder], None if project == keys.ALL else project, until)
                read = entry.etag, until
            known[entry.key] = read
        self._known = known
        return known != before

    def _read(self, key: str) -> float | None:
        answer = self._link.get(key, most=1024)
        if not answer.is_found:
            return None
        try:
            until = msgspec.json.decode(answer.data, type=_Object).until
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # ownership is never undone by something that cannot be read
        # A shim whose clock is ahead does not void what is learnt later.
        return min(until, time.time())

    def _forget(self, source: str, project: str | None, until: float) -> None:
        if not self._store.ledger.hand_on(source, project, until):
            return
        if project is None:
            self._store.pages.remove_all(source)
        else:
            self._store.pages.remove(project, source)
