"""What a dry run says of the sizes of files: of those that a page states, and of others."""

from collections.abc import Iterator

import pytest

from tests.fakes import FakeIndex, wheel
from tests.mirror.support import Mirrored

FILES = [wheel("one", f"1.{minor}", size=3000) for minor in range(4)]
BYTES = sum(len(dist.data) for dist in FILES)


@pytest.fixture
def upstream() -> Iterator[FakeIndex]:
    """Return an index whose pages, in HTML, state no sizes."""
    with FakeIndex(FILES, formats={"html"}) as index:
        yield index


def test_sizes_are_asked_for_where_the_page_does_not_state_them(mirror: Mirrored) -> None:
    result = mirror.run("--dry-run")
    assert (result["files"], result["bytes"], result["unsized"]) == (4, BYTES, 0)
    asked = [r.path for r in mirror.upstream.requests if r.path.startswith("/files/")]
    assert sorted(asked) == [f"/files/{dist.filename}" for dist in FILES]
    assert mirror.upstream.count(method="HEAD") == 4
    assert "4 files (16 KB) would be fetched" in mirror("--dry-run").expect().words
    assert mirror.run()["bytes"] == BYTES


def test_sizes_that_the_page_states_are_not_asked_for(mirror: Mirrored) -> None:
    mirror.upstream.formats = frozenset({"json"})
    assert mirror.run("--dry-run")["bytes"] == BYTES
    assert mirror.upstream.count(method="HEAD") == 0


def test_a_size_that_the_index_does_not_tell_is_unknown(mirror: Mirrored) -> None:
    mirror.upstream.fail(405, path=f"/files/{FILES[0].filename}")
    result = mirror.run("--dry-run")
    least = BYTES - len(FILES[0].data)
    assert (result["bytes"], result["known_bytes"], result["unsized"]) == (None, least, 1)
    assert result["failed"] == {}
    words = mirror("--dry-run").expect().words
    assert "4 files (at least 12 KB, 1 file of unknown size) would be fetched" in words


def test_no_known_size_is_not_a_size_of_nothing(mirror: Mirrored) -> None:
    mirror.upstream.fail(503, path="/files/")
    result = mirror.run("--dry-run")
    assert (result["bytes"], result["known_bytes"], result["unsized"]) == (None, 0, 4)
    assert "4 files (unknown size) would be fetched" in mirror("--dry-run").expect().words


def test_nothing_to_fetch_has_no_size(mirror: Mirrored) -> None:
    mirror.run()
    assert "; 0 files would be fetched" in mirror("--dry-run").expect().words
    assert mirror.run("--dry-run")["bytes"] == 0


def test_retry_after_is_obeyed(mirror: Mirrored) -> None:
    path = f"/files/{FILES[0].filename}"
    mirror.upstream.fail(429, {"Retry-After": "1"}, path=path, times=1)
    result = mirror.run("--dry-run")
    assert (result["bytes"], mirror.upstream.count(path)) == (BYTES, 2)
    assert result["seconds"] >= 1
