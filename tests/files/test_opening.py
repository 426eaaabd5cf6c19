"""Hedged requests: a file is asked for at a second index of the group when the first is slow."""

import threading
import time
from collections.abc import Iterator

import pytest

from indexfallback.chain.asking import HEDGE_MOST, hedge_budget
from indexfallback.config import Index
from indexfallback.files.opening import HedgedOpener
from indexfallback.files.sources import Source
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.shim import Shim
from indexfallback.upstream.answers import Body, FileAnswer
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, fetch
from tests.serving import wait_until

DISTS = [wheel(f"demo-{number}", size=BIG) for number in range(12)]
DEMO = DISTS[0]
PATH = f"/files/{DEMO.filename}"
#: What the mirror took so far, seconds.
P95 = 0.35


@pytest.fixture
def near() -> Iterator[FakeIndex]:
    with FakeIndex(DISTS) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    with FakeIndex(DISTS) as index:
        yield index


def mirrored(shim: MakeShim, near: FakeIndex, far: FakeIndex, **values: float) -> Shim:
    """Return a shim whose mirror has answered quickly so far."""
    made = shim(
        Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi"),
        Index(name="pypi", url=far.url, role="public"),
        **values,
    )
    # Before anything is slow, so that the mirror gives the pages on a busy machine, too.
    for dist in DISTS:
        made.fallback.page(dist.project)
    for _ in range(100):
        made.members["mirror"].learn(Outcome(Kind.FOUND, "", elapsed=P95))
    return made


def test_a_slow_start_is_answered_for_by_the_public_index_at_about_the_mirrors_p95(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = mirrored(shim, near, far, deadline=60.0)
    near.hang(path=PATH)
    begun = time.monotonic()
    assert fetch(made, DEMO) == DEMO.data
    assert P95 < time.monotonic() - begun < 15.0  # the mirror may take 20 for its first byte
    assert (near.count(PATH), far.count(PATH)) == (1, 1)


def test_while_the_mirror_is_quick_no_other_index_is_asked(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    assert fetch(mirrored(shim, near, far), DEMO) == DEMO.data
    assert (near.count(PATH), far.count(PATH)) == (1, 0)


def test_the_slow_one_is_used_if_the_other_has_nothing(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = mirrored(shim, near, far)
    near.delay(1.0, path=PATH)
    far.fail(404, path=PATH)
    assert fetch(made, DEMO) == DEMO.data
    assert near.count(PATH) == 1


def test_the_slow_one_comes_again_once_it_has_answered(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = mirrored(shim, near, far)
    slow, quick = (
        Source(made.members[name], File(filename=DEMO.filename, url="", hashes={"sha256": "00"}))
        for name in ("mirror", "pypi")
    )
    answered = threading.Event()
    closed = threading.Event()

    def ask(source: Source) -> FileAnswer:
        if source is slow:
            answered.wait(60)
        return FileAnswer(Outcome(Kind.FOUND, ""), Body(0, None, bytes, closed.set))

    sources = iter([slow, quick])
    opener = HedgedOpener(sources, ask, hedge_budget())
    assert opener.quickest(next(opener)).source is quick
    assert not closed.is_set()
    answered.set()
    assert list(opener) == [slow]
    assert closed.wait(60), "its body stays open"


def test_a_mirror_that_hangs_at_each_file_is_found_out(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = mirrored(shim, near, far)
    near.hang(path=PATH)
    assert fetch(made, DEMO) == DEMO.data
    wait_until(lambda: made.members["mirror"].health.failures, 10, "nothing is learnt of it")


def test_a_few_at_once_and_then_one_in_twenty(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    made = mirrored(shim, near, far)
    for dist in DISTS:
        near.delay(1.2, path=f"/files/{dist.filename}")
        assert fetch(made, dist) == dist.data
    beside = sum(far.count(f"/files/{dist.filename}") for dist in DISTS)
    assert beside == HEDGE_MOST


def test_a_request_to_a_private_index_is_never_hedged(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.delay(2.5, path=PATH)
    made = shim(
        Index(name="private", url=near.url),
        Index(name="pypi", url=far.url, role="public"),
    )
    assert fetch(made, DEMO, owner="private") == DEMO.data
    assert far.count(PATH) == 0
