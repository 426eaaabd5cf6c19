"""Slow is not down: a file that begins late is waited for, or kept for the next request."""

from typing import Any

import pytest

from indexfallback.config import Index
from indexfallback.errors import FileError
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import fetch
from tests.serving import wait_until

DEMO = wheel("demo", size=50_000)
PATH = f"/files/{DEMO.filename}"


def pypi(fake: FakeIndex, **values: Any) -> Index:
    return Index(name="pypi", url=fake.url, role="public", **values)


def is_there(made: Shim) -> bool:
    """Tell whether a client gets the file now."""
    try:
        return fetch(made, DEMO) == DEMO.data
    except FileError:
        return False


def test_the_read_timeout_does_not_bound_the_first_byte(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        index.delay(1.0, path=PATH)
        assert fetch(shim(pypi(index, read_timeout=0.2), deadline=20.0), DEMO) == DEMO.data


def test_what_comes_after_the_deadline_is_what_the_next_request_gets(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(pypi(index), deadline=2.0)
        made.fallback.page("demo")
        index.delay(4.0, path=PATH)
        with pytest.raises(FileError, match="It is being fetched: run again"):
            fetch(made, DEMO)
        wait_until(lambda: is_there(made), 30.0, "the file did not come")
        assert index.count(PATH) == 1


def test_what_does_not_come_until_the_read_timeout_is_given_up(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(pypi(index, read_timeout=0.5), deadline=1.5)
        made.fallback.page("demo")
        index.hang(path=PATH)
        with pytest.raises(FileError):
            fetch(made, DEMO)
        wait_until(lambda: not made.downloads._running, 30.0, "the transfer goes on")


def test_a_source_that_another_one_can_stand_in_for_gets_its_share_only(shim: MakeShim) -> None:
    with FakeIndex([DEMO]) as near, FakeIndex([DEMO]) as far:
        mirror = Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi")
        made = shim(mirror, pypi(far), deadline=4.0)
        made.fallback.page("demo")
        near.hang(path=PATH)
        far.delay(0.5, path=PATH)
        assert fetch(made, DEMO) == DEMO.data
