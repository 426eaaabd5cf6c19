"""Shims that share one bucket, each with a cache of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from indexfallback.config import Index
from indexfallback.shim import Shim
from indexfallback.store.shared.sharing import Sharing
from tests.conftest import MakeShim
from tests.fakes import FakeIndex
from tests.serving import wait_until

MakeCopy: TypeAlias = Callable[..., Shim]


def copies(shim: MakeShim, url: str, endpoint: str, directory: Path) -> MakeCopy:
    """Return a factory of shims on one bucket: the name of its cache, the indexes, settings."""

    def make(name: str, *indexes: Index | FakeIndex, is_ready: bool = True, **values: Any) -> Shim:
        made = shim(
            *indexes,
            **{
                "cache_dir": directory / name,
                "shared": url,
                "shared_endpoint": endpoint,
                "shared_timeout": 5.0,
                "read_ahead": False,
                **values,
            },
        )
        if is_ready:
            wait_until(lambda: sharing(made).link.abilities, 10, "the self-test did not end")
        return made

    return make


def sharing(shim: Shim) -> Sharing:
    """Return a shim's share in the bucket."""
    found = shim.store.shared
    assert isinstance(found, Sharing)
    return found


def drained(shim: Shim) -> Shim:
    """Wait until everything that a shim has stored is in the bucket."""
    wait_until(lambda: not shim.downloads._running, 10, "a transfer is under way")
    assert sharing(shim).queue.drain(30)
    return shim
