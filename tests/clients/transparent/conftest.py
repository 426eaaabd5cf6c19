"""The indexes by name, a developer behind a proxy, and what each client writes without us."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.clients.setup.conftest import Programs, programs  # noqa: F401 - a fixture
from tests.clients.transparent.locking import LOCKERS
from tests.clients.transparent.support import Developer, Internet

#: From the name of a locker to the files that it writes.
MadeDirectly: TypeAlias = Callable[[Developer, str], dict[str, bytes]]


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with Internet(tmp_path).open() as opened:
        yield opened


@pytest.fixture
def developer(tmp_path: Path, internet: Internet) -> Developer:
    return Developer(tmp_path, internet)


@pytest.fixture(scope="session")
def _locks() -> dict[str, dict[str, bytes]]:
    return {}


@pytest.fixture
def made_directly(
    _locks: dict[str, dict[str, bytes]],
    programs: Programs,  # noqa: F811 - the fixture
) -> MadeDirectly:
    """Return what has a client lock without us, once in all tests: every run has these indexes."""

    def make(developer: Developer, name: str) -> dict[str, bytes]:
        if name not in _locks:
            locker = LOCKERS[name]
            developer.start_project(locker.given)
            developer.direct(*locker.command, programs=locker.path(programs)).expect()
            _locks[name] = developer.read(locker.written)
        return _locks[name]

    return make
