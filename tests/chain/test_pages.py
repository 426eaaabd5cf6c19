"""Pages from the store: fresh, revalidated, remembered as absent, shared, and kept apart."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexfallback.chain import asking, fallback
from indexfallback.config import Index
from tests.chain.chain import APP, ask, how, private, pypi, until, versions
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.threads import waiting_in

IDNA = "/simple/idna/"

#: Another process, which asks the same chain with the same cache.
ANOTHER = """
import sys
from pathlib import Path
from indexfallback.config import Index, Settings
from indexfallback.shim import Shim
own, far, cache = sys.argv[1:]
chain = (Index(name="private", url=own), Index(name="pypi", url=far, role="public"))
shim = Shim(Settings(indexes=chain, cache_dir=Path(cache)))
for project in ("acme-app", "idna"):
    answer = shim.fallback.page(project)
    print(project, answer.owner.name, answer.how, len(answer.page.files))
shim.close()
"""


def test_a_fresh_page_asks_nobody_again_also_in_another_process(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, tmp_path: Path
) -> None:
    made = shim(private(own), pypi(far))
    assert [ask(made, "acme-app"), ask(made, "idna")] == ["private", "pypi"]
    own.wait_for("/simple/")
    own.clear()
    far.clear()
    assert [how(made, "acme-app"), how(made, "idna")] == ["fresh", "fresh"]
    cache = str(made.settings.cache_dir)
    told = subprocess.run(
        [sys.executable, "-c", ANOTHER, own.url, far.url, cache],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    assert told.splitlines() == ["acme-app private fresh 1", "idna pypi fresh 1"]
    assert [request.path for request in own.requests if request.path != "/simple/"] == []
    assert far.requests == []


def test_an_answer_is_repeated_for_a_moment_without_the_store(
    shim: MakeShim, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 60.0)
    made = shim(pypi(far), fresh=0.0)
    assert made.fallback.page("idna") is made.fallback.page("idna")
    made.fallback.forget("idna")
    assert how(made, "idna") == "asked"
    assert far.count(IDNA) == 2


def test_a_directory_is_asked_every_time(
    shim: MakeShim, far: FakeIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 60.0)
    wheels = flat_directory(tmp_path / "wheels", [wheel("acme-tool", "1.0")])
    directory = Index(name="wheels", url=wheels.as_uri() + "/")
    made = shim(directory, pypi(far))
    assert versions(made, "acme-tool") == ["1.0"]
    assert versions(made, "idna") == ["3.0"]
    flat_directory(wheels, [wheel("acme-tool", "1.1"), wheel("idna", "4.0")])
    assert versions(made, "acme-tool") == ["1.0", "1.1"]
    assert versions(made, "idna") == ["4.0"]


def test_a_stale_page_is_revalidated_by_its_etag(shim: MakeShim, far: FakeIndex) -> None:
    made = shim(pypi(far), fresh=0.0)
    first = made.fallback.page("idna")
    second = made.fallback.page("idna")
    assert (second.how, second.digest, second.tried[0].detail) == (
        "asked",
        first.digest,
        "304 Not Modified",
    )
    before, after = (request.headers for request in far.requests)
    assert "If-None-Match" not in before
    assert after["If-None-Match"].startswith('"')


def test_a_stale_page_without_an_etag_is_revalidated_by_its_date(
    shim: MakeShim, far: FakeIndex
) -> None:
    far.header("ETag", None)
    made = shim(pypi(far), fresh=0.0)
    assert versions(made, "idna") == ["3.0"]
    assert made.fallback.page("idna").tried[0].detail == "304 Not Modified"
    assert "If-Modified-Since" in far.requests[-1].headers
    far.add(wheel("idna", "3.1"))
    assert versions(made, "idna") == ["3.0", "3.1"]


def test_not_modified_makes_a_page_fresh_again_and_a_change_replaces_it(
    shim: MakeShim, far: FakeIndex
) -> None:
    aging = shim(pypi(far), fresh=0.0)
    assert ask(aging, "idna") == "pypi"
    first = aging.store.pages.facts(far.url, "idna")
    assert ask(aging, "idna") == "pypi"
    second = aging.store.pages.facts(far.url, "idna")
    assert first is not None
    assert second is not None
    assert second.checked > first.checked
    assert second.digest == first.digest
    far.add(wheel("idna", "3.1"))
    assert versions(aging, "idna") == ["3.0", "3.1"]
    assert how(shim(pypi(far)), "idna") == "fresh"


def test_a_304_that_nobody_asked_for_is_not_an_index(shim: MakeShim, far: FakeIndex) -> None:
    far.answer(304)
    made = shim(pypi(far))
    assert ask(made, "idna") == 503
    assert far.count(IDNA) == 1


def test_a_page_that_the_store_cannot_read_is_asked_for_as_if_there_were_none(
    shim: MakeShim, far: FakeIndex
) -> None:
    assert ask(shim(pypi(far)), "idna") == "pypi"
    for fresh in (600.0, 0.0):
        made = shim(pypi(far), fresh=fresh)
        with made.store.database.write() as connection:
            connection.execute("UPDATE page SET body = x'00'")
        far.clear()
        assert versions(made, "idna") == ["3.0"]
        # Where it was revalidated first, a second time in full.
        assert far.count(IDNA) == (1 if fresh else 2)


def test_absent_is_remembered_for_a_minute_in_memory_only(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shim(private(own), pypi(far))
    assert [ask(made, "unknown"), ask(made, "unknown")] == [404, 404]
    assert own.count("/simple/unknown/") == 1
    made.fallback.forget("unknown")
    assert ask(made, "unknown") == 404
    assert own.count("/simple/unknown/") == 2
    assert ask(shim(private(own), pypi(far)), "unknown") == 404
    assert own.count("/simple/unknown/") == 3
    assert asking.ABSENT_SECONDS == 60
    monkeypatch.setattr(asking, "ABSENT_SECONDS", 0.0)
    again = shim(private(own), pypi(far))
    assert [ask(again, "unknown"), ask(again, "unknown")] == [404, 404]
    assert own.count("/simple/unknown/") == 5


def test_a_project_that_is_gone_leaves_no_page_behind(shim: MakeShim, far: FakeIndex) -> None:
    made = shim(pypi(far), fresh=0.0)
    assert ask(made, "idna") == "pypi"
    far.remove_project("idna")
    assert ask(made, "idna") == 404
    far.stop_listening()
    assert ask(shim(pypi(far)), "idna") == 503


def test_requests_at_the_same_time_share_one(shim: MakeShim, far: FakeIndex) -> None:
    made = shim(pypi(far))
    hanging = far.hang()
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(ask, made, "idna") for _ in range(16)]
        far.wait_for(IDNA)
        until(lambda: all(answer.running() for answer in answers))
        hanging.lift()
        assert {answer.result(60) for answer in answers} == {"pypi"}
    assert far.count(IDNA) == 1


def test_another_chain_does_not_take_an_answer_for_its_own(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    assert ask(shim(private(own), pypi(far)), "idna") == "pypi"
    with FakeIndex([wheel("idna", "1.0")]) as other:
        assert ask(shim(private(other), pypi(far)), "idna") == "private"
    far.clear()
    own.stop_listening()
    assert ask(shim(private(own), pypi(far)), "idna") == "pypi"
    assert ask(shim(pypi(far)), "idna") == "pypi"
    assert far.requests == []


def test_asked_again_a_fresh_page_is_looked_at_anew(shim: MakeShim, far: FakeIndex) -> None:
    made = shim(pypi(far))
    assert ask(made, "idna") == "pypi"
    assert made.fallback.page("idna", again=True).how == "asked"
    assert far.count(IDNA) == 2


def test_a_page_asked_for_again_is_repeated_to_others(
    shim: MakeShim, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 60.0)
    made = shim(pypi(far))
    assert versions(made, "idna") == ["3.0"]
    far.add(wheel("idna", "3.1"))
    assert versions(made, "idna") == ["3.0"]
    assert made.fallback.page("idna", again=True).how == "asked"
    assert versions(made, "idna") == ["3.0", "3.1"]
    assert far.count(IDNA) == 2


def test_a_page_that_is_reloaded_is_asked_for_without_validators(
    shim: MakeShim, far: FakeIndex
) -> None:
    """And no request with validators is shared, which may be answered by 304 Not Modified."""
    made = shim(pypi(far))
    assert ask(made, "idna") == "pypi"
    hanging = far.hang(times=1)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(made.fallback.page, "idna", again=True)]
        far.wait_for(IDNA, count=2)
        answers.append(pool.submit(made.fallback.page, "idna", reload=True))
        until(lambda: waiting_in("joinable") == 1)
        hanging.lift()
        assert {answer.result(60).how for answer in answers} == {"asked"}
    asked = [request.headers for request in far.requests if request.path == IDNA]
    assert ["If-None-Match" in headers for headers in asked] == [False, True, False]


def test_an_index_with_its_own_time_is_asked_again_before_the_others(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(private(own, fresh=0.0), pypi(far))
    assert [how(made), how(made), how(made, "idna"), how(made, "idna")] == [
        "asked", "asked", "asked", "fresh",
    ]  # fmt: skip


def test_one_index_alone_answers_for_itself(shim: MakeShim, own: FakeIndex, far: FakeIndex) -> None:
    made = shim(private(own), pypi(far))
    assert [ask(made, index="pypi"), ask(made, "idna", index="private")] == ["pypi", 404]
    # And that the public one was asked does not make it the owner.
    assert ask(made) == "private"


def test_offline_what_was_seen_is_served_and_nobody_asked(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    chain = (private(own), pypi(far))
    made = shim(*chain, fresh=0.0)
    assert [ask(made, "acme-app"), ask(made, "idna")] == ["private", "pypi"]
    own.wait_for("/simple/")
    own.clear()
    far.clear()
    offline = shim(*chain, offline=True, fresh=0.0, keep=0.0)
    assert [ask(offline, p) for p in ("acme-app", "idna", "unknown")] == ["private", "pypi", 404]
    assert offline.fallback.page("idna").offline
    assert (own.requests, far.requests) == ([], [])
    assert far.count(APP) == 0
