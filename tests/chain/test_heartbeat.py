"""Time in which this process did not run is charged to no index."""

import time

import pytest

from indexfallback.chain import heartbeat
from indexfallback.chain.heartbeat import INTERVAL, TOLERANCE, Heartbeat
from indexfallback.chain.probe import Prober
from indexfallback.health import State
from indexfallback.outcome import Kind, Outcome
from tests.chain.chain import ask, until
from tests.conftest import MakeShim
from tests.fakes import FakeIndex


def beating(*times: float) -> Heartbeat:
    made = Heartbeat()
    for now in times:
        made.beat(now)
    return made


def test_beats_on_time_or_a_little_late_show_no_gap() -> None:
    made = beating(0, INTERVAL, 2 * INTERVAL, 3 * INTERVAL + TOLERANCE)
    assert made.lost(0, 3 * INTERVAL + TOLERANCE) == 0


def test_a_late_beat_shows_how_long_the_process_did_not_run() -> None:
    made = beating(0, 1, 11, 12)
    assert made.lost(0, 12) == 9
    assert made.lost(5, 12) == 5
    assert (made.lost(11, 12), made.lost(12, 13)) == (0, 0)


def test_a_beat_that_is_missing_now_shows_it_too() -> None:
    assert beating(0, 1).lost(0, 11) == 9


def test_without_beats_nothing_is_known() -> None:
    made = beating()
    assert made.lost(0, 100) == 0
    made.beat(0)
    made.stop()
    assert made.lost(0, 100) == 0


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.CONNECT_TIMEOUT])
def test_silence_while_the_process_did_not_run_is_no_failure_of_an_index(
    shim: MakeShim, far: FakeIndex, kind: Kind
) -> None:
    made = shim(far)
    now = time.monotonic()
    for when in (now - 10, now):
        made.members.heartbeat.beat(when)
    member = made.members["pypi"]
    for _ in range(3):
        member.learn(Outcome(kind, "no answer in time", elapsed=9.5))
    assert (member.health.state, member.health.failures) == (State.CLOSED, 0)
    assert "did not run for 8 s" in str(member.status()["last_error"])
    for _ in range(3):  # begun after the gap
        member.learn(Outcome(kind, "no answer in time", elapsed=0.0))
    assert member.health.state is State.OPEN


def test_what_an_index_answered_counts_whatever_the_process_did(
    shim: MakeShim, far: FakeIndex
) -> None:
    made = shim(far)
    made.members.heartbeat.beat(time.monotonic() - 10)
    member = made.members["pypi"]
    for _ in range(3):
        member.learn(Outcome(Kind.FAILED, "500", elapsed=9.5))
    assert member.health.state is State.OPEN


def test_the_prober_beats_while_there_are_clients(
    shim: MakeShim, far: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[float] = []
    monkeypatch.setattr(heartbeat.Heartbeat, "beat", lambda _, now: beats.append(now))
    made = shim(far)
    assert (ask(made, "idna"), isinstance(made.fallback._prober, Prober)) == ("pypi", True)
    until(lambda: len(beats) > 2)
