"""Progress of exports and imports, which the caller may show."""

from collections.abc import Iterable
from typing import Any, Protocol


class Progress(Protocol):
    """Passes items on, one by one, and shows progress."""

    def __call__(self, items: Iterable[Any], description: str, total: int) -> Iterable[Any]:
        """Yield ``items``; ``total`` is their number."""
        ...


def no_progress(items: Iterable[Any], description: str, total: int) -> Iterable[Any]:  # noqa: ARG001 - those of `Progress`
    """Return the items and show nothing."""
    return items
