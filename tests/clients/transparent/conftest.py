"""The indexes by name, a developer behind a proxy, and what each client writes without us."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.clients.setup.conftest import Programs, programs  # noqa: F401 - a fixture
from tests.clients.transparent.locking import LOCKERS
from tests.clients.transparent.support import Developer, Internet

#: From the name of a locker to the files that it writes.
MadeDirectly: TypeAlias = Callable[[str], dict[str, bytes]]


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with Internet(tmp_path).open() as opened:
        yield opened


@pytest.fixture
def developer(tmp_path: Path, internet: Internet) -> Developer:
    return Developer(tmp_path, internet)


@pytest.fixture(scope="session")
def made_directly(
    tmp_path_factory: pytest.TempPathFactory,
    programs: Programs,  # noqa: F811 - the fixture
) -> Iterator[MadeDirectly]:
    """Return what has a client lock without us, once for all tests: each has the same indexes."""
    home = tmp_path_factory.mktemp("direct")
    made: dict[str, dict[str, bytes]] = {}
    with Internet(home).open() as internet:
        developer = Developer(home, internet)

        def make(name: str) -> dict[str, bytes]:
            if name not in made:
                locker = LOCKERS[name]
                developer.start_project(locker.given)
                developer.direct(*locker.command, programs=locker.path(programs)).expect()
                made[name] = locker.read(developer)
            return made[name]

        yield make
