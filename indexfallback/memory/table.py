"""A table in memory, bounded by bytes with its keys; the least recently used entry goes first.

Locks: ``Table._lock`` guards everything; the costs of entries are reckoned outside it.
"""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum
from typing import Generic, TypeVar

from indexfallback.memory.bounds import TABLES

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: Bytes of an entry beside key and value: two references, a hash, and the links of the order.
OVERHEAD = 200


def weight(*values: object) -> int:
    """Return about how many bytes values take, with what they hold; what is shared counts twice.

    It knows strings, numbers, collections and dataclasses.
    """
    size, todo = 0, list(values)
    while todo:
        value = todo.pop()
        if value is None or isinstance(value, (bool, Enum)):
            continue
        size += sys.getsizeof(value)
        if isinstance(value, dict):
            todo += (*value.keys(), *value.values())
        elif isinstance(value, (tuple, list, set, frozenset)):
            todo += value
        elif hasattr(value, "__dict__"):
            todo.append(vars(value))
    return size


class Table(Generic[K, V]):
    """The entries used most recently."""

    def __init__(
        self, name: str, cost: Callable[[K, V], int] = weight, *, most: int | None = None
    ) -> None:
        """Hold at most the bytes that `bounds.TABLES` has for ``name``, or ``most``.

        ``cost`` returns the bytes of a key and its value.
        """
        self._most = TABLES[name] if most is None else most
        self._cost = cost
        self._lock = threading.Lock()
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._size = 0

    def get(self, key: K) -> V | None:
        """Return the value of a key, which is now the latest one used; None if it is not there."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: K, value: V) -> bool:
        """Add or replace an entry, and tell whether its key is new.

        One that is larger than the whole table may be is not kept.
        """
        cost = self._cost(key, value) + OVERHEAD
        with self._lock:
            is_new = key not in self._entries
            self._remove(key)
            if cost > self._most:
                return is_new
            self._entries[key] = value, cost
            self._size += cost
            while self._size > self._most:
                _, (_, freed) = self._entries.popitem(last=False)
                self._size -= freed
        return is_new

    def remove(self, key: K) -> None:
        """Remove an entry, if it is there."""
        with self._lock:
            self._remove(key)

    def _remove(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry[1]

    def remove_all(self, which: Callable[[K], bool]) -> None:
        """Remove the entries whose keys ``which`` chooses."""
        with self._lock:
            for key in [key for key in self._entries if which(key)]:
                self._remove(key)

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._entries.clear()
            self._size = 0

    def items(self) -> list[tuple[K, V]]:
        """Return all entries, the least recently used first."""
        with self._lock:
            return [(key, value) for key, (value, _) in self._entries.items()]

    def __contains__(self, key: K) -> bool:
        """Tell whether a key is there, without using it."""
        return key in self._entries  # one step

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes of all entries."""
        return self._size
