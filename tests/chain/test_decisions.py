"""The log of decisions: its order, its bound, and what of it fails still."""

import time

from indexfallback.chain.activity import Activity, client_name
from indexfallback.chain.decisions import REMEMBERED, Asked, Decisions
from indexfallback.errors import (
    FileUnavailableError,
    IndexFallbackError,
    ProjectNotFoundError,
    StoreError,
)

GONE = ProjectNotFoundError("demo", (), "no index has it", "Check the name.", "private")
CUT = FileUnavailableError("demo-1.0.tar.gz", "pypi: reset", "Run again.")


def asked(project: str = "demo", filename: str = "") -> Asked:
    return Asked("pip/26.3", project, filename, time.monotonic())


def test_the_newest_decision_comes_first_and_the_oldest_are_dropped() -> None:
    log = Decisions()
    for number in range(REMEMBERED + 5):
        log.add(asked(f"demo-{number}"), "pypi", "asked")
    kept = log.since()
    assert [d.number for d in kept] == list(range(REMEMBERED + 5, 5, -1))
    assert kept[0].project == f"demo-{REMEMBERED + 4}"


def test_only_decisions_since_a_time_are_told() -> None:
    log = Decisions()
    log.add(asked(), "pypi", "asked")
    (first,) = log.since()
    assert log.since(first.when) == [first]
    assert log.since(first.when + 1) == []


def test_a_failure_has_its_status_cause_and_remedy() -> None:
    activity = Activity()
    activity.refused(asked(), GONE)
    (decision,) = activity.decisions.since()
    assert decision.is_failure
    assert (decision.status, decision.owner) == (404, "private")
    assert (decision.cause, decision.remedy) == ("no index has it", "Check the name.")


def test_an_error_that_is_not_of_a_project_has_its_reason_too() -> None:
    log = Decisions()
    log.add(asked(), "", "refused", StoreError("/cache", "it is full", "make room"))
    log.add(asked(), "", "refused", IndexFallbackError("broken"))
    broken, full = log.since()
    assert (full.cause, full.remedy) == ("/cache: it is full", "make room")
    assert (broken.cause, broken.status) == ("broken", 500)


def test_long_texts_are_cut() -> None:
    log = Decisions()
    log.add(asked("demo", "f" * 9999), "", "refused", StoreError("x", "y" * 9999, "z" * 9999))
    (decision,) = log.since()
    assert max(len(text) for text in decision if isinstance(text, str)) == 1000


def test_what_fails_is_what_no_answer_has_followed() -> None:
    activity = Activity()
    activity.refused(asked(), GONE)
    activity.refused(asked(filename="demo-1.0.tar.gz"), CUT)
    activity.refused(asked("other"), GONE)
    assert {d.filename for d in activity.decisions.failing("demo")} == {"", "demo-1.0.tar.gz"}
    activity.decisions.add(asked(), "pypi", "asked")
    (left,) = activity.decisions.failing("demo")
    assert left.cause == "pypi: reset"


def test_a_client_is_named_by_its_name_and_version_alone() -> None:
    assert client_name('pip/26.3 {"cpu":"x86_64"}') == "pip/26.3"
    assert client_name(None) == ""
    assert len(client_name("x" * 99)) == 40
