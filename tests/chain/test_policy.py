"""The outcome table, row by row, and every mode of `on_outage`."""

from dataclasses import replace
from typing import Any

import pytest

from indexfallback.chain.policy import Ask, Refuse, Serve, Why, next_step
from indexfallback.chain.question import Candidate, Question, candidates
from indexfallback.config import Index, OnOutage
from indexfallback.outcome import Kind, Outcome
from tests.chain.walking import FRESH, KEEP, MIRROR, PRIVATE, PYPI, TROUBLE, index, question, walk

STALE = FRESH + 1


@pytest.mark.parametrize("kind", [Kind.FOUND, Kind.NOT_MODIFIED])
def test_the_first_index_that_has_the_project_owns_it(kind: Kind) -> None:
    assert walk(question(PRIVATE, MIRROR, PYPI), {"private": kind}) == (
        ["private"],
        Serve(0, resolved=True),
    )


def test_what_an_index_does_not_have_is_asked_of_the_next_one() -> None:
    answers = {"private": Kind.ABSENT, "mirror": Kind.ABSENT, "pypi": Kind.FOUND}
    assert walk(question(PRIVATE, MIRROR, PYPI), answers) == (
        ["private", "mirror", "pypi"],
        Serve(2, resolved=True),
    )


def test_what_no_index_has_is_absent() -> None:
    asked, end = walk(question(PRIVATE, MIRROR, PYPI), lambda _: Kind.ABSENT)
    assert (asked, end) == (["private", "mirror", "pypi"], Refuse(Why.ABSENT))


@pytest.mark.parametrize("kind", TROUBLE)
def test_a_mirror_in_trouble_hands_over_to_its_public_index(kind: Kind) -> None:
    assert walk(question(MIRROR, PYPI), {"mirror": kind, "pypi": Kind.FOUND}) == (
        ["mirror", "pypi"],
        Serve(1, resolved=True),
    )


@pytest.mark.parametrize("kind", sorted(set(TROUBLE) - {Kind.LIMITED}, key=str))
def test_after_a_public_index_in_trouble_another_one_answers_for_now(kind: Kind) -> None:
    other = index("other", "public")
    # Not resolved: the first one is asked again next time.
    assert walk(question(PYPI, other), {"pypi": kind, "other": Kind.FOUND}) == (
        ["pypi", "other"],
        Serve(1, resolved=False),
    )


def test_for_a_public_index_with_too_many_requests_only_its_group_answers() -> None:
    other = index("other", "public")
    limited = question(MIRROR, other, PYPI)
    answers = {"mirror": Kind.LIMITED, "other": Kind.FOUND, "pypi": Kind.FOUND}
    assert walk(limited, answers) == (["mirror", "pypi"], Serve(2, resolved=False))
    answers["pypi"] = Kind.UNREACHABLE
    assert walk(limited, answers) == (["mirror", "pypi"], Refuse(Why.UNAVAILABLE))
    answers["pypi"] = Kind.ABSENT
    assert walk(limited, answers) == (["mirror", "pypi", "other"], Serve(1, resolved=False))


def test_a_limit_lasts_as_long_as_the_index_is_left_alone_for_it() -> None:
    other = index("other", "public")
    held = Candidate(PYPI, held="left alone for 30 s: 429", trouble=Kind.LIMITED)
    assert walk(question(held, other), {}) == ([], Refuse(Why.UNAVAILABLE))
    assert walk(question(replace(held, page_age=STALE), other), {})[1] == Serve(0, stale=True)
    gone = replace(held, remembered_absent=True)
    assert walk(question(gone, other), {"other": Kind.FOUND})[1] == Serve(1, resolved=True)
    over = replace(held, held="")
    assert walk(question(over, other), {"pypi": Kind.FOUND})[0] == ["pypi"]


@pytest.mark.parametrize("kind", TROUBLE)
def test_what_only_indexes_in_trouble_may_have_is_unavailable(kind: Kind) -> None:
    for answers in ({"mirror": kind, "pypi": kind}, {"mirror": Kind.ABSENT, "pypi": kind}):
        assert walk(question(MIRROR, PYPI), answers)[1] == Refuse(Why.UNAVAILABLE)


