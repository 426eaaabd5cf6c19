"""What is fetched ahead through the ordinary chain, for clients in this process."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pip._internal.network.session import user_agent

from indexfallback.chain.answer import Answer
from indexfallback.chain.question import PageRequest
from indexfallback.config import Index
from indexfallback.errors import ProjectError
from indexfallback.files.download import FileAddress
from indexfallback.files.planner import PageAddress
from indexfallback.files.schedule import MOST_AT_ONCE, Client
from indexfallback.flight import start
from indexfallback.health import State
from indexfallback.names import METADATA_ENDING
from indexfallback.shim import Shim
from indexfallback.store import Blob
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, tree, wheel
from tests.files.support import key_of
from tests.serving import wait_until

PIP = Client("127.0.0.1", user_agent())
APP = wheel("app", requires=["lib", "tool"])
LIB = wheel("lib", requires=["base"])
TOOL = wheel("tool", size=1000)
BASE = wheel("base")
ALL = (APP, LIB, TOOL, BASE)
#: A moment in which something that must not happen would have happened, seconds.
_MOMENT = 0.3


def ask_page(shim: Shim, project: str, client: Client = PIP, index: str | None = None) -> Answer:
    """Ask for a page as the server does for a client."""
    answer = shim.fallback.page(project, index)
    shim.ahead.page_asked(client, answer, PageAddress(project, index))
    return answer


def ask_file(shim: Shim, dist: Dist, ending: str = "", client: Client = PIP) -> bool:
    """Ask for a file as the server does for a client; tell whether it was held."""
    address = address_of(dist, ending)
    found = shim.downloads.get(*address)
    size = found.size if isinstance(found, Blob) else found.total or 0
    held = shim.fallback.activity.sent(address, size, cached=isinstance(found, Blob))
    shim.ahead.file_asked(client, address, is_held=held)
    return held


def address_of(dist: Dist, ending: str = "") -> FileAddress:
    return FileAddress("pypi", key_of(dist), dist.filename + ending)


def page_path(dist: Dist) -> str:
    return f"/simple/{dist.project}/"


def file_path(dist: Dist, ending: str = "") -> str:
    return f"/files/{dist.filename}{ending}"


def metadata_path(dist: Dist) -> str:
    return file_path(dist, METADATA_ENDING)


def paths(index: FakeIndex) -> set[str]:
    return {request.path for request in index.requests}


def is_idle(shim: Shim) -> bool:
    """Tell whether nothing is being fetched ahead, and nothing is to be."""
    ahead = shim.ahead
    waits = time.monotonic() < ahead._followed_until and ahead._asked
    return ahead._schedule.is_idle and not ahead._done and not waits


def settle(shim: Shim) -> None:
    """Wait until nothing is fetched ahead any more."""
    wait_until(lambda: is_idle(shim), 10, "what is fetched ahead does not end")
    calm = time.monotonic() + _MOMENT
    while time.monotonic() < calm:
        time.sleep(0.01)  # an event is taken off the queue before its tasks begin
        if not is_idle(shim):
            calm = time.monotonic() + _MOMENT


def ahead(shim: Shim) -> dict[str, int]:
    return shim.fallback.activity.ahead.report()


def test_the_tree_below_a_page_is_fetched_before_the_client_asks(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index:
        made = shim(index)
        ask_page(made, "app")
        for dist in ALL:
            index.wait_for(metadata_path(dist))
        settle(made)
        assert paths(index) == {page_path(d) for d in ALL} | {metadata_path(d) for d in ALL}
        before = index.count()
        assert [ask_page(made, d.project).how for d in ALL[1:]] == ["ahead"] * 3
        assert [ask_file(made, d, METADATA_ENDING) for d in ALL] == [False] * 4
        settle(made)
        assert index.count() == before == 8


def test_the_wheels_follow_the_first_one_that_the_client_downloads(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index:
        made = shim(index)
        for dist in ALL:
            ask_page(made, dist.project)
            ask_file(made, dist, METADATA_ENDING)
        settle(made)
        assert not [path for path in paths(index) if path.endswith(".whl")]
        ask_file(made, APP)
        for dist in ALL:
            index.wait_for(file_path(dist))
        settle(made)
        assert [index.count(file_path(dist)) for dist in ALL] == [1] * 4


def test_what_was_fetched_and_what_was_used_is_counted_once(shim: MakeShim) -> None:
    with FakeIndex([*ALL, wheel("app", "0.9")]) as index:
        made = shim(index)
        size = ask_page(made, "app").size
        index.wait_for(metadata_path(BASE))
        settle(made)
        fetched = ahead(made)
        assert fetched["fetches"] == 7
        assert fetched["used"] == 0
        sizes = {dist: ask_page(made, dist.project).size for dist in (LIB, TOOL)}
        assert size > 0
        assert ahead(made)["used"] == sum(sizes.values())
        for _ in range(3):
            ask_page(made, "lib")
            ask_file(made, LIB, METADATA_ENDING)
        used = sum(sizes.values()) + len(LIB.metadata)
        assert ahead(made) == {**fetched, "used": used}
        sent = made.fallback.activity.report()["bytes"]
        assert sent == {"fetched": len(LIB.metadata), "cached": 2 * len(LIB.metadata)}


def test_nothing_is_planned_while_everything_is_held(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index:
        ask_all(shim(index))
        made, before = shim(index), index.count()
        ask_all(made)
        assert index.count() == before
        assert made.ahead._thread is None
        assert ahead(made)["fetches"] == 0


def ask_all(shim: Shim) -> None:
    """Install all, as pip would."""
    for dist in ALL:
        ask_page(shim, dist.project)
        ask_file(shim, dist, METADATA_ENDING)
    for dist in ALL:
        ask_file(shim, dist)
    wait_until(lambda: not shim.downloads._running, 10, "the files are not kept")


def test_what_was_asked_for_while_it_was_held_counts_once_something_is_missing(
    shim: MakeShim,
) -> None:
    with FakeIndex(ALL) as index:
        first = shim(index)
        first.fallback.page("app")
        ask_file(first, APP, METADATA_ENDING, Client("127.0.0.1", "curl/8"))
        wait_until(lambda: not first.downloads._running, 10, "the metadata are not kept")
        made = shim(index)
        ask_page(made, "app")
        ask_file(made, APP, METADATA_ENDING)
        settle(made)
        assert index.count(page_path(TOOL)) == 0
        ask_page(made, "lib")
        index.wait_for(metadata_path(TOOL))


@pytest.mark.parametrize("agent", ["", "curl/8.0", "poetry/2.5.1 CPython/3.12.4"])
def test_nothing_is_fetched_for_a_client_that_tells_nothing(shim: MakeShim, agent: str) -> None:
    with FakeIndex(ALL) as index:
        made = shim(index)
        ask_page(made, "app", Client("127.0.0.1", agent))
        assert made.ahead._thread is None
        assert paths(index) == {page_path(APP)}


def test_read_ahead_false_ends_it(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index:
        made = shim(index, read_ahead=False)
        ask_page(made, "app")
        assert made.ahead._thread is None
        assert paths(index) == {page_path(APP)}


def test_a_client_joins_what_is_fetched_ahead_for_it(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index, index.hang(path=page_path(LIB)) as hanging:
        made = shim(index)
        ask_page(made, "app")
        index.wait_for(page_path(LIB))
        threading.Timer(0.2, hanging.lift).start()
        assert made.fallback.page("lib").how in ("asked", "ahead")
        assert index.count(page_path(LIB)) == 1


def test_a_client_has_its_own_deadline_for_what_was_begun_before_it_asked(shim: MakeShim) -> None:
    with FakeIndex([LIB]) as index, index.delay(5.0, path=page_path(LIB)):
        made = shim(index, deadline=4.0)
        ahead = start(lambda: made.fallback.page_ahead(PageRequest("lib")), "ahead")
        index.wait_for(page_path(LIB))
        time.sleep(2.0)
        assert made.fallback.page("lib").how == "asked"
        assert isinstance(ahead.exception(10), ProjectError)
        assert index.count(page_path(LIB)) == 1


def test_a_client_waits_for_what_it_asks_itself_and_not_for_what_is_fetched_ahead(
    shim: MakeShim,
) -> None:
    dists = tree(20)
    with FakeIndex([*dists, BASE]) as index:
        hanging = [index.hang(path=page_path(dist)) for dist in dists[1:]]
        made = shim(index)
        ask_page(made, "tree-0")
        wait_until(lambda: asked(index, dists[1:]) == MOST_AT_ONCE, 10, "nothing is fetched ahead")
        began = time.monotonic()
        assert ask_page(made, "base").how == "asked"
        assert time.monotonic() - began < 2
        assert asked(index, dists[1:]) == MOST_AT_ONCE
        for rule in hanging:
            rule.lift()
        index.wait_for(page_path(dists[-1]))


def asked(index: FakeIndex, dists: list[Dist]) -> int:
    return len(paths(index) & {page_path(dist) for dist in dists})


def test_nothing_is_fetched_at_an_index_in_trouble(shim: MakeShim) -> None:
    """A client's request would be the trial that tells if the index is back."""
    with FakeIndex(ALL) as index:
        made = shim(index)
        answer = made.fallback.page("app")
        with index.fail(500):
            for number in range(3):
                with pytest.raises(ProjectError):
                    made.fallback.page(f"trouble-{number}")
        assert made.members["pypi"].health.state is State.OPEN
        index.clear()
        made.ahead.page_asked(PIP, answer, PageAddress(answer.project, None))
        settle(made)
        tree = {path(dist) for dist in ALL for path in (page_path, metadata_path)}
        assert not paths(index) & (tree - {page_path(APP)}), "not even as a trial"


