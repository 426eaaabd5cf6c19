"""Why there is no page: which index, why, and what to do."""

from dataclasses import replace

import pytest

from indexfallback.chain.explain import refusal, tried
from indexfallback.chain.policy import Ask, Refuse, Step, next_step
from indexfallback.chain.question import Candidate, Question
from indexfallback.config import Index
from indexfallback.errors import ProjectError, ProjectNotFoundError, ProjectUnavailableError
from indexfallback.outcome import Kind, Outcome
from tests.chain.walking import FRESH, MIRROR, PRIVATE, PYPI, TROUBLE, index, question

DETAILS = {Kind.ABSENT: "404 Not Found", Kind.UNREACHABLE: "connection refused (packages:443)"}


def ended(asked: Question, **answers: Kind) -> tuple[Question, Step]:
    """Return the question after a walk in which the indexes answer so, and the walk's end."""
    while isinstance(step := next_step(asked), Ask):
        kind = answers[asked.chain[step.position].index.name]
        asked = asked.learnt(step.position, Outcome(kind, DETAILS.get(kind, kind.value), 0.25))
    return asked, step


def error(asked: Question, **answers: Kind) -> ProjectError:
    walked, end = ended(asked, **answers)
    assert isinstance(end, Refuse)
    return refusal(walked, end)


def trail(asked: Question, **answers: Kind) -> list[tuple[str, str, str]]:
    walked, end = ended(asked, **answers)
    return [(t.index, t.what, t.detail) for t in tried(walked, end)]


def test_absent_everywhere_is_not_found_and_names_all_who_were_asked() -> None:
    found = error(question(PRIVATE, PYPI), private=Kind.ABSENT, pypi=Kind.ABSENT)
    assert isinstance(found, ProjectNotFoundError)
    assert found.status == 404
    assert "private: absent (404 Not Found); pypi: absent" in str(found)


def test_a_claim_says_why_no_other_index_was_asked() -> None:
    claiming = index("acme", projects=("acme-*",))
    assert "only acme may have it" in str(error(question(claiming), acme=Kind.ABSENT))


@pytest.mark.parametrize(
    ("claiming", "setting"),
    [
        (index("private", projects=("acme-*",)), "projects"),
        (index("private", only=("acme-*",)), "only"),
    ],
)
def test_a_claimed_name_that_is_gone_is_to_be_taken_out_of_the_setting(
    claiming: Index, setting: str
) -> None:
    known = Candidate(claiming, owned=True, known_since=1.0)
    remedy = error(question(known, PYPI), private=Kind.ABSENT).remedy
    assert f"remove it from {setting} of private and disown it" in remedy
    assert "`indexfallback cache disown acme-app`" in remedy


def test_an_owner_that_is_down_is_named_with_cause_and_remedy() -> None:
    for known, how in (
        (Candidate(PRIVATE, owned=True, known_since=1.0), "known there since 1970-01-01"),
        (Candidate(index("private", projects=("acme-*",))), "by projects"),
    ):
        found = error(question(known, PYPI), private=Kind.UNREACHABLE)
        assert isinstance(found, ProjectUnavailableError)
        assert found.status == 503
        for part in ("acme-app", "belongs to private", how, "connection refused", "run again"):
            assert part in str(found)


def test_where_one_index_alone_was_asked_no_other_one_is_blamed() -> None:
    alone = replace(question(MIRROR, PYPI), alone=1)
    found = error(alone, pypi=Kind.LIMITED)
    assert found.cause == "pypi could not be asked, and no page of it was seen before"
    assert found.remedy == "Wait a little and run again."


def test_an_unknown_list_of_names_says_what_mends_it() -> None:
    text = str(error(question(PRIVATE, PYPI), private=Kind.UNREACHABLE))
    for part in ("list of names", "Setting projects for private", "one reachable moment"):
        assert part in text


