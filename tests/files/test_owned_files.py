"""A file's address is a door too: it gives nothing of a name that another index owns by now."""

import pytest

from indexfallback.errors import FileMissingError
from indexfallback.names import FileKey
from tests.chain.chain import ask, learn_names, private, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import fetch, is_kept, key_of
from tests.serving import wait_until

OWN, PUBLIC = wheel("acme-app", "1.0"), wheel("acme-app", "9.0")
#: The same file name at both.
SAME = wheel("acme-app", "1.0", extra_files={"public.py": b""})


@pytest.mark.parametrize("ending", ["", ".metadata"])
@pytest.mark.parametrize("fetched", [True, False])
def test_an_address_from_before_a_private_index_had_the_name_is_not_found(
    shim: MakeShim, ending: str, fetched: bool
) -> None:
    with FakeIndex() as own, FakeIndex([PUBLIC]) as far:
        made = shim(index := private(own), pypi(far), fresh=0.0)
        assert ask(made) == "pypi"
        if fetched:
            fetch(made, PUBLIC)
        own.add(OWN)
        made = shim(index, pypi(far), fresh=0.0)
        learn_names(made, index)
        with pytest.raises(FileMissingError, match="it belongs to private"):
            made.downloads.get("pypi", key_of(PUBLIC), PUBLIC.filename + ending)
        assert made.downloads.get("private", key_of(OWN), OWN.filename)


def test_a_private_file_replaces_a_public_one_of_its_name(shim: MakeShim) -> None:
    with FakeIndex() as own, FakeIndex([SAME]) as far:
        made = shim(private(own), pypi(far), fresh=0.0)
        assert ask(made) == "pypi"
        assert fetch(made, SAME) == SAME.data
        wait_until(lambda: is_kept(made), 10, "the transfer does not end")
        own.add(OWN)
        made = shim(private(own), pypi(far), fresh=0.0)
        assert ask(made) == "private"
        page = made.offer(made.fallback.page("acme-app"))
        assert [file.sha256 for file in page.files] == [OWN.sha256]
        assert fetch(made, OWN, owner="private") == OWN.data
        wait_until(lambda: not made.downloads._running, 10, "the transfer does not end")
        pin = made.store.pins.find("acme-app", OWN.filename, OWN.sha256)
        assert pin is not None
        assert (pin.sha256, pin.source) == (OWN.sha256, own.url)


def test_an_address_of_no_index_is_not_found(shim: MakeShim) -> None:
    with FakeIndex([PUBLIC]) as far:
        made = shim(pypi(far))
        with pytest.raises(FileMissingError):
            made.downloads.get("gone", FileKey("acme-app", None), PUBLIC.filename)
