"""What a shim could not do, in words."""

from typing import Any

import pytest

from indexfallback.clients.troubles import troubles

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


YOUNG = {
    "version": "2.0",
    "files": ["demo-2.0-py3-none-any.whl"],
    "cause": "it was uploaded at pypi on 2026-11-28 and is withheld until 2026-12-05",
    "remedy": "Use an older version.",
}


def test_the_newest_release_that_a_cooldown_withholds_is_named() -> None:
    older = {**YOUNG, "version": "1.9"}
    served = {**SERVED, "withheld": (YOUNG, older)}
    (trouble,) = troubles(_status(projects={"demo": served, "idna": SERVED}), 1.0)
    assert trouble == (
        "demo 2.0 is withheld.",
        (
            "It was uploaded at pypi on 2026-11-28 and is withheld until 2026-12-05.",
            "What you can do: Use an older version.",
        ),
    )


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