def test_what_its_public_index_does_not_have_is_absent_though_a_mirror_is_down() -> None:
    known = question(Candidate(MIRROR, page_age=STALE), PYPI)
    answers = {"mirror": Kind.UNREACHABLE, "pypi": Kind.ABSENT}
    assert walk(known, answers)[1] == Refuse(Why.ABSENT)


# A private index that cannot be asked.


def served_by_the_next(
    mode: OnOutage, *, kind: Kind = Kind.UNREACHABLE, projects: tuple[str, ...] = (), **known: Any
) -> bool | Why:
    """Tell whether pypi serves ``acme-app`` while private cannot be asked, or why not."""
    private = replace(PRIVATE, on_outage=mode, projects=projects)
    candidate = Candidate(private, **known)
    _, end = walk(question(candidate, PYPI), {"private": kind, "pypi": Kind.FOUND})
    if isinstance(end, Serve):
        assert end == Serve(1, resolved=False)
        return True
    assert end.position == 0
    return end.why


@pytest.mark.parametrize("kind", TROUBLE)
def test_on_outage_ledger_goes_on_only_where_the_names_are_known(kind: Kind) -> None:
    assert served_by_the_next("ledger", kind=kind) is Why.UNKNOWN_NAMES
    assert served_by_the_next("ledger", kind=kind, list_known=True) is True
    assert served_by_the_next("ledger", kind=kind, projects=("other-*",)) is True


@pytest.mark.parametrize("kind", TROUBLE)
def test_on_outage_next_goes_on_list_or_no_list(kind: Kind) -> None:
    assert served_by_the_next("next", kind=kind) is True
    assert served_by_the_next("next", kind=kind, list_known=True) is True


@pytest.mark.parametrize("kind", TROUBLE)
def test_on_outage_stop_never_goes_on(kind: Kind) -> None:
    assert served_by_the_next("stop", kind=kind) is Why.STOP
    assert served_by_the_next("stop", kind=kind, list_known=True) is Why.STOP
    assert served_by_the_next("stop", kind=kind, projects=("other-*",)) is Why.STOP


@pytest.mark.parametrize("mode", ["ledger", "next", "stop"])
@pytest.mark.parametrize("kind", TROUBLE)
def test_in_every_mode_an_owned_project_goes_to_no_other_index(mode: OnOutage, kind: Kind) -> None:
    assert (
        served_by_the_next(mode, kind=kind, owned=True, known_since=1.0, list_known=True)
        is Why.OWNED
    )
    assert served_by_the_next(mode, kind=kind, projects=("acme-*",)) is Why.OWNED


@pytest.mark.parametrize("mode", ["ledger", "next", "stop"])
def test_a_held_private_index_is_not_asked_and_keeps_its_own_projects(mode: OnOutage) -> None:
    private = replace(PRIVATE, on_outage=mode)
    known = question(Candidate(private, owned=True, known_since=1.0, held="down"), PYPI)
    assert walk(known, {}) == ([], Refuse(Why.OWNED, 0))


@pytest.mark.parametrize("mode", ["ledger", "next", "stop"])
def test_an_owned_projects_stale_page_stands_in_within_its_limit(mode: OnOutage) -> None:
    private = replace(PRIVATE, on_outage=mode)
    known = Candidate(private, page_age=KEEP - 1, owned=True, known_since=1.0)
    answers = {"private": Kind.FAILED}
    assert walk(question(known, PYPI), answers)[1] == Serve(0, stale=True)
    too_old = replace(known, page_age=KEEP)
    assert walk(question(too_old, PYPI), answers)[1] == Refuse(Why.OWNED, 0)


def test_a_private_index_that_says_absent_keeps_a_project_in_the_ledger() -> None:
    owner = Candidate(PRIVATE, owned=True, known_since=1.0, page_age=STALE)
    answers = {"private": Kind.ABSENT, "pypi": Kind.FOUND}
    assert walk(question(owner, PYPI), answers) == (["private"], Refuse(Why.GONE, 0))


