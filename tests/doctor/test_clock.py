"""The clock of this machine is wrong only if two servers agree on that."""

from pathlib import Path

import pytest

from indexfallback.config import Settings
from indexfallback.doctor.clock import clock
from indexfallback.doctor.finding import Cause, Finding, Verdict
from indexfallback.doctor.machine import IndexCheck, Machine

NOW = 1_796_000_000.0
HOUR = 3600.0


def found(*ahead: float | None, now: float = NOW, hosts: str = "abcdef") -> list[Finding]:
    """Return what is wrong if this machine is so far ahead of indexes named after their hosts."""
    checks = tuple(
        IndexCheck(name, "ok", "1 name", clock_ahead=seconds, host=host)
        for name, host, seconds in zip("abcdef", hosts, ahead, strict=False)
    )
    settings = Settings(indexes=(), cache_dir=Path("cache"))
    machine = Machine(
        settings=settings, environ={}, version="1", now=now, installed=NOW, indexes=checks
    )
    return [finding for finding in clock(machine) if finding.verdict is not Verdict.OK]


@pytest.mark.parametrize("ahead", [(), (None,), (1.0,), (1.0, 100.0), (-119.0,)])
def test_a_small_difference_is_well(ahead: tuple[float | None, ...]) -> None:
    assert found(*ahead) == []


def test_two_servers_that_agree_show_a_wrong_clock() -> None:
    (finding,) = found(-2 * HOUR, -2 * HOUR - 9)
    assert finding.subject == "clock"
    assert finding.what.startswith("2 h behind the clocks of a and b: ")


def test_one_server_that_stands_alone_is_itself_at_fault() -> None:
    (finding,) = found(HOUR)
    assert (finding.subject, finding.states) == ("index a", None)
    assert finding.what == "its Date header is 1 h behind this machine's clock"
    assert finding.remedy.startswith("Compare this machine's clock with a true one. If it is right")


def test_two_indexes_on_one_server_are_one_witness() -> None:
    (finding,) = found(HOUR, HOUR, hosts="aa")
    assert finding.subject.startswith("index ")


def test_servers_that_disagree_are_at_fault_each() -> None:
    assert [finding.subject for finding in found(HOUR, 3 * HOUR)] == ["index a", "index b"]


def test_one_server_that_agrees_with_this_machine_clears_it() -> None:
    findings = found(HOUR, 2.0, HOUR)
    assert [finding.subject for finding in findings] == ["index a", "index c"]
    assert "no other index agrees" in findings[0].what


def test_the_one_that_differs_from_those_that_agree_is_at_fault_too() -> None:
    assert [finding.subject for finding in found(HOUR, HOUR, 9 * HOUR)] == ["clock", "index c"]


def test_a_clock_before_the_installation_is_wrong_whatever_the_indexes_say() -> None:
    (finding,) = found(now=0.0)
    assert finding.what.startswith("it is at 1970-01-01, before indexfallback was installed here")
    assert finding.states is Cause.CLOCK


@pytest.mark.parametrize(("ahead", "cause"), [(HOUR, None), (50 * HOUR, Cause.CLOCK)])
def test_only_a_clock_that_is_days_off_makes_certificates_expire(
    ahead: float, cause: Cause | None
) -> None:
    (finding,) = found(ahead, ahead)
    assert finding.states is cause
