"""Findings that follow from another one are folded into it."""

from indexfallback.doctor.finding import Cause, Finding, Verdict, fail, ok, warn
from indexfallback.doctor.folding import folded

OFFLINE = warn("offline", "there is no network", "Connect", states=Cause.NETWORK)
DOWN = fail("index a", "offline: this machine has no network", "Connect", follows=Cause.NETWORK)
OTHER = fail("pip", "it asks another index", "Remove it")


def test_a_finding_that_follows_is_told_with_its_cause() -> None:
    (finding,) = folded([DOWN, OFFLINE])
    assert finding.subject == "offline"
    assert finding.effects == (DOWN,)


def test_a_cause_is_as_bad_as_what_follows_from_it() -> None:
    assert folded([OFFLINE])[0].verdict is Verdict.WARN
    assert folded([OFFLINE, DOWN])[0].verdict is Verdict.FAIL


def test_without_its_cause_it_is_told_by_itself() -> None:
    assert folded([DOWN, OTHER]) == [DOWN, OTHER]


def test_the_worst_come_first_in_the_order_of_the_checks() -> None:
    well: Finding = ok("disk", "9 GB free")
    assert folded([well, OFFLINE, OTHER]) == [OTHER, OFFLINE, well]
