"""Fake indexes of each role; answers are not repeated from memory, so that each one is a walk."""

from collections.abc import Iterator

import pytest

from indexfallback.chain import fallback
from tests.fakes import FakeIndex, wheel


@pytest.fixture(autouse=True)
def _no_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 0.0)


@pytest.fixture
def own() -> Iterator[FakeIndex]:
    """The private index: two projects, which the public one has in higher versions."""
    with FakeIndex([wheel("acme-app", "1.0"), wheel("acme-lib", "1.0")]) as index:
        yield index


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    """The mirror of the public index."""
    with FakeIndex([wheel("idna", "3.0")]) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    """The public index."""
    dists = [wheel("acme-app", "9.0"), wheel("acme-lib", "9.0"), wheel("idna", "3.0")]
    with FakeIndex(dists) as index:
        yield index
