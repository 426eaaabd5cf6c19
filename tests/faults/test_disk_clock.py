"""A clock that jumps by a year: nothing stays fresh, open or forgotten for so long."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from indexfallback.config import Index
from indexfallback.errors import ProjectUnavailableError
from indexfallback.health import State
from indexfallback.outcome import Kind, Outcome
from indexfallback.store import Store
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import fetch, is_kept
from tests.serving import wait_until

DEMO = wheel("demo", size=1000)
PAGE = "/simple/demo/"
YEAR = 365 * 86400.0

both_ways = pytest.mark.parametrize("seconds", [YEAR, -YEAR], ids=["forward", "back"])


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what sets the clock of the wall; the monotonic one runs on."""
    real = time.time

    def set_clock(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return set_clock


@pytest.mark.fault(61)
@both_ways
def test_a_page_is_asked_for_again_after_the_clock_has_jumped(
    shim: MakeShim, jump: Callable[[float], None], seconds: float
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        made.fallback.repeat_seconds = 0.0
        made.fallback.page("demo")
        jump(seconds)
        assert made.fallback.page("demo").how == "asked"
        assert made.fallback.page("demo").how == "fresh"
        assert index.count(PAGE) == 2


@pytest.mark.fault(61)
def test_a_stale_page_from_the_future_still_stands_in_for_a_failing_index(
    shim: MakeShim, jump: Callable[[float], None]
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        made.fallback.repeat_seconds = 0.0
        made.fallback.page("demo")
        jump(-YEAR)
        index.stop_listening()
        assert made.fallback.page("demo").how == "stale"


@pytest.mark.fault(61)
@both_ways
def test_an_open_circuit_lasts_as_long_as_it_would_have(
    shim: MakeShim, jump: Callable[[float], None], seconds: float
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        member = made.members["pypi"]
        member.learn(Outcome(Kind.CONNECT_TIMEOUT, "connect timeout"))
        assert member.health.state is State.OPEN
        before = member.health.until - time.monotonic()
        jump(seconds)
        assert 0 < member.health.until - time.monotonic() <= before


@pytest.mark.fault(61)
@both_ways
def test_an_open_circuit_of_before_the_jump_is_tried_at_the_next_start(
    shim: MakeShim, jump: Callable[[float], None], seconds: float
) -> None:
    with FakeIndex([DEMO]) as index:
        shim(index).members["pypi"].learn(Outcome(Kind.CONNECT_TIMEOUT, "connect timeout"))
        jump(seconds)
        made = shim(index)
        assert made.members["pypi"].health.since <= time.monotonic()
        assert made.fallback.page("demo").how == "asked"


@pytest.mark.fault(61)
@both_ways
def test_the_ledger_keeps_a_private_name_whatever_the_clock_says(
    shim: MakeShim, jump: Callable[[float], None], seconds: float
) -> None:
    with FakeIndex([DEMO]) as private, FakeIndex([DEMO]) as public:
        chain = (
            Index(name="private", url=private.url),
            Index(name="pypi", url=public.url, role="public"),
        )
        made = shim(*chain)
        made.fallback.repeat_seconds = 0.0
        made.fallback.page("demo")
        jump(seconds)
        private.stop_listening()
        with suppress(ProjectUnavailableError):  # its page may be too old
            assert made.fallback.page("demo").owner.name == "private"
        assert public.count(PAGE) == 0


@pytest.mark.fault(61)
@both_ways
def test_stored_files_are_served_whatever_the_clock_says(
    shim: MakeShim, jump: Callable[[float], None], seconds: float
) -> None:
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        fetch(made, DEMO)
        wait_until(lambda: is_kept(made), 5, "the file was not kept")
        jump(seconds)
        assert fetch(made, DEMO) == DEMO.data
        assert index.count(f"/files/{DEMO.filename}") == 1


@pytest.mark.fault(61)
def test_a_partial_file_of_the_future_is_not_taken_for_abandoned(
    store: Store, jump: Callable[[float], None]
) -> None:
    path = store.blobs.partials.new()
    path.write_bytes(b"half a file")
    jump(-YEAR)
    assert store.blobs.partials.tidy() == 0
