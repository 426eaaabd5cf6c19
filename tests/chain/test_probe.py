"""Background probes: an index that was skipped is found back without any client's request."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from indexfallback import health
from indexfallback.chain import probe
from indexfallback.chain.probe import Prober
from indexfallback.config import Index
from indexfallback.health import State
from indexfallback.outcome import Kind, Outcome
from indexfallback.shim import Shim
from tests.chain.chain import APP, ROOT, ask, mirror, private, pypi, until
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

PIP = "/simple/pip/"
DOWN = Outcome(Kind.CONNECT_TIMEOUT, "connect timeout")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the prober look often, and short waits."""
    monkeypatch.setattr(probe, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(health, "FIRST_WAIT", 0.05)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take each index as idle that nobody asks for a moment."""
    monkeypatch.setattr(probe, "IDLE_SECONDS", 0.02)


@pytest.fixture
def fake() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("acme-app"), wheel("acme-lib"), wheel("pip")]) as index:
        yield index


def state(made: Shim, name: str = "pypi") -> State:
    return made.members[name].health.state


def probing() -> list[str]:
    """Return the threads that probe."""
    return [t.name for t in threading.enumerate() if t.name.startswith("probe")]


# When.


@pytest.mark.usefixtures("idle")
def test_without_a_client_nothing_is_probed_and_no_thread_runs(
    shim: MakeShim, fake: FakeIndex
) -> None:
    made = shim(fake)
    made.members["pypi"].learn(DOWN)
    assert probing() == []
    assert fake.requests == []


@pytest.mark.usefixtures("idle")
def test_some_time_after_the_last_client_probing_ends(
    shim: MakeShim, fake: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "CLIENT_SECONDS", 2.0)
    made = shim(fake)
    ask(made)
    fake.wait_for(APP, count=2)
    until(lambda: probing() == [])
    fake.clear()
    assert ask(made, "acme-lib") == "pypi"
    assert probing()


def test_closing_the_shim_ends_probing_at_once(shim: MakeShim, fake: FakeIndex) -> None:
    made = shim(fake)
    ask(made)
    assert probing() == ["prober"]
    made.close()
    assert "prober" not in probing()


@pytest.mark.usefixtures("idle")
def test_an_idle_index_is_probed(shim: MakeShim, fake: FakeIndex) -> None:
    made = shim(fake)
    ask(made)
    fake.fail(500)
    until(lambda: state(made) is State.OPEN)


def test_an_index_that_clients_ask_is_not_probed(shim: MakeShim, fake: FakeIndex) -> None:
    member = shim(fake).members["pypi"]
    now = time.monotonic()
    assert not member.begin_probe(now, 60, 10)
    assert member.begin_probe(now + 60, 60, 10)
    assert not member.begin_probe(now + 60, 60, 10)


def test_an_index_that_asked_to_be_left_alone_is_not_probed(
    shim: MakeShim, fake: FakeIndex
) -> None:
    member = shim(fake).members["pypi"]
    member.learn(Outcome(Kind.LIMITED, "429", retry_after=100))
    now = time.monotonic()
    assert not member.begin_probe(now + 90, 0, 10)
    assert member.begin_probe(now + 101, 0, 10)


def test_offline_and_directories_are_not_probed(
    shim: MakeShim, fake: FakeIndex, tmp_path: Path
) -> None:
    here = Index(name="here", url=tmp_path.as_uri() + "/")
    later = time.monotonic() + 1000
    assert not shim(here).members["here"].begin_probe(later, 0, 10)
    assert not shim(fake, offline=True).members["pypi"].begin_probe(later, 0, 10)


# What of.


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("of", "values", "expected"),
    [
        (private, {}, ROOT),
        (pypi, {}, PIP),
        (mirror, {}, PIP),
        (pypi, {"probe": "acme-lib"}, "/simple/acme-lib/"),
        (private, {"probe": "acme-lib"}, "/simple/acme-lib/"),
    ],
)
def test_before_any_page_was_served_it_asks_for(
    shim: MakeShim, fake: FakeIndex, of: Any, values: dict[str, Any], expected: str
) -> None:
    made = shim(of(fake, **values))
    prober = Prober(made.members, made.store, made.settings)
    prober.wake()
    fake.wait_for()
    prober.close()
    assert fake.requests[0].path == expected


@pytest.mark.parametrize("of", [private, pypi])
def test_it_asks_for_a_page_that_was_served_before(
    shim: MakeShim, fake: FakeIndex, of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shim(of(fake))
    ask(made)
    monkeypatch.setattr(probe, "IDLE_SECONDS", 0.02)
    fake.wait_for(APP, count=2)
    assert {request.path for request in fake.requests} <= {APP, ROOT}


@pytest.mark.usefixtures("idle")
def test_a_captive_portal_is_no_page(shim: MakeShim, fake: FakeIndex) -> None:
    made = shim(fake)
    ask(made)
    fake.answer(200, {"Content-Type": "text/html"}, b"<html><form action=/login></form></html>")
    until(lambda: state(made) is State.OPEN)


# What comes of it.


def test_two_probes_close_a_circuit_without_any_client(shim: MakeShim, fake: FakeIndex) -> None:
    made = shim(fake)
    ask(made)
    fake.clear()
    made.members["pypi"].learn(DOWN)
    assert state(made) is State.OPEN
    until(lambda: state(made) is State.CLOSED)
    assert fake.count() == health.SUCCESSES_TO_CLOSE


def test_an_index_that_is_still_down_is_probed_ever_less(shim: MakeShim, fake: FakeIndex) -> None:
    made = shim(fake)
    ask(made)
    fake.fail(500)
    fake.clear()
    made.members["pypi"].learn(DOWN)
    fake.wait_for(APP, count=4)
    times = [request.when for request in fake.requests]
    waits = [after - before for before, after in pairwise(times)]
    # Each spread by a fifth.
    least = [0.8 * wait for wait in (0.1, 0.2, 0.4)]
    assert all(wait > shortest for wait, shortest in zip(waits, least, strict=False)), waits


def test_a_probe_that_hangs_keeps_no_other_index_from_being_probed(
    shim: MakeShim, fake: FakeIndex
) -> None:
    with FakeIndex() as hanging:
        made = shim(mirror(hanging), pypi(fake))
        ask(made)
        hanging.hang()
        for name in ("mirror", "pypi"):
            made.members[name].learn(DOWN)
        hanging.wait_for(PIP)
        until(lambda: state(made) is State.CLOSED)
        assert state(made, "mirror") is State.HALF_OPEN


def test_while_one_probe_is_under_way_no_second_one_begins(shim: MakeShim, fake: FakeIndex) -> None:
    made = shim(fake)
    ask(made)
    fake.clear()
    hanging = fake.hang()
    made.members["pypi"].learn(DOWN)
    fake.wait_for(APP)
    for _ in range(20):  # looks every hundredth of a second
        assert not made.members["pypi"].begin_probe(time.monotonic(), 60, 10)
    assert fake.count() == 1
    hanging.lift()
    until(lambda: state(made) is State.CLOSED)


def test_being_back_is_one_line(
    shim: MakeShim, fake: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "indexfallback")
    made = shim(fake)
    ask(made)
    fake.fail(500, times=2)
    made.members["pypi"].learn(DOWN)
    until(lambda: any("up again" in line for line in caplog.messages))
    lines = [line for line in caplog.messages if "unavailable" in line or "again after" in line]
    assert len(lines) == 2, lines
    assert lines[0].startswith("pypi: unavailable (connect timeout); skipped for 0 s. Make pypi ")
    assert lines[1].startswith("pypi: up again after ")
