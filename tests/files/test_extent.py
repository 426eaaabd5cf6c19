"""Files that are larger than their page states: cut off, refused and not kept."""

import pytest

from indexfallback.config import Index
from indexfallback.errors import FileUnavailableError, FileWrongError
from indexfallback.files.extent import Extent, ExtentError
from indexfallback.page import File
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import HTML_ONLY
from tests.files.support import fetch

DEMO = wheel("demo", size=400_000)
PATH = f"/files/{DEMO.filename}"
#: Bytes that an index adds to the file, and far fewer that may be sent before it is cut off: the
#: shim reads at most 1 MiB at once, and the sockets' buffers hold some.
ENDLESS, TAKEN = 100_000_000, 20_000_000


def _refused(shim: Shim) -> str:
    with pytest.raises(FileWrongError) as caught:
        fetch(shim, DEMO)
    assert shim.store.blobs.records.count() == 0
    assert not any(path.stat().st_size for path in shim.store.blobs.partials.directory.iterdir())
    return str(caught.value)


@pytest.mark.parametrize("hashed", [True, False])
def test_a_body_without_end_is_cut_off_and_the_file_refused(
    shim: MakeShim, *, hashed: bool
) -> None:
    with FakeIndex() as index:
        index.add(DEMO, hashes=None if hashed else {})
        index.grow(ENDLESS, path=PATH)
        made = shim(index)
        size = len(DEMO.data)
        with pytest.raises(FileWrongError) as caught:
            fetch(made, DEMO, hashed=hashed)
        message = str(caught.value)
        assert "pypi: wrong bytes: " in message
        assert f"where its page states {size}" in message
        assert "Tell whoever runs pypi, or choose another version" in message
        assert index.sent < TAKEN
        assert made.members["pypi"].health.trouble is None


def test_a_source_without_end_is_replaced_by_another(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as mirror, FakeIndex([DEMO]) as public:
        mirror.grow(ENDLESS, path=PATH)
        chain = (
            Index(name="mirror", url=mirror.url, role="mirror", mirror_of="pypi"),
            Index(name="pypi", url=public.url, role="public"),
        )
        assert fetch(shim(*chain), DEMO) == DEMO.data


def test_without_a_stated_size_the_limit_of_the_cache_is_the_bound(shim: MakeShim) -> None:
    with FakeIndex([DEMO], formats=HTML_ONLY) as index:
        index.grow(ENDLESS, path=PATH)
        assert "raise cache.max_size" in _refused(shim(index, cache_size=1_000_000))


def test_a_small_body_that_decodes_to_a_large_file_is_not_decoded_to_its_end(
    shim: MakeShim,
) -> None:
    with FakeIndex([DEMO], formats=HTML_ONLY) as index:
        index.grow(ENDLESS, path=PATH)
        index.gzip(path=PATH)
        made = shim(index, cache_size=1_000_000)
        with pytest.raises((FileWrongError, FileUnavailableError)):
            fetch(made, DEMO)
        assert made.store.blobs.records.count() == 0


def test_two_per_cent_more_may_come() -> None:
    extent = Extent(
        File(filename="demo-1.0.tar.gz", url="https://files.example.com/demo", size=10**8), 0
    )
    extent.check(int(1.02 * 10**8))
    with pytest.raises(ExtentError):
        extent.check(int(1.03 * 10**8))