def test_absence_that_is_remembered_keeps_it_too() -> None:
    owner = Candidate(PRIVATE, owned=True, known_since=1.0, remembered_absent=True)
    assert walk(question(owner, PYPI), {}) == ([], Refuse(Why.GONE, 0))


def test_a_project_of_two_owners_comes_from_the_second_when_the_first_has_it_no_more() -> None:
    first, second = (
        Candidate(index(name), owned=True, known_since=1.0) for name in ("first", "second")
    )
    answers = {"first": Kind.ABSENT, "second": Kind.FOUND}
    walked = walk(question(first, PYPI, second), answers)
    assert walked == (["first", "second"], Serve(2, resolved=True))


def test_an_index_before_the_owner_is_not_asked_for_its_project() -> None:
    owner = Candidate(PRIVATE, owned=True, known_since=1.0)
    known = question(PYPI, index("other"), owner)
    assert walk(known, {"private": Kind.FOUND}) == (["private"], Serve(2, resolved=True))


def alone(position: int, *known: Candidate | Index) -> Question:
    return replace(question(*known), alone=position)


def test_an_index_alone_does_not_answer_for_a_project_of_another_one() -> None:
    owner = Candidate(PRIVATE, owned=True, known_since=1.0)
    assert walk(alone(1, owner, PYPI), {}) == ([], Refuse(Why.ELSEWHERE, 0))
    assert walk(alone(0, owner, PYPI), {"private": Kind.FOUND})[1] == Serve(0)


def test_an_index_alone_answers_for_a_project_that_nobody_is_known_to_own() -> None:
    assert walk(alone(1, PRIVATE, PYPI), {"pypi": Kind.FOUND}) == (["pypi"], Serve(1))
    assert walk(alone(1, PRIVATE, PYPI), {"pypi": Kind.ABSENT})[1] == Refuse(Why.ABSENT)


# Copies of projects of the public index.

EXTRA = index("extra", defer_copies=True)


def judge(known: Question, answers: dict[str, Kind], *verdicts: bool) -> tuple[list[str], object]:
    """Walk with comparisons that end as ``verdicts`` say; return who was asked or compared."""
    done: list[str] = []
    left = list(verdicts)
    while not isinstance(step := next_step(known), (Serve, Refuse)):
        name = known.chain[step.position].index.name
        assert len(done) < 10, f"in circles: {done}"
        if isinstance(step, Ask):
            done.append(name)
            known = known.learnt(step.position, Outcome(answers[name], ""))
            continue
        against = "nobody" if step.against is None else known.chain[step.against].index.name
        done.append(f"{name} = {against}")
        is_copy = left.pop(0) if step.against is not None else False
        known = known.judged(step.position, is_copy=is_copy, is_own=not is_copy)
    assert not left
    return done, step


def test_a_copy_is_the_public_indexs() -> None:
    answers = {"extra": Kind.FOUND, "pypi": Kind.FOUND}
    known = question(Candidate(EXTRA, may_copy=True), PYPI)
    walked = judge(known, answers, True)
    assert walked == (["extra", "pypi", "extra = pypi"], Serve(1, resolved=True))


def test_what_is_no_copy_stays_its_own() -> None:
    answers = {"extra": Kind.FOUND, "pypi": Kind.FOUND}
    known = question(Candidate(EXTRA, may_copy=True, owned=True, known_since=1.0), PYPI)
    walked = judge(known, answers, False)
    assert walked == (["extra", "pypi", "extra = pypi"], Serve(0, resolved=True))


def test_what_no_public_index_has_is_no_copy() -> None:
    answers = {"extra": Kind.FOUND, "pypi": Kind.ABSENT}
    known = question(Candidate(EXTRA, may_copy=True), PYPI)
    assert judge(known, answers)[0] == ["extra", "pypi", "extra = nobody"]


def test_a_page_that_cannot_be_compared_is_served_by_its_index() -> None:
    answers = {"extra": Kind.FOUND, "pypi": Kind.UNREACHABLE}
    known = question(Candidate(EXTRA, may_copy=True), PYPI)
    assert judge(known, answers) == (["extra", "pypi"], Serve(0, resolved=True))


