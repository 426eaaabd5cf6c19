"""Beside a slow index another of its group is asked, now and then, and never beside a private."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexfallback.chain import latency
from indexfallback.chain.asking import HEDGE_MOST, HEDGE_SHARE
from indexfallback.outcome import Kind, Outcome
from indexfallback.shim import Shim
from tests.chain.chain import APP, ask, mirror, private, pypi, until
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

IDNA = "/simple/idna/"
PROJECTS = [f"demo-{number}" for number in range(40)]
#: What the mirror's answers took so far, seconds: 19 of 20 less than the first.
P95 = 0.35


@pytest.fixture
def group() -> Iterator[tuple[FakeIndex, FakeIndex]]:
    """A mirror and its public index, with the same many projects."""
    dists = [wheel(project) for project in PROJECTS]
    with FakeIndex(dists) as near, FakeIndex(dists) as far:
        yield near, far


def known(made: Shim, name: str, seconds: float) -> None:
    """Let an index have answered in so many seconds, often enough to count."""
    for _ in range(20):
        made.members[name].learn(Outcome(Kind.FOUND, "", elapsed=seconds))


def test_a_slow_mirror_is_answered_for_by_its_public_index_at_about_its_p95(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.hang(path=IDNA)
    made = shim(mirror(near), pypi(far), deadline=60.0)
    known(made, "mirror", P95)
    begun = time.monotonic()
    assert ask(made, "idna") == "pypi"
    assert P95 < time.monotonic() - begun < 20.0  # the mirror's share is 30
    assert (near.count(IDNA), far.count(IDNA)) == (1, 1)


def test_a_slow_public_index_is_answered_for_by_a_mirror_behind_it(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    far.delay(5, path=IDNA)
    made = shim(pypi(far), mirror(near, pages="authority"))
    known(made, "pypi", P95)
    assert ask(made, "idna") == "mirror"


def test_the_one_asked_beside_loses_nothing_of_its_own_share(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.hang(path=IDNA)
    far.delay(2.4, path=IDNA)  # more than half of the deadline, and less than what is left
    made = shim(mirror(near), pypi(far), deadline=4.0)
    known(made, "mirror", P95)
    assert ask(made, "idna") == "pypi"


def test_where_its_share_is_shorter_nobody_is_asked_beside_but_after_it(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.hang(path=IDNA)
    assert ask(shim(mirror(near), pypi(far), deadline=3.0), "idna") == "pypi"
    (first,), (second,) = near.requests, far.requests
    assert second.when - first.when > 1.0


def test_while_the_mirror_is_quick_nobody_else_is_asked(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    assert ask(shim(mirror(near), pypi(far)), "idna") == "mirror"
    assert far.requests == []


def test_the_slower_answer_wins_if_the_other_one_is_none(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.add(wheel("acme-new"))
    near.delay(1.1)  # well after the other is asked, well before it is given up
    made = shim(mirror(near), pypi(far))
    known(made, "mirror", P95)
    assert ask(made, "acme-new") == "mirror"
    assert far.count("/simple/acme-new/") == 1


def test_the_slower_answer_is_still_learnt_from_and_kept(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    slow = near.hang(path=IDNA)
    made = shim(mirror(near), pypi(far))
    known(made, "mirror", P95)
    assert ask(made, "idna") == "pypi"
    slow.lift()
    until(lambda: made.members["mirror"].status()["requests"] == 21)
    assert made.members["mirror"].status()["errors"] == 0
    assert made.store.pages.facts(near.url, "idna") is not None


def test_before_enough_is_known_an_answer_is_slow_after_two_seconds(
    shim: MakeShim, far: FakeIndex
) -> None:
    member = shim(far).members["pypi"]
    assert member.latency.hedge_after() == latency.HEDGE_MOST == 2.0
    known_least = shim(far)
    known(known_least, "pypi", 0.01)
    assert known_least.members["pypi"].latency.hedge_after() == latency.HEDGE_LEAST == 0.3


def test_beside_a_private_index_nobody_is_asked(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.delay(2 * P95, path=APP)
    made = shim(private(own), pypi(far))
    known(made, "private", P95)
    assert ask(made) == "private"
    assert far.count(APP) == 0


def test_beside_another_groups_index_nobody_is_asked(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    near.delay(2 * P95)
    made = shim(pypi(near, name="other"), pypi(far))
    known(made, "other", P95)
    assert ask(made, "idna") == "other"
    assert far.requests == []


def test_after_the_first_five_one_request_in_twenty_is_asked_twice(
    shim: MakeShim, group: tuple[FakeIndex, FakeIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "HEDGE_LEAST", 0.02)
    near, far = group
    near.delay(0.15)
    made = shim(mirror(near), pypi(far))
    known(made, "mirror", 0.01)
    with ThreadPoolExecutor(8) as pool:
        owners = list(pool.map(lambda project: ask(made, project), PROJECTS))
    assert set(owners) <= {"mirror", "pypi"}
    asked_twice = sum(request.path.startswith("/simple/demo-") for request in far.requests)
    assert HEDGE_MOST <= asked_twice <= HEDGE_MOST + HEDGE_SHARE * len(PROJECTS)


def test_a_mirror_that_is_skipped_is_not_asked_beside_either(
    shim: MakeShim, near: FakeIndex, far: FakeIndex
) -> None:
    far.delay(2 * P95)
    made = shim(pypi(far), mirror(near, pages="authority"))
    known(made, "pypi", P95)
    made.members["mirror"].learn(Outcome(Kind.LIMITED, "429", retry_after=60))
    assert ask(made, "idna") == "pypi"
    assert near.requests == []
