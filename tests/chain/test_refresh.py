"""A refresh asks after it was called: it never gets an answer to an earlier request."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from indexfallback.chain import fallback
from indexfallback.chain.answer import Answer
from tests.chain.chain import ask, mirror, pypi, until, versions
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.threads import waiting_in

IDNA = "/simple/idna/"


def listed(asked: "Future[Answer]") -> list[str]:
    """Return the versions on the page that a request got."""
    return [file.filename.split("-")[1] for file in asked.result(60).page.files]


def test_a_refresh_does_not_join_a_request_from_before_an_upload(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(pypi(far))
    hanging = far.hang(times=1)
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(made.fallback.page, "idna")
        far.wait_for(IDNA)
        far.add(wheel("idna", "3.1"))
        refreshed = pool.submit(made.fallback.page, "idna", again=True)
        until(lambda: waiting_in("joinable") == 1)
        hanging.lift()
        assert listed(refreshed) == ["3.0", "3.1"]
        assert listed(before) == ["3.0"]
    assert versions(made, "idna") == ["3.0", "3.1"], "the older answer replaced the newer one"
    assert far.count(IDNA) == 2


def test_refreshes_from_after_an_upload_share_one_request_that_begins_after_an_earlier_refresh(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(pypi(far))
    assert ask(made, "idna") == "pypi"
    first = far.hang(times=1)
    with ThreadPoolExecutor(16) as pool:
        before = pool.submit(made.fallback.page, "idna", again=True)
        far.wait_for(IDNA, count=2)
        far.add(wheel("idna", "3.1"))
        after = [pool.submit(made.fallback.page, "idna", again=True) for _ in range(15)]
        until(lambda: waiting_in("_wait_for_earlier") == 15)
        second = far.hang(times=1)
        first.lift()
        until(lambda: waiting_in("_result") == 14)
        second.lift()
        assert listed(before) == ["3.0"]
        assert [listed(asked) for asked in after] == [["3.0", "3.1"]] * 15
    assert far.count(IDNA) == 3


def test_a_plain_request_joins_a_refresh_that_is_under_way(shim: MakeShim, far: FakeIndex) -> None:
    made = shim(pypi(far))
    hanging = far.hang(times=1)
    with ThreadPoolExecutor(2) as pool:
        refreshed = pool.submit(made.fallback.page, "idna", again=True)
        far.wait_for(IDNA)
        plain = pool.submit(made.fallback.page, "idna")
        until(lambda: waiting_in("_collect") == 2)
        hanging.lift()
        assert (listed(refreshed), listed(plain)) == (["3.0"], ["3.0"])
    assert far.count(IDNA) == 1


def test_a_refresh_behind_a_request_that_does_not_end_is_answered_within_its_deadline(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(pypi(far), fresh=0.0, deadline=3.0)
    assert ask(made, "idna") == "pypi"
    hanging = far.hang(times=1)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(made.fallback.page, "idna")
        far.wait_for(IDNA, count=2)
        answer = made.fallback.page("idna", again=True)
        hanging.lift()
    assert answer.how == "stale"
    assert answer.tried[0].detail == "an earlier request for it is still under way"
    assert made.members["pypi"].status()["errors"] == 0
    assert far.count(IDNA) == 2


def test_an_answer_that_was_begun_before_a_refresh_is_not_repeated_after_it(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 60.0)
    far.add(wheel("demo", "1.0"))
    made = shim(mirror(near), pypi(far))
    hanging = far.hang(times=1)
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(made.fallback.page, "demo")
        far.wait_for("/simple/demo/")
        near.add(wheel("demo", "1.1"))
        assert made.fallback.page("demo", again=True).owner.name == "mirror"
        hanging.lift()
        assert listed(before) == ["1.0"]
    assert versions(made, "demo") == ["1.1"]
