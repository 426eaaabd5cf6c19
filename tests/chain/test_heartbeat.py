"""Time in which this process did not run is charged to no index."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexfallback.chain import heartbeat
from indexfallback.chain.heartbeat import INTERVAL, TOLERANCE, Heartbeat
from indexfallback.chain.probe import Prober
from indexfallback.config import Index
from indexfallback.errors import ProjectUnavailableError
from indexfallback.health import Health, State
from indexfallback.outcome import Kind, Outcome
from indexfallback.shim import Shim
from tests.chain.chain import ask, until
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import fetch


def beating(*times: float, asleep: float = 0.0) -> Heartbeat:
    """Return a heartbeat of a machine that was suspended for ``asleep`` s before the last beat."""
    made = Heartbeat()
    for now in times:
        made.beat(now, now + asleep * (now == times[-1]))
    return made


def test_beats_on_time_or_a_little_late_show_no_gap() -> None:
    end = 3 * INTERVAL + TOLERANCE
    assert beating(0, INTERVAL, 2 * INTERVAL, end).lost(0, end, end) == 0


def test_a_late_beat_shows_to_the_requests_of_its_time_how_long_the_process_did_not_run() -> None:
    made = beating(0, 1, 11, 12)
    assert [made.lost(since, 12, 12) for since in (0, 5, 10.9)] == [9, 9, 9]
    assert (made.lost(11, 12, 12), made.lost(12, 13, 13), made.lost(0, 1, 12)) == (0, 0, 0)


def test_a_beat_that_is_missing_now_shows_it_too() -> None:
    assert beating(0, 1).lost(0, 11, 11) == 9


def test_a_suspended_machine_is_noticed_although_its_monotonic_clock_stood_still() -> None:
    assert beating(0, 1, 2, asleep=3600).lost(1.5, 2, 3602) == 3600
    assert beating(0, 1).lost(0.9, 1.2, 3601.2) == pytest.approx(3599.2)


def test_a_clock_that_is_set_back_shows_no_gap() -> None:
    assert beating(0, 1, 2, asleep=-3600).lost(0, 2, -3598) == 0


def test_without_beats_nothing_is_known() -> None:
    made = beating()
    assert made.lost(0, 100, 100) == 0
    made.beat(0, 0)
    made.stop()
    assert made.lost(0, 100, 100) == 0


def stopped(made: Shim, seconds: float = 10.0) -> None:
    """Let the process have been stopped until now."""
    now, epoch = time.monotonic(), time.time()
    made.members.heartbeat.beat(now - seconds, epoch - seconds)
    made.members.heartbeat.beat(now, epoch)


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.CONNECT_TIMEOUT, Kind.FAILED])
def test_what_fails_while_the_process_did_not_run_is_no_failure_of_an_index(
    shim: MakeShim, far: FakeIndex, kind: Kind
) -> None:
    made = shim(far)
    stopped(made)
    member = made.members["pypi"]
    member._health = Health()  # the process began long ago
    for _ in range(3):
        member.learn(Outcome(kind, "no answer in time", elapsed=9.5))
    assert (member.health.state, member.health.failures) == (State.CLOSED, 0)
    assert "did not run for 9 s" in str(member.status()["last_error"])
    for _ in range(3):  # begun after the gap
        member.learn(Outcome(kind, "no answer in time", elapsed=0.0))
    assert member.health.state is State.OPEN


@pytest.mark.parametrize("kind", [Kind.NOT_AN_INDEX, Kind.EXPIRED])
def test_what_an_index_sent_counts_whatever_the_process_did(
    shim: MakeShim, far: FakeIndex, kind: Kind
) -> None:
    made = shim(far)
    stopped(made)
    member = made.members["pypi"]
    member._health = Health()  # the process began long ago
    for _ in range(3):
        member.learn(Outcome(kind, kind.value, elapsed=9.5))
    assert member.health.state is State.OPEN


def test_a_file_that_breaks_off_while_the_process_did_not_run_is_no_failure_of_an_index(
    shim: MakeShim, far: FakeIndex
) -> None:
    dist = wheel("demo", size=400_000)
    far.add(dist)
    made = shim(Index(name="pypi", url=far.url, role="public", read_timeout=0.5))
    made.fallback.page("demo")
    path = f"/files/{dist.filename}"
    far.drip(1, path=path, times=1)
    with ThreadPoolExecutor(1) as pool:
        fetched = pool.submit(fetch, made, dist)
        far.wait_for(path)
        stopped(made)
        assert fetched.result(60) == dist.data
    member = made.members["pypi"]
    assert (member.health.failures, member.status()["errors"]) == (0, 1)
    assert "did not run" in str(member.status()["last_error"])


def test_an_index_that_was_silent_while_the_process_did_not_run_is_not_named_as_the_cause(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(far, deadline=1.0)
    silence = far.hang(path="/simple/demo/")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(made.fallback.page, "demo")
        far.wait_for("/simple/demo/")
        stopped(made)
        with pytest.raises(ProjectUnavailableError, match="this machine did not run for 9 s"):
            asked.result(60)
    silence.lift()


def test_the_prober_beats_while_there_are_clients(
    shim: MakeShim, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[float] = []
    monkeypatch.setattr(heartbeat.Heartbeat, "beat", lambda _, now, __: beats.append(now))
    made = shim(far)
    assert (ask(made, "idna"), isinstance(made.fallback._prober, Prober)) == ("pypi", True)
    until(lambda: len(beats) > 2)
