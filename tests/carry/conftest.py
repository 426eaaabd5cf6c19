"""A store that has something, one that has nothing, and an archive of the first."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from indexfallback.store import Store
from tests.buildout.conftest import environment, make, project, public
from tests.carry.support import LIMIT, fill, write
from tests.cli.conftest import cli
from tests.clients.conftest import access, environments, user
from tests.clients.setup.conftest import programs

#: Fixtures of others.
__all__ = [
    "access",
    "cli",
    "environment",
    "environments",
    "make",
    "programs",
    "project",
    "public",
    "user",
]


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Return a factory of stores, by the name of their directory."""
    with ExitStack() as stack:

        def make(name: str, limit: int = LIMIT) -> Store:
            store = Store(tmp_path / name, limit)
            stack.callback(store.close)
            return store

        yield make


@pytest.fixture
def full(new_store: Callable[..., Store]) -> Store:
    store = new_store("full")
    fill(store)
    return store


@pytest.fixture
def empty(new_store: Callable[..., Store]) -> Store:
    return new_store("empty")


@pytest.fixture
def archive(full: Store, tmp_path: Path) -> Path:
    path = tmp_path / "packages.tar"
    write(full, path)
    return path
