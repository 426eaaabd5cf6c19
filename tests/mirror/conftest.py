"""A mirror of a fake index, by the real command."""

from collections.abc import Iterator

import pytest

from tests.cli.conftest import cli  # noqa: F401 - a fixture
from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, sdist, wheel
from tests.mirror.support import Mirrored

DISTS = [
    *(wheel("acme-app", f"1.{minor}") for minor in range(6)),
    *(wheel("acme-lib", f"2.{minor}") for minor in range(6)),
    sdist("acme-lib", "2.5"),
    wheel("other", "1.0"),
]


@pytest.fixture
def upstream() -> Iterator[FakeIndex]:
    """Return an index with three projects and counters of changes."""
    with FakeIndex(DISTS) as index:
        index.serials = True
        yield index


@pytest.fixture
def mirror(cli: CommandLine, upstream: FakeIndex) -> Mirrored:  # noqa: F811 - the fixture
    """Return a mirror of all of it, not run yet."""
    made = Mirrored(cli, upstream)
    made.configure(projects=["*"])
    return made
