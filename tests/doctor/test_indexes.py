"""A failure that several indexes have in common is one finding."""

from pathlib import Path

import pytest

from indexfallback.config import Index, Settings
from indexfallback.doctor.finding import Cause, Finding, Verdict
from indexfallback.doctor.indexes import answers
from indexfallback.doctor.machine import IndexCheck, Machine
from indexfallback.outcome import Kind

INDEX = Index(name="a", url="https://a.example.com/simple/")
WELL = IndexCheck("well", "ok", "3 names", host="well.example.com")


def failed(name: str, host: str, kind: Kind, *, private: bool = False) -> IndexCheck:
    """Return the check of an index that could not be asked."""
    what, remedy = f"down: {kind.value}", f"Mend {name}."
    return IndexCheck(name, "FAIL", what, remedy=remedy, kind=kind, host=host, is_private=private)


def found(*checks: IndexCheck) -> list[Finding]:
    """Return what is wrong with the indexes."""
    settings = Settings(indexes=(INDEX,), cache_dir=Path("cache"))
    machine = Machine(
        settings=settings, environ={}, version="1", now=1_796_000_000.0, indexes=checks
    )
    return [finding for finding in answers(machine) if finding.verdict is not Verdict.OK]


def test_a_host_that_is_down_is_told_once() -> None:
    (finding,) = found(failed("a", "h", Kind.CLOSED), failed("b", "h", Kind.CLOSED), WELL)
    assert finding.subject == "indexes"
    assert finding.what == "a and b are down: closed port"
    assert finding.remedy == "Mend a"


def test_two_hosts_that_are_down_are_two_causes() -> None:
    findings = found(failed("a", "x", Kind.CLOSED), failed("b", "y", Kind.CLOSED))
    assert [finding.subject for finding in findings] == ["index a", "index b"]


def test_a_proxy_that_fails_is_one_cause_for_all_hosts() -> None:
    assert len(found(failed("a", "x", Kind.PROXY), failed("b", "y", Kind.PROXY), WELL)) == 1


@pytest.mark.parametrize(
    ("kinds", "subject"),
    [
        ((Kind.NO_HOST, Kind.CONNECT_TIMEOUT), "network"),
        ((Kind.NOT_AN_INDEX, Kind.NOT_AN_INDEX), "network"),
        ((Kind.UNTRUSTED, Kind.UNTRUSTED), "certificates"),
        ((Kind.EXPIRED, Kind.EXPIRED), "clock"),
    ],
)
def test_a_failure_of_all_hosts_is_of_this_machine_or_its_network(
    kinds: tuple[Kind, Kind], subject: str
) -> None:
    checks = failed("a", "x", kinds[0]), failed("b", "y", kinds[1])
    (finding,) = found(*checks)
    assert finding.subject == subject
    assert all(check.what in finding.what for check in checks)
    assert [finding.subject for finding in found(*checks, WELL)] == ["index a", "index b"]


@pytest.mark.parametrize(
    ("kind", "subjects"),
    [
        (Kind.NO_HOST, ["network"]),
        (Kind.UNTRUSTED, ["certificates"]),
        (Kind.EXPIRED, ["index a", "index b"]),
        (Kind.NOT_AN_INDEX, ["index a", "index b"]),
    ],
)
def test_a_failure_of_all_private_hosts_may_be_that_of_their_network(
    kind: Kind, subjects: list[str]
) -> None:
    private = (failed(name, f"{name}.example.com", kind, private=True) for name in "ab")
    findings = found(*private, WELL)
    assert [finding.subject for finding in findings] == subjects
    assert findings[0].what.startswith("no private index") is (len(subjects) == 1)


def test_the_date_is_told_where_all_certificates_seem_expired() -> None:
    (finding,) = found(failed("a", "x", Kind.EXPIRED), failed("b", "y", Kind.EXPIRED))
    assert "(it is at 2026-11-30)" in finding.what
    assert finding.follows is Cause.CLOCK


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (Kind.OFFLINE, Cause.NETWORK),
        (Kind.EXPIRED, Cause.CLOCK),
        (Kind.UNTRUSTED, Cause.TRUST),
        (Kind.INSECURE, Cause.TRUST),
        (Kind.CLOSED, None),
    ],
)
def test_a_failure_may_follow_from_a_fault_of_this_machine(kind: Kind, cause: Cause | None) -> None:
    (finding,) = found(failed("a", "x", kind), WELL)
    assert finding.follows is cause
