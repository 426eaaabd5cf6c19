"""The indexes by name, a developer behind a proxy, and the programs of clients."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import environments, user  # noqa: F401 - fixtures
from tests.clients.setup.conftest import programs  # noqa: F401 - a fixture
from tests.clients.transparent.locking import LOCKERS, Locker
from tests.clients.transparent.support import Developer, Internet


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with Internet(tmp_path).open() as opened:
        yield opened


@pytest.fixture
def developer(tmp_path: Path, internet: Internet) -> Developer:
    return Developer(tmp_path, internet)


@pytest.fixture(scope="session")
def made_directly() -> dict[str, dict[str, bytes]]:
    """What each locker has written without us, as far as that is known."""
    return {}