def test_what_a_client_has_got_before_its_fetch_was_counted_is_used(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index:
        made = shim(index)
        answer = made.fallback.page("base")
        made.fallback.activity.ahead.begin("base")
        made.ahead.page_asked(PIP, answer, PageAddress(answer.project, None))
        made.fallback.activity.ahead.end("base", 5)
        wait_until(lambda: ahead(made)["used"] == 5, 10, "what was used does not count")


def test_nothing_is_fetched_at_a_public_index_for_a_name_of_a_private_one(shim: MakeShim) -> None:
    with FakeIndex([LIB, BASE]) as own, FakeIndex([APP, LIB, TOOL, BASE]) as public:
        private = Index(name="private", url=own.url, projects=("lib",))
        made = shim(private, Index(name="pypi", url=public.url, role="public"))
        ask_page(made, "app")
        for path in (page_path(TOOL), metadata_path(TOOL)):
            public.wait_for(path)
        own.wait_for(metadata_path(BASE))
        settle(made)
        assert not {page_path(LIB), metadata_path(LIB)} & paths(public)
        assert made.store.ledger.owners("base").keys() == {private.key}


def test_an_index_that_is_asked_alone_alone_is_asked(shim: MakeShim) -> None:
    with FakeIndex([APP, LIB]) as own, FakeIndex(ALL) as public:
        private = Index(name="private", url=own.url)
        made = shim(private, Index(name="pypi", url=public.url, role="public"))
        ask_page(made, "app", index="private")
        own.wait_for(metadata_path(LIB))
        settle(made)
        assert not public.requests


def test_what_cannot_be_fetched_is_told_to_nobody_but_the_client_that_asks(
    shim: MakeShim, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeIndex([APP, TOOL]) as index:
        made = shim(index)
        ask_page(made, "app")
        index.wait_for(page_path(LIB))
        settle(made)
        report: Any = made.fallback.activity.report()
        assert list(report["projects"]) == ["app"]
        assert report["failures"] == []
        assert not caplog.records
        with pytest.raises(ProjectError):
            ask_page(made, "lib")
        report = made.fallback.activity.report()
        assert [failure["what"] for failure in report["failures"]] == ["lib"]


@pytest.mark.parametrize("values", [{"fresh": 0.0}, {"offline": True}])
def test_nothing_is_fetched_where_it_would_not_be_used(
    shim: MakeShim, values: dict[str, Any]
) -> None:
    with FakeIndex(ALL) as index:
        shim(index).fallback.page("app")
        made = shim(index, **values)
        index.clear()
        answer = made.fallback.page("app")
        made.ahead.page_asked(PIP, answer._replace(how="asked"), PageAddress("app", None))
        settle(made)
        assert not paths(index) & {page_path(dist) for dist in ALL[1:]}


def test_closing_ends_it(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index, index.hang(path=page_path(LIB)):
        made = shim(index)
        ask_page(made, "app")
        index.wait_for(page_path(LIB))
        made.ahead.close()
        assert made.ahead._thread is None
        index.lift()
        wait_until(lambda: made.ahead._done, 10, "the task does not end")
        assert made.ahead._thread is None
        assert index.count(metadata_path(LIB)) == 0


def test_the_planning_thread_ends_when_there_is_nothing_to_plan(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.files.ahead._IDLE_SECONDS", 0.5)
    with FakeIndex(ALL) as index:
        made = shim(index)
        ask_page(made, "app")
        index.wait_for(metadata_path(BASE))
        wait_until(lambda: made.ahead._thread is None, 10, "the planning thread does not end")
        ask_file(made, APP, METADATA_ENDING)
        assert made.ahead._thread is not None


def test_a_note_takes_a_client_no_time(shim: MakeShim) -> None:
    with FakeIndex(ALL) as index:
        made = shim(index)
        address = address_of(APP)

        def note() -> None:
            made.ahead.file_asked(PIP, address, is_held=True)

        assert seconds(note) < 0.001


def seconds(work: Callable[[], None], times: int = 1000) -> float:
    """Return the least of the times that something takes, seconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)
