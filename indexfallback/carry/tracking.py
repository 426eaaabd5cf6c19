"""How long work is followed: whoever starts it may show how far it is."""

from collections.abc import Iterable
from typing import Any, Protocol


class Track(Protocol):
    """Passes items on, one by one, and shows how far it is."""

    def __call__(self, items: Iterable[Any], description: str, total: int) -> Iterable[Any]:
        """Pass on ``items``, of which there are ``total``."""
        ...


def untracked(items: Iterable[Any], description: str, total: int) -> Iterable[Any]:  # noqa: ARG001 - those of `Track`
    """Pass items on and show nothing."""
    return items
