"""What an import means over there: who owns a name, and how old a page is."""

import time
from pathlib import Path

import pytest

from indexfallback.config import Index
from indexfallback.errors import FileRefusedError, ProjectUnavailableError
from indexfallback.names import FileKey
from indexfallback.store import Store
from tests.carry.support import NEW, PRIVATE, PYPI, THEN, read
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

#: Nobody listens there.
GONE = "http://127.0.0.1:1/simple/"


def test_a_page_is_as_old_as_it_was_and_offline_only_what_came_is_offered(
    shim: MakeShim, archive: Path
) -> None:
    made = shim(PRIVATE, PYPI, offline=True)
    read(made.store, archive)
    answer = made.fallback.page("idna")
    assert (answer.how, answer.owner.name) == ("stale", "pypi")
    assert 0 <= time.time() - THEN - answer.age < 60
    assert [file.filename for file in made.offer(answer).files] == [NEW.filename]


@pytest.mark.parametrize("name", ["acme-app", "acme-core"])
def test_a_name_of_the_private_index_goes_nowhere_else_there_either(
    shim: MakeShim, archive: Path, name: str
) -> None:
    with FakeIndex([wheel(name, "99.0")]) as public:
        made = shim(Index(name="private", url=GONE), public, deadline=3.0)
        read(made.store, archive, {PRIVATE.key: GONE, PYPI.key: public.url})
        try:
            owner = made.fallback.page(name).owner.name
        except ProjectUnavailableError:
            owner = "nobody"
        assert owner == {"acme-app": "private", "acme-core": "nobody"}[name]
        assert public.count() == 0


def test_a_file_that_is_another_one_there_is_refused(shim: MakeShim, archive: Path) -> None:
    other = wheel("idna", "3.10", size=10)
    with FakeIndex([other]) as public:
        made = shim(public)
        read(made.store, archive, {PYPI.key: public.url})
        made.fallback.page("idna")
        with pytest.raises(FileRefusedError, match="first seen with sha256"):
            made.downloads.get("pypi", FileKey("idna", other.sha256), other.filename)


def test_owners_go_to_the_address_that_the_index_has_there(empty: Store, archive: Path) -> None:
    read(empty, archive, {PRIVATE.key: GONE})
    assert empty.ledger.names(PRIVATE.key) == []
    assert empty.ledger.names(GONE) == ["acme-app", "acme-core"]