def test_an_old_public_page_proves_a_copy_while_its_index_is_down() -> None:
    answers = {"extra": Kind.FOUND, "pypi": Kind.UNREACHABLE}
    known = question(Candidate(EXTRA, may_copy=True), Candidate(PYPI, page_age=STALE))
    walked = judge(known, answers, True)
    assert walked == (["extra", "pypi", "extra = pypi"], Serve(1, stale=True))


@pytest.mark.parametrize("kind", [Kind.ABSENT, *TROUBLE])
def test_a_listed_name_that_was_not_compared_yet_goes_to_no_public_index(kind: Kind) -> None:
    listed = Candidate(EXTRA, may_copy=True, owned=True, known_since=1.0, list_known=True)
    walked = judge(question(listed, PYPI), {"extra": kind})
    assert walked == (["extra"], Refuse(Why.GONE if kind is Kind.ABSENT else Why.OWNED, 0))


@pytest.mark.parametrize("kind", [Kind.ABSENT, *TROUBLE])
def test_what_was_a_copy_comes_from_the_public_index_also_without_the_extra_one(
    kind: Kind,
) -> None:
    copied = Candidate(EXTRA, may_copy=True, was_copy=True)
    walked = judge(question(copied, PYPI), {"extra": kind, "pypi": Kind.FOUND})
    assert walked[0] == ["extra", "pypi"]
    assert isinstance(walked[1], Serve)
    assert walked[1].position == 1


def test_a_public_index_alone_answers_for_what_an_extra_one_has_a_copy_of() -> None:
    listed = Candidate(EXTRA, may_copy=True, owned=True, known_since=1.0)
    answers = {"extra": Kind.FOUND, "pypi": Kind.FOUND}
    assert judge(alone(1, listed, PYPI), answers, True)[1] == Serve(1)
    assert judge(alone(1, listed, PYPI), answers, False)[1] == Refuse(Why.ELSEWHERE, 0)


def test_an_index_before_it_does_not_stand_in_for_the_owner_of_a_project() -> None:
    known = question(
        Candidate(PYPI, page_age=STALE), Candidate(PRIVATE, owned=True, known_since=1.0)
    )
    answers = {"pypi": Kind.UNREACHABLE, "private": Kind.UNREACHABLE}
    assert walk(known, answers)[1] == Refuse(Why.OWNED, 1)


# Who is in the chain for a project.


def test_a_claim_restricts_the_chain_to_those_who_claim() -> None:
    first = index("first", projects=("acme-*",))
    second = index("second", projects=("acme-app",))
    chain = (MIRROR, first, PRIVATE, second, PYPI)
    assert candidates(chain, "acme-app") == (first, second)
    assert candidates(chain, "acme-lib") == (first,)
    assert candidates(chain, "other") == chain


def test_a_claim_of_a_public_index_holds_for_its_mirrors() -> None:
    public = replace(PYPI, projects=("acme-app",))
    assert candidates((PRIVATE, MIRROR, public), "acme-app") == (MIRROR, public)


def test_an_authority_is_asked_before_the_mirrors_that_defer_to_it() -> None:
    one = replace(MIRROR, name="one", pages="authority")
    two = replace(MIRROR, name="two", pages="authority")
    assert candidates((one, PRIVATE, two, PYPI), "acme-app") == (PRIVATE, PYPI, one, two)


def test_a_mirror_that_defers_is_not_asked_for_what_its_authority_does_not_have() -> None:
    mirror = replace(MIRROR, pages="authority")
    assert walk(question(PYPI, mirror), {"pypi": Kind.ABSENT}) == (["pypi"], Refuse(Why.ABSENT))


def test_a_mirror_that_defers_stands_in_for_an_authority_in_trouble() -> None:
    mirror = replace(MIRROR, pages="authority")
    answers = {"pypi": Kind.UNREACHABLE, "mirror": Kind.FOUND}
    assert walk(question(PYPI, mirror), answers) == (["pypi", "mirror"], Serve(1, resolved=True))
