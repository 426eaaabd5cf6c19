"""Long loops in pieces, with pauses in which other threads run.

A thread that computes passes Python's lock (the GIL) on after 5 ms, each time that another thread
asks for it. A request asks for it some thirty times, before and after each read of the database:
beside one loop without a pause it takes 150 ms.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

#: Names or records handled without a pause: a few ms of work.
PIECE = 2000
#: Seconds: most requests need less than that of the processor.
PAUSE = 0.001


def with_pauses(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, with a pause between two."""
    for number, item in enumerate(items):
        if number:
            time.sleep(PAUSE)
        yield item


def in_pieces(items: Iterable[T], size: int = PIECE) -> Iterator[list[T]]:
    """Yield lists of ``size`` items, the last of fewer, with a pause between two."""
    return with_pauses(_pieces(items, size))


def _pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
