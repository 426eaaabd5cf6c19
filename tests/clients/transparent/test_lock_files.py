"""Lock files made by `run` are, to the last byte, those that the client makes without it."""

import pytest

from tests.clients.setup.conftest import Programs
from tests.clients.transparent.conftest import MadeDirectly
from tests.clients.transparent.locking import LOCKERS
from tests.clients.transparent.support import Developer, Internet

pytestmark = pytest.mark.network
#: It locks nothing, and writes the same whatever is cached.
MAKES_PIPFILE = "pipenv install"
lockers = pytest.mark.parametrize("name", [name for name in LOCKERS if name != MAKES_PIPFILE])


def lock(developer: Developer, name: str, programs: Programs) -> dict[str, bytes]:
    """Make a lock file by `run` in a new directory, and return what was written."""
    locker = LOCKERS[name]
    developer.start_project(locker.given)
    developer.through(*locker.command, programs=locker.path(programs)).expect()
    return locker.read(developer)


@lockers
def test_the_lock_file_is_the_same_with_an_empty_cache_with_a_full_one_and_without_the_index(
    developer: Developer,
    internet: Internet,
    programs: Programs,
    made_directly: MadeDirectly,
    name: str,
) -> None:
    expected = made_directly(name)
    # So that each page is asked for again, and is stale without the index.
    developer.configure("pypi", cache_fresh="0 s")
    assert lock(developer, name, programs) == expected, "with an empty cache"
    internet.clear()
    assert lock(developer, name, programs) == expected, "with a full cache"
    assert internet.files_asked() == 0
    internet.stop()
    assert lock(developer, name, programs) == expected, "without the index"


@lockers
def test_the_lock_file_is_the_same_with_a_mirror_in_front(
    developer: Developer, programs: Programs, made_directly: MadeDirectly, name: str
) -> None:
    developer.configure("mirror", "pypi")
    assert lock(developer, name, programs) == made_directly(name)


@pytest.mark.parametrize("name", ["uv lock", "pip lock"])
def test_the_lock_file_is_the_same_when_the_mirror_stands_in_for_the_index(
    developer: Developer,
    internet: Internet,
    programs: Programs,
    made_directly: MadeDirectly,
    name: str,
) -> None:
    developer.configure("mirror", "pypi", cache_fresh="0 s")
    lock(developer, name, programs)
    internet.public.stop_listening()
    assert lock(developer, name, programs) == made_directly(name), "with the mirror alone"
    internet.stop()
    assert lock(developer, name, programs) == made_directly(name), "without both"


def test_pipenv_makes_a_pipfile_with_the_index_of_its_own(
    developer: Developer, programs: Programs, made_directly: MadeDirectly
) -> None:
    assert lock(developer, MAKES_PIPFILE, programs) == made_directly(MAKES_PIPFILE)
