"""Open upstreams of fake indexes and of directories."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from indexfallback.config import Index, Settings
from indexfallback.store import Store
from indexfallback.upstream.answers import Limits, PageAnswer
from indexfallback.upstream.directory import DirectoryIndex
from indexfallback.upstream.facts import Facts, FactsCache, Stamp
from indexfallback.upstream.http import HttpIndex
from tests.fakes import FakeIndex, flat_directory, sdist, wheel

OpenHttp: TypeAlias = Callable[..., HttpIndex]

#: Decoded bytes of a page in these tests.
PAGE_SIZE = 100_000


def within(seconds: float = 10.0) -> Limits:
    """Return the limits of an attempt that begins now."""
    return Limits(time.monotonic() + seconds, PAGE_SIZE)


def page(upstream: HttpIndex, seconds: float = 10.0) -> PageAnswer:
    return upstream.page("acme-app", within(seconds), None, None)


def misbehave(index: FakeIndex, how: str) -> None:
    """Let an index hang, or send its headers or its body in drops."""
    if how == "hang":
        index.hang()
    else:
        getattr(index, how)(5)


class CountingFacts:
    """Passes facts on to where they are kept, and counts what was put: each file that was read."""

    def __init__(self, kept: FactsCache) -> None:
        self.kept = kept
        self.read: list[str] = []

    def get(self, path: str, stamp: Stamp) -> Facts | None:
        return self.kept.get(path, stamp)

    def put(self, path: str, stamp: Stamp, facts: Facts) -> None:
        self.read.append(Path(path).name)
        self.kept.put(path, stamp, facts)


@pytest.fixture
def remote() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("acme-app")]) as index:
        yield index


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenHttp]:
    """Return a factory of open HTTP indexes: address or fake, then settings of the index."""
    with contextlib.ExitStack() as stack:

        def make(of: FakeIndex | str, *, ca_bundle: Path | None = None, **values: Any) -> HttpIndex:
            url = of if isinstance(of, str) else of.url
            index = Index(**{"name": "remote", "url": url, **values})
            settings = Settings(indexes=(index,), cache_dir=tmp_path, ca_bundle=ca_bundle)
            made = HttpIndex(index, settings)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def facts(store: Store) -> CountingFacts:
    return CountingFacts(store.local_files)


@pytest.fixture
def directory(facts: CountingFacts, tmp_path: Path) -> Callable[..., DirectoryIndex]:
    """Return a factory of directory indexes, all with the same memory of what was read."""

    def make(path: Path, kept: FactsCache = facts) -> DirectoryIndex:
        index = Index(name="wheels", url=path.as_uri() + "/")
        settings = Settings(indexes=(index,), cache_dir=tmp_path, page_size=100_000)
        return DirectoryIndex(index, settings, kept, HttpIndex(index, settings))

    return make


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Return a directory with two projects side by side."""
    acme = wheel("acme-app", "1.0", requires_python=">=3.9")
    return flat_directory(
        tmp_path / "wheels", [acme, sdist("acme-app", "1.0"), wheel("idna", "3.0")]
    )
