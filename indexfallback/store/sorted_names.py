"""A set of many names in order, in little memory: 890,000 take 15 MB.

As strings they take 100 MB, and each full run of the garbage collector stops all threads for 30 ms
to pass over them. To sort them at once stops all threads for half a second.
"""

import hashlib
import random
from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import chain

from indexfallback.process.pauses import in_pieces, with_pauses


class SortedNames:
    """Names without line breaks; made, and iterated, in pieces (`process.pauses`)."""

    def __init__(self, names: Iterable[str]) -> None:
        pieces = list(in_pieces(names))
        #: The first name that may be in each part but the first: some names, chosen at random, so
        #: that no order of the names makes a part much larger than the others.
        self._starts = sorted({random.choice(piece) for piece in pieces})  # noqa: S311 - no secret
        parts: list[list[str]] = [[] for _ in range(len(self._starts) + 1)]
        for piece in in_pieces(chain.from_iterable(pieces)):
            for name in piece:
                parts[bisect(self._starts, name)].append(name)
        #: The names of each part in order, with a line break before and after each.
        self._parts: list[str] = []
        self._size = 0
        for part in with_pauses(parts):
            ordered = sorted(set(part))
            self._size += len(ordered)
            self._parts.append("\n".join(("", *ordered, "")) if ordered else "\n")

    def __len__(self) -> int:
        return self._size

    def __contains__(self, name: str) -> bool:
        return f"\n{name}\n" in self._parts[bisect(self._starts, name)]

    def __iter__(self) -> Iterator[str]:
        for part in self._parts:
            yield from part[1:-1].split("\n") if len(part) > 1 else ()

    def digest(self) -> str:
        """Return a digest, which is the same for the same names."""
        digest = hashlib.sha256()
        for part in with_pauses(self._parts):
            digest.update(part[1:].encode())
        return digest.hexdigest()[:32]
