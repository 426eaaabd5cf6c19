"""What was seen before: fresh and stale pages, walks done before, and being offline."""

from dataclasses import replace

import pytest

from indexfallback.chain.policy import Refuse, Serve, Why
from indexfallback.chain.question import Candidate, passed_digest
from indexfallback.config import OnOutage
from indexfallback.outcome import Kind
from tests.chain.walking import FRESH, KEEP, MIRROR, PRIVATE, PYPI, index, question, walk

STALE = FRESH + 1

# Pages that are here already.


def test_a_fresh_page_is_served_without_asking_its_index() -> None:
    known = question(PRIVATE, Candidate(PYPI, page_age=FRESH - 1))
    assert walk(known, {"private": Kind.ABSENT}) == (["private"], Serve(1, resolved=True))


def test_a_page_as_old_as_the_limit_is_asked_for() -> None:
    assert walk(question(Candidate(PYPI, page_age=FRESH)), {"pypi": Kind.NOT_MODIFIED})[0] == [
        "pypi"
    ]


def test_the_youngest_stale_page_of_the_first_group_stands_in() -> None:
    other = index("other", "public")
    known = question(
        Candidate(MIRROR, page_age=STALE + 9),
        Candidate(other, page_age=STALE),
        Candidate(PYPI, page_age=STALE + 5),
    )
    assert walk(known, lambda _: Kind.UNREACHABLE)[1] == Serve(2, stale=True)


def test_a_stale_page_gives_way_to_an_index_that_answers() -> None:
    known = question(Candidate(MIRROR, page_age=STALE), PYPI)
    answers = {"mirror": Kind.UNREACHABLE, "pypi": Kind.FOUND}
    assert walk(known, answers)[1] == Serve(1, resolved=True)


def test_a_stale_page_older_than_it_is_kept_does_not_stand_in() -> None:
    known = question(Candidate(PYPI, page_age=KEEP))
    assert walk(known, {"pypi": Kind.UNREACHABLE})[1] == Refuse(Why.UNAVAILABLE)


def test_absent_within_the_last_minute_is_taken_for_an_answer() -> None:
    known = question(Candidate(PRIVATE, remembered_absent=True), PYPI)
    assert walk(known, {"pypi": Kind.FOUND}) == (["pypi"], Serve(1, resolved=True))


# A walk that was done before.


def resolved(of: Candidate, *passed: Candidate) -> Candidate:
    """Return the candidate as a walk down these indexes left it a minute ago."""
    digest = passed_digest([candidate.index for candidate in passed])
    return replace(of, page_age=60.0, resolution_age=60.0, passed=digest)


def test_a_fresh_walk_down_the_same_chain_is_not_repeated() -> None:
    private = Candidate(PRIVATE, held="down")
    known = question(private, resolved(Candidate(PYPI), private))
    assert walk(known, {}) == ([], Serve(1))


def test_a_walk_is_repeated_when_its_time_is_over() -> None:
    private = Candidate(PRIVATE)
    old = replace(resolved(Candidate(PYPI), private), resolution_age=FRESH)
    assert walk(question(private, old), {"private": Kind.FOUND})[0] == ["private"]


def test_a_walk_down_another_chain_does_not_count() -> None:
    other = Candidate(index("other"))
    known = question(Candidate(PRIVATE), resolved(Candidate(PYPI), other))
    assert walk(known, {"private": Kind.FOUND})[0] == ["private"]


def test_a_walk_does_not_count_past_a_private_index_that_has_the_project_since() -> None:
    private = Candidate(PRIVATE, owned=True, known_since=1.0)
    known = question(private, resolved(Candidate(PYPI), private))
    assert walk(known, {"private": Kind.UNREACHABLE})[1] == Refuse(Why.OWNED, 0)


def test_a_walk_does_not_count_past_a_directory() -> None:
    directory = Candidate(index("wheels", url="file:///srv/wheels/"))
    known = question(directory, resolved(Candidate(PYPI), directory))
    assert walk(known, {"wheels": Kind.FOUND}) == (["wheels"], Serve(0, resolved=True))


# Offline.


def test_offline_every_page_that_was_seen_is_served_and_nobody_asked() -> None:
    for age in (1.0, STALE, KEEP * 100):
        known = question(Candidate(PYPI, page_age=age), offline=True)
        assert walk(known, {}) == ([], Serve(0, stale=True))


def test_offline_an_old_walk_still_counts() -> None:
    private = Candidate(PRIVATE)
    old = replace(resolved(Candidate(PYPI), private), page_age=KEEP, resolution_age=KEEP)
    assert walk(question(private, old, offline=True), {}) == ([], Serve(1))


@pytest.mark.parametrize("mode", ["ledger", "next", "stop"])
@pytest.mark.parametrize("in_ledger", [True, False])
def test_offline_what_was_never_seen_is_not_found(mode: OnOutage, in_ledger: bool) -> None:
    private = Candidate(replace(PRIVATE, on_outage=mode), owned=in_ledger)
    _, end = walk(question(private, PYPI, offline=True), {})
    assert isinstance(end, Refuse)
    assert end.why is Why.OFFLINE


def test_offline_a_private_project_is_not_served_from_a_public_page() -> None:
    private = Candidate(PRIVATE, owned=True, known_since=1.0)
    known = question(private, Candidate(PYPI, page_age=1.0), offline=True)
    assert walk(known, {}) == ([], Refuse(Why.OFFLINE, 0))


def test_one_attempt_that_finds_no_network_makes_the_whole_walk_offline() -> None:
    old = Candidate(PYPI, page_age=KEEP * 100)
    private = Candidate(PRIVATE, list_known=True)
    assert walk(question(private, old), lambda _: Kind.OFFLINE)[1] == Serve(1, stale=True)
    assert walk(question(private, PYPI), lambda _: Kind.OFFLINE)[1] == Refuse(Why.OFFLINE)
    owned = Candidate(PRIVATE, owned=True, known_since=1.0)
    assert walk(question(owned, old), lambda _: Kind.OFFLINE)[1] == Refuse(Why.OFFLINE, 0)


def test_offline_a_directory_is_still_asked() -> None:
    directory = Candidate(index("wheels", url="file:///srv/wheels/"), page_age=FRESH)
    known = question(directory, PYPI, offline=True)
    assert walk(known, {"wheels": Kind.FOUND}) == (["wheels"], Serve(0, resolved=True))


def test_each_index_has_its_own_time_for_which_a_page_is_fresh() -> None:
    known = question(Candidate(PRIVATE, page_age=20.0, owned=True, known_since=1.0))
    short = replace(known, chain=(replace(known.chain[0], fresh=15.0),))
    assert walk(known, {})[0] == []
    assert walk(short, {"private": Kind.NOT_MODIFIED})[0] == ["private"]


def test_an_earlier_walk_holds_while_the_page_that_it_ended_at_is_fresh() -> None:
    private = Candidate(PRIVATE)
    known = question(private, resolved(Candidate(PYPI), private))
    short = replace(known, chain=(known.chain[0], replace(known.chain[1], fresh=0.0)))
    assert walk(known, {})[0] == []
    assert "private" in walk(short, {"private": Kind.ABSENT, "pypi": Kind.FOUND})[0]
