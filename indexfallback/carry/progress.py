"""Progress of exports and imports, which the caller may show."""

from collections.abc import Callable, Iterable
from typing import Any

#: Passes items on, one by one, and shows progress: by a description, and the number of items.
Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]


def no_progress(items: Iterable[Any], _description: str, _total: int) -> Iterable[Any]:
    """Return the items and show nothing."""
    return items
