"""Row 80 under load: a private name is never answered by another index, whatever happens when."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexfallback.chain import fallback
from indexfallback.config import OnOutage, Settings
from indexfallback.shim import Shim
from indexfallback.store import Store
from tests.chain.chain import ask, private, pypi
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table, wait_until

NAMES = ("acme-app", "acme-lib")
#: Threads that ask all the time, and how long: some hundred answers with each fault.
ASKING = 6
SECONDS = 2.0


@pytest.fixture
def own() -> Iterator[FakeIndex]:
    with FakeIndex([wheel(name, "1.0") for name in NAMES]) as index:
        yield index


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    with FakeIndex([wheel(name, "9.0") for name in (*NAMES, "idna")]) as index:
        yield index


class Machine:
    """A shim that is asked by many threads while it is restarted, on one cache directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._shim = Shim(settings)
        self._retired: list[Shim] = []
        self._stopped = threading.Event()
        #: Who answered for which name.
        self.answers: set[tuple[str, str | int]] = set()

    def restart(self) -> None:
        # Two processes share a directory too: the old one ends when its last answer is out.
        self._retired.append(self._shim)
        self._shim = Shim(self._settings)

    def ask_on(self) -> None:
        while not self._stopped.is_set():
            for name in (*NAMES, "idna"):
                self.answers.add((name, ask(self._shim, name)))

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        for shim in (*self._retired, self._shim):
            shim.close()


def bad_days(own: FakeIndex, machine: Machine) -> list[Callable[[], object]]:
    """Return what happens, in turn."""
    return [
        own.stop_listening,
        machine.restart,
        own.start_again,
        lambda: own.fail(503, times=6),
        lambda: own.drop(reset=True, times=6),
        machine.restart,
        lambda: own.fail(401, times=2),
        own.stop_listening,
        own.start_again,
        own.lift,
        lambda: own.answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>", times=4),
        lambda: own.cut(10, times=4),
        machine.restart,
    ]


def learn_names(own: FakeIndex, settings: Settings) -> None:
    """Have all names known before the first bad day, and one by its page too."""
    shim = Shim(settings)
    source = settings.indexes[0].key
    assert ask(shim, NAMES[0]) == "private"
    wait_until(lambda: shim.store.ledger.name_list(source), 5, "the list of names is not known")
    shim.close()


@pytest.mark.fault(80)
@pytest.mark.parametrize("mode", ["ledger", "next", "stop"])
def test_no_private_name_is_answered_elsewhere_in_any_interleaving(
    own: FakeIndex, far: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: OnOutage
) -> None:
    monkeypatch.setattr(fallback, "REPEAT_SECONDS", 0.0)
    chain = (private(own, on_outage=mode), pypi(far))
    settings = Settings(indexes=chain, cache_dir=tmp_path, fresh=0.0, deadline=1.0)
    learn_names(own, settings)
    machine = Machine(settings)
    with ThreadPoolExecutor(ASKING) as pool:
        asking = [pool.submit(machine.ask_on) for _ in range(ASKING)]
        ends = time.monotonic() + SECONDS
        days = bad_days(own, machine)
        turn = 0
        while time.monotonic() < ends:
            days[turn % len(days)]()
            turn += 1
            time.sleep(0.03)  # as long as a few answers take: it is to happen in their midst
        machine.stop()
        for each in asking:
            each.result(60)
    machine.close()
    private_answers = {answer for name, answer in machine.answers if name in NAMES}
    assert private_answers <= {"private", 503}
    assert "private" in private_answers
    assert [far.count(f"/simple/{name}/") for name in NAMES] == [0, 0]


@pytest.mark.fault(80)
def test_a_private_name_is_not_answered_elsewhere_right_after_a_restart(
    own: FakeIndex, far: FakeIndex, served: Serve, tmp_path: Path
) -> None:
    tables = index_table("private", own.url, role="private"), index_table("pypi", far.url)
    directory = tmp_path / "served"
    first = served(*tables, directory=directory)
    assert first.get("/simple/acme-app/").status == 200
    own.wait_for("/simple/")
    wait_until(lambda: _listed(directory / "cache", own.url), 5, "the names are not known")
    first.stop()
    own.stop_listening()
    second = served(*tables, directory=directory, cache={"fresh": "0 s"})
    with ThreadPoolExecutor(10) as pool:
        known = list(pool.map(second.get, ["/simple/acme-app/"] * 10))
        never_asked = list(pool.map(second.get, ["/simple/acme-lib/"] * 10))
    assert {answer.status for answer in known} == {200}
    assert all(b"acme_app-1.0" in answer.body for answer in known)
    assert {answer.problem["status"] for answer in never_asked} == {503}
    assert "acme-lib: it belongs to private" in second.log
    assert second.get("/simple/idna/").status == 200
    assert [far.count(f"/simple/{name}/") for name in NAMES] == [0, 0]


def _listed(cache: Path, source: str) -> bool:
    store = Store(cache, 10**9)
    try:
        return store.ledger.name_list(source) is not None
    finally:
        store.close()
