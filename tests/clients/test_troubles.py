"""What a shim could not do, in words."""

from typing import Any

import pytest

from indexfallback.clients.troubles import troubles
from indexfallback.words import minute

SERVED: dict[str, Any] = {"owner": "pypi", "left_out": "", "withheld": ()}
CHANGED = {
    "project": "demo",
    "filename": "demo-1.0-py3-none-any.whl",
    "index": "pypi",
    "cause": "it was first seen with sha256 a and is offered with b now",
    "remedy": "Ask its maintainer which one is right.",
}


def _status(
    *failures: dict[str, Any],
    projects: dict[str, Any] | None = None,
    refused: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    """Return what a shim answers of which every index is well."""
    failures = tuple({"title": "", **failure} for failure in failures)
    activity = {"failures": failures, "projects": projects or {}}
    indexes = [{"name": "private", "failed": 0.0, "held": ""}]
    return {"activity": activity, "refused": refused, "indexes": indexes, "offline": False}


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("private could not be asked", "private could not be asked."),
        ("private: wrong bytes", "private: wrong bytes."),
        ("no index has it", "No index has it."),
    ],
)
def test_a_cause_begins_as_a_sentence_and_a_name_as_it_is_spelt(cause: str, sentence: str) -> None:
    tried = [{"index": "private", "what": "absent", "detail": ""}]
    failure = {"what": "demo", "status": 503, "tried": tried, "cause": cause, "remedy": ""}
    (trouble,) = troubles(_status(failure), 1.0)
    assert trouble == ("demo could not be looked up.", (sentence,))


def test_a_project_of_which_no_file_is_offered_is_said_to_be_one() -> None:
    served = {**SERVED, "left_out": "2 left out (2: a malformed sha256)"}
    (trouble,) = troubles(_status(projects={"demo": served, "idna": SERVED}), 1.0)
    assert trouble == (
        "demo has no file that can be installed.",
        ("Of the files that pypi lists, 2 left out (2: a malformed sha256).",),
    )


def test_a_file_that_changed_is_said_to_be_withheld_if_its_project_was_asked_for() -> None:
    (trouble,) = troubles(_status(projects={"demo": SERVED}, refused=(CHANGED,)), 1.0)
    assert trouble == (
        "demo-1.0-py3-none-any.whl of pypi is withheld.",
        (
            "It was first seen with sha256 a and is offered with b now.",
            "What you can do: Ask its maintainer which one is right.",
        ),
    )
    assert list(troubles(_status(projects={"idna": SERVED}, refused=(CHANGED,)), 1.0)) == []


def test_a_file_that_changed_is_explained_once() -> None:
    failure = {
        "what": CHANGED["filename"],
        "status": 409,
        "tried": [],
        "cause": CHANGED["cause"],
        "remedy": "",
    }
    status = _status(failure, projects={"demo": SERVED}, refused=(CHANGED,))
    assert len(list(troubles(status, 1.0))) == 1


def test_an_outage_concerns_a_command_that_looked_something_up_and_has_its_own_remedy() -> None:
    status = _status(projects={"idna": SERVED})
    status["indexes"] = [
        {
            "name": "private", "failed": 2.0, "held": "", "last_error": "503 Service Unavailable",
            "remedy": "The fault is at private: run again later, or tell whoever runs it.",
        }
    ]  # fmt: skip
    (trouble,) = troubles(status, 1.0)
    assert trouble.sentence == "private was unavailable meanwhile: 503 Service Unavailable."
    assert trouble.details[1] == (
        "What you can do: The fault is at private: run again later, or tell whoever runs it."
    )
    assert list(troubles({**status, "activity": _status()["activity"]}, 1.0)) == []


YOUNG: dict[str, Any] = {
    "version": "2.0",
    "until": 1796472000.0,
    "is_whole": True,
    "files": ["demo-2.0-py3-none-any.whl"],
    "cause": "it was uploaded at pypi on 2026-11-28 and is withheld until 2026-12-05",
    "remedy": "Use an older version.",
}


def test_a_release_that_a_cooldown_withholds_is_named() -> None:
    served = {**SERVED, "withheld": (YOUNG,)}
    (trouble,) = troubles(_status(projects={"demo": served, "idna": SERVED}), 1.0)
    assert trouble == (
        "demo 2.0 is withheld.",
        (
            "It was uploaded at pypi on 2026-11-28 and is withheld until 2026-12-05.",
            "What you can do: Use an older version.",
        ),
    )


def test_all_releases_that_a_cooldown_withholds_are_named_since_any_may_be_pinned() -> None:
    older = {**YOUNG, "version": "1.9", "files": ["demo-1.9.tar.gz"]}
    served = {**SERVED, "withheld": (YOUNG, older)}
    (trouble,) = troubles(_status(projects={"demo": served}), 1.0)
    until = minute(YOUNG["until"])
    assert trouble == (
        "2 releases of demo are withheld by a cooldown.",
        (
            f"2.0 until {until}, 1.9 until {until}.",
            (
                "What you can do: Use an older version; if one of them is needed now, "
                "`indexfallback cache accept demo VERSION` offers it."
            ),
        ),
    )


def test_files_of_a_release_that_is_offered_besides_are_named_themselves() -> None:
    one = {**YOUNG, "is_whole": False}
    two = {**one, "version": "1.0", "files": ["demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"]}
    (trouble,) = troubles(_of_demo(one), 1.0)
    assert trouble.sentence == "demo-2.0-py3-none-any.whl is withheld."
    (trouble,) = troubles(_of_demo(two), 1.0)
    assert trouble.sentence == "2 files of demo 1.0 are withheld."
    (trouble,) = troubles(_of_demo(one, two), 1.0)
    until = minute(YOUNG["until"])
    assert trouble.details[0] == f"1 file of 2.0 until {until}, 2 files of 1.0 until {until}."


def _of_demo(*withheld: dict[str, Any]) -> dict[str, Any]:
    return _status(projects={"demo": {**SERVED, "withheld": withheld}})


def test_of_more_projects_than_are_explained_the_withheld_releases_are_named() -> None:
    """The project that was asked for last is explained first: clients stop there."""
    projects = {f"demo{number}": {**SERVED, "withheld": (YOUNG,)} for number in range(7)}
    first, *_, last = troubles(_status(projects=projects), 1.0)
    assert first.sentence == "demo6 2.0 is withheld."
    assert last == ("a cooldown withholds releases of more projects: demo1 2.0, demo0 2.0", ())


def test_a_withheld_file_that_a_client_asked_for_is_named_once() -> None:
    failure = {
        "what": "demo-2.0-py3-none-any.whl",
        "status": 404,
        "title": "File withheld",
        "tried": (),
        "cause": YOUNG["cause"],
        "remedy": "",
    }
    status = _status(failure, projects={"demo": {**SERVED, "withheld": (YOUNG,)}})
    (trouble,) = troubles(status, 1.0)
    assert trouble.sentence == "demo-2.0-py3-none-any.whl is withheld."
