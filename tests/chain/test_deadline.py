"""The first byte of every answer leaves within the deadline, whatever the indexes do."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from indexfallback.config import Index
from tests.chain.chain import APP, ask, learn_names, mirror, private, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex

#: A quarter of it is enough for a whole request on a busy machine, seconds.
DEADLINE = 2.0
#: Far above the deadline, and below the 20 s that an index may take for each byte, seconds.
ENDS = 15.0


@pytest.fixture
def slow() -> Iterator[Callable[[int], list[FakeIndex]]]:
    """Return a factory of indexes that take requests and say nothing."""
    with ExitStack() as stack:

        def make(number: int) -> list[FakeIndex]:
            indexes = [stack.enter_context(FakeIndex()) for _ in range(number)]
            for index in indexes:
                index.hang()
            return indexes

        yield make


def mirrors(fakes: list[FakeIndex]) -> list[Index]:
    return [mirror(fake, name=f"mirror-{number}") for number, fake in enumerate(fakes)]


def test_a_chain_of_hanging_indexes_is_an_outage_within_the_deadline(
    shim: MakeShim, slow: Callable[[int], list[FakeIndex]]
) -> None:
    fakes = slow(4)
    made = shim(*mirrors(fakes[:3]), pypi(fakes[3]), deadline=DEADLINE)
    begun = time.monotonic()
    assert ask(made) == 503
    assert time.monotonic() - begun < ENDS
    assert [fake.count(APP) for fake in fakes] == [1, 1, 1, 1]


def test_an_index_behind_hanging_ones_still_gets_its_share(
    shim: MakeShim, slow: Callable[[int], list[FakeIndex]], far: FakeIndex
) -> None:
    far.delay(DEADLINE / 8)
    assert ask(shim(*mirrors(slow(3)), pypi(far), deadline=DEADLINE)) == "pypi"


def test_what_a_quick_index_leaves_is_for_the_others(shim: MakeShim, far: FakeIndex) -> None:
    # A third of the deadline is not enough for the last one; all that is left is.
    far.delay(DEADLINE * 0.6)
    with FakeIndex() as one, FakeIndex() as two:
        chain = (*mirrors([one, two]), pypi(far))
        assert ask(shim(*chain, deadline=DEADLINE)) == "pypi"


def test_an_index_that_is_held_takes_no_share(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.fail(401)
    made = shim(mirror(near), pypi(far), deadline=DEADLINE)
    assert ask(made, "idna") == "pypi"
    far.delay(DEADLINE * 0.6)
    assert ask(made, "acme-app") == "pypi"


@pytest.mark.fault("incident: devpi #549")
@pytest.mark.skipif(sys.platform != "linux", reason="packets are ignored by a trick of Linux")
def test_an_index_that_ignores_packets_costs_its_share_once(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = shim(mirror(near), pypi(far), deadline=2 * DEADLINE)
    near.blackhole()
    answers = [made.fallback.page(project) for project in ("idna", "acme-app")]
    assert [answer.owner.name for answer in answers] == ["pypi", "pypi"]
    assert [answer.tried[0].what for answer in answers] == ["unavailable", "skipped"]


def test_an_owned_project_is_stale_at_once_while_its_index_is_held(
    shim: MakeShim, own: FakeIndex
) -> None:
    made = shim(index := private(own), deadline=DEADLINE, fresh=0.0)
    learn_names(made, index)
    assert ask(made) == "private"
    own.hang()
    assert [made.fallback.page("acme-app").how for _ in range(3)] == ["stale"] * 3
    assert own.count(APP) == 1 + 1, "an index that is held is asked, or one page twice at once"


def test_who_shares_a_request_waits_no_longer_than_the_deadline(
    shim: MakeShim, slow: Callable[[int], list[FakeIndex]]
) -> None:
    (fake,) = slow(1)
    made = shim(pypi(fake), deadline=DEADLINE)
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: ask(made), range(8))) == {503}
    assert time.monotonic() - begun < ENDS
