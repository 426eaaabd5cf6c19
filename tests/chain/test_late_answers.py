"""Slow is not down: an answer that comes late is waited for, or kept for the next request."""

import time
from collections.abc import Iterator

import pytest

from indexfallback.chain import latency
from indexfallback.chain.probe import Prober
from tests.chain.chain import ROOT, ask, learn_names, mirror, private, pypi, until
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

IDNA = "/simple/idna/"


@pytest.fixture(autouse=True)
def _no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the health to the clients' requests."""
    monkeypatch.setattr(Prober, "wake", lambda _: None)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a first byte for a moment only, where another index could answer."""
    monkeypatch.setattr(latency, "FIRST_BYTE_LEAST", 0.1)
    monkeypatch.setattr(latency, "FIRST_BYTE_MOST", 0.1)


@pytest.fixture
def second() -> Iterator[FakeIndex]:
    """Another mirror."""
    with FakeIndex([wheel("idna", "3.0")]) as index:
        yield index


# Waiting.


@pytest.mark.usefixtures("hasty")
def test_a_first_byte_may_take_all_that_the_deadline_leaves_where_no_other_index_can_answer(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.delay(1.5)
    far.delay(1.5)
    assert ask(shim(pypi(far), deadline=20.0), "idna") == "pypi"
    assert ask(shim(private(own), pypi(far), deadline=20.0)) == "private"
    assert ask(shim(private(own, projects=("acme-*",)), pypi(far), deadline=20.0)) == "private"


@pytest.mark.usefixtures("hasty")
def test_the_last_index_of_a_chain_may_take_the_rest(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.hang()
    far.delay(1.5)
    assert ask(shim(mirror(near), pypi(far), deadline=20.0), "idna") == "pypi"


@pytest.mark.usefixtures("hasty")
def test_an_index_is_waited_for_shortly_while_another_can_answer(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.delay(15.0)
    begun = time.monotonic()
    assert ask(shim(mirror(near), pypi(far), deadline=60.0), "idna") == "pypi"
    assert time.monotonic() - begun < 10.0


def test_an_answer_that_has_begun_may_take_its_whole_share(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "FIRST_BYTE_MOST", 1.0)
    near.drip(250, path=IDNA)  # 500 bytes or more
    assert ask(shim(mirror(near), pypi(far), deadline=60.0), "idna") == "mirror"


def test_the_read_timeout_is_for_the_time_between_bytes_and_not_for_the_first(
    shim: MakeShim, far: FakeIndex
) -> None:
    far.delay(1.0)
    assert ask(shim(pypi(far, read_timeout=0.2), deadline=20.0), "idna") == "pypi"


def test_a_list_of_names_may_come_late(shim: MakeShim, own: FakeIndex) -> None:
    own.delay(1.0)
    learn_names(shim(index := private(own, read_timeout=5.0), deadline=0.5), index)
    assert own.count(ROOT) == 1


# Keeping.


def test_a_late_page_is_what_the_next_requests_get_without_a_second_one_to_the_index(
    shim: MakeShim, far: FakeIndex
) -> None:
    far.delay(2.0)
    made = shim(pypi(far), deadline=0.5)
    assert ask(made, "idna") == 503
    until(lambda: ask(made, "idna") == "pypi")
    assert far.count() == 1


def test_a_late_page_counts_as_a_success_that_took_so_long(shim: MakeShim, far: FakeIndex) -> None:
    far.delay(1.5)
    made = shim(pypi(far), deadline=0.3)
    for project in ("idna", "acme-app", "acme-lib"):
        assert ask(made, project) == 503
    until(lambda: made.store.pages.count() == 3)
    status = made.members["pypi"].status()
    assert (status["state"], status["errors"], status["held"]) == ("slow", 0, "")
    assert float(str(status["p50"])) >= 1.4


def test_a_late_page_makes_good_for_the_silence_that_another_index_stood_in_for(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.delay(1.5)
    made = shim(index := mirror(near), pypi(far), deadline=1.0)
    assert ask(made, "idna") == "pypi"
    assert made.members["mirror"].health.failures == 1
    until(lambda: made.store.pages.load(index.key, "idna") is not None)
    until(lambda: made.members["mirror"].health.failures == 0)


def test_a_late_absence_is_remembered(shim: MakeShim, far: FakeIndex) -> None:
    far.delay(1.0)
    made = shim(pypi(far), deadline=0.3)
    assert ask(made, "nowhere") == 503
    until(lambda: ask(made, "nowhere") == 404)
    assert far.count() == 1


def test_what_does_not_come_until_the_read_timeout_is_a_failure(
    shim: MakeShim, far: FakeIndex
) -> None:
    far.hang()
    made = shim(pypi(far, read_timeout=0.5), deadline=0.5)
    assert ask(made, "idna") == 503
    assert made.members["pypi"].health.failures == 0
    until(lambda: made.members["pypi"].health.failures == 1)
    far.lift()
    assert ask(made, "idna") == "pypi"


def test_after_an_upload_no_request_joins_one_from_before(shim: MakeShim, far: FakeIndex) -> None:
    hanging = far.hang(times=1)
    made = shim(pypi(far), deadline=0.5)
    assert ask(made, "idna") == 503
    made.fallback.forget("idna")
    assert ask(made, "idna") == "pypi"
    assert far.count() == 2
    hanging.lift()
