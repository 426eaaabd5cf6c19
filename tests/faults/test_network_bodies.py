"""A body that breaks off, or is of another length than stated: never a wrong page or file."""

from collections.abc import Callable, Iterator

import pytest

from tests.chain.chain import mirror, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import Format
from tests.faults.client import Client

DEMO = wheel("demo", size=400_000)
PAGE = "/simple/demo/"
FILE = f"/files/{DEMO.filename}"

#: Each breaks the body at so many bytes.
Break = Callable[[FakeIndex, str, int], object]
BROKEN: dict[str, Break] = {
    "RST mid-body": lambda index, path, at: index.cut(at, reset=True, path=path),
    "short of Content-Length": lambda index, path, at: (
        index.short(at, path=path),
        index.cut(at, path=path),
    ),
    "longer than Content-Length": lambda index, path, at: index.long(at, path=path),
    "chunked abort": lambda index, path, at: (
        index.chunked(path=path),
        index.cut(at, path=path),
    ),
    "EOF-delimited truncation": lambda index, path, at: (
        index.unframed(path=path),
        index.cut(at, path=path),
    ),
}
EVERY_FAULT = pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=pytest.mark.fault(row)) for row, name in enumerate(BROKEN, 12)],
)
EVERY_FORMAT = pytest.mark.parametrize("form", ["json", "html"])


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    """The mirror; it has no ranges, so that nothing can be put together of two answers."""
    with FakeIndex([DEMO, wheel("demo", "0.9")], ranges=False) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO, wheel("demo", "0.9")]) as index:
        yield index


@EVERY_FORMAT
@EVERY_FAULT
def test_broken_page__the_next_index_answers_with_a_whole_one(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, fault: str, form: Format
) -> None:
    near.formats = (form,)
    BROKEN[fault](near, PAGE, 200)
    client = Client(shim(mirror(near), pypi(far)))
    assert set(client.files("demo")) == {DEMO.filename, wheel("demo", "0.9").filename}
    assert client.shim.fallback.page("demo").owner.name == "pypi"
    assert client.shim.store.pages.facts(near.url, "demo") is None


@EVERY_FORMAT
@EVERY_FAULT
def test_broken_page__alone_is_a_503_that_says_so_and_the_page_before_stands_in(
    shim: MakeShim, near: FakeIndex, fault: str, form: Format
) -> None:
    near.formats = (form,)
    client = Client(shim(near, fresh=0.0))
    assert len(client.files("demo")) == 2
    near.add(wheel("demo", "1.1"))
    near.add(wheel("other"))
    BROKEN[fault](near, "/simple/", 200)
    answer = client.get("/simple/other/")
    assert answer.status == 503
    assert "pypi could not be asked" in answer.problem
    kept = client.shim.fallback.page("demo", again=True)
    assert (kept.how, len(kept.page.files)) == ("stale", 2)


@EVERY_FAULT
def test_broken_file__comes_whole_from_another_of_the_group(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, fault: str
) -> None:
    BROKEN[fault](near, FILE, 150_000)
    client = Client(shim(mirror(near), pypi(far)))
    assert client.fetch("demo", DEMO.filename).body == DEMO.data
    assert near.count(FILE)
    assert far.count(FILE)
    client.kept(DEMO.sha256)
    client.assert_clean()


@EVERY_FAULT
def test_broken_file__alone_is_a_503_and_nothing_of_it_is_kept(
    shim: MakeShim, near: FakeIndex, fault: str
) -> None:
    client = Client(shim(near))
    BROKEN[fault](near, FILE, 150_000)
    answer = client.fetch("demo", DEMO.filename)
    assert answer.status == 503
    assert DEMO.filename in answer.problem
    assert client.shim.store.blobs.records.count() == 0