def test_on_outage_stop_is_named_as_the_reason() -> None:
    stopping = index("private", on_outage="stop")
    assert "on_outage is stop" in str(error(question(stopping, PYPI), private=Kind.UNREACHABLE))


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        (Kind.DENIED, "Check the user name and password of private."),
        (Kind.NO_LOGIN, "Give private a login: username and password_env"),
        (Kind.OTHER_LOGIN, "Put a login for that host into netrc, or tell whoever runs private"),
        (Kind.REFUSED, "If private wants a login, give it one: username and password_env"),
        (Kind.LIMITED, "Wait a little"),
        (Kind.NOT_AN_INDEX, "Check the address of private"),
        (Kind.FAILED, "The fault is at private: run again later, or tell whoever runs it."),
        (Kind.UNREACHABLE, "Make private reachable (VPN, network)"),
        (Kind.CONNECT_TIMEOUT, "Make private reachable (VPN, network)"),
        (Kind.CLOSED, "Start private, or correct the port in its url"),
        (Kind.NO_HOST, "Correct the host in the url of private, or connect to the network"),
        (Kind.PROXY, "Check the proxy that HTTPS_PROXY or HTTP_PROXY names"),
        (Kind.INSECURE, "Check the certificate of private, and the host and port in its url."),
        (Kind.EXPIRED, "whoever runs it must renew it"),
        (Kind.UNTRUSTED, "name its CA in pip's cert setting"),
        (Kind.LOCAL, "Run again."),
        (Kind.NOT_ALLOWED, "Add the host to allow-hosts, or leave private out."),
        (Kind.FORBIDDEN, "make private private if it is one of yours"),
    ],
)
def test_the_remedy_fits_the_trouble(kind: Kind, remedy: str) -> None:
    assert remedy in error(question(PRIVATE, PYPI), private=kind).remedy
    held = Candidate(PRIVATE, held="left alone", trouble=kind)
    assert remedy in error(question(held, PYPI)).remedy


@pytest.mark.parametrize("kind", TROUBLE)
def test_a_network_is_recommended_for_silence_only_and_a_password_for_a_refused_login_only(
    kind: Kind,
) -> None:
    remedy = error(question(PRIVATE, PYPI), private=kind).remedy
    assert ("reachable (VPN" in remedy) is (kind in (Kind.UNREACHABLE, Kind.CONNECT_TIMEOUT))
    assert ("and password of" in remedy) is (kind is Kind.DENIED)


def test_forbidden_is_proposed_for_a_refused_name_unless_it_is_set() -> None:
    setting = 'set forbidden = "absent" for it'
    asked = question(PRIVATE, PYPI)
    assert setting in error(asked, private=Kind.REFUSED).remedy
    asked = question(index("private", forbidden="absent"), PYPI)
    assert setting not in error(asked, private=Kind.REFUSED).remedy


@pytest.mark.parametrize(
    ("kind", "words"), [(Kind.REFUSED, "refuses it"), (Kind.FAILED, "could not")]
)
def test_a_refused_name_is_told_from_an_index_that_could_not_be_asked(
    kind: Kind, words: str
) -> None:
    known = Candidate(PRIVATE, owned=True, known_since=1.0)
    for asked in (question(known, PYPI), question(PRIVATE, PYPI)):
        assert words in error(asked, private=kind).cause


@pytest.mark.parametrize("kind", TROUBLE)
def test_when_all_are_in_trouble_all_are_named(kind: Kind) -> None:
    text = str(error(question(MIRROR, PYPI), mirror=kind, pypi=kind))
    assert "mirror and pypi could not be asked" in text


def test_offline_says_that_it_is_offline_and_how_to_see_what_is_here() -> None:
    found = error(question(PYPI, offline=True))
    assert found.status == 404
    for part in ("--offline is on", "never seen here", "indexfallback cache list"):
        assert part in str(found)


def test_the_trail_of_an_answer_has_every_index_of_the_chain() -> None:
    answers = {"private": Kind.ABSENT, "mirror": Kind.FOUND}
    assert trail(question(PRIVATE, MIRROR, PYPI), **answers) == [
        ("private", "absent", "404 Not Found"),
        ("mirror", "found", "found"),
        ("pypi", "not asked", "mirror answered"),
    ]


def test_the_trail_says_how_long_asking_took() -> None:
    walked, end = ended(question(PRIVATE, PYPI), private=Kind.FOUND)
    assert [t.seconds for t in tried(walked, end)] == [0.25, None]


def test_the_trail_says_what_was_skipped_for_the_owners_sake() -> None:
    held = Candidate(PRIVATE, owned=True, known_since=1.0, held="down: timeout")
    assert trail(question(held, PYPI)) == [
        ("private", "skipped", "down: timeout"),
        ("pypi", "skipped", "acme-app belongs to private"),
    ]


def test_the_trail_claims_no_ownership_that_nobody_knows_of() -> None:
    assert trail(question(PRIVATE, PYPI), private=Kind.UNREACHABLE)[1] == (
        "pypi",
        "skipped",
        "acme-app may belong to private",
    )


def test_the_trail_tells_what_was_known_before_from_what_was_asked() -> None:
    known = question(
        Candidate(PRIVATE, remembered_absent=True), Candidate(PYPI, page_age=FRESH - 1)
    )
    assert trail(known) == [
        ("private", "absent", "it said so within the last minute"),
        ("pypi", "found", "its page is fresh"),
    ]


def test_the_trail_of_an_offline_answer_says_offline() -> None:
    known = question(PRIVATE, PYPI, offline=True)
    assert trail(known)[0] == ("private", "not asked", "offline")
