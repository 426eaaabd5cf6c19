"""What holds for every chain, whatever is known and whatever the indexes answer."""

from dataclasses import replace
from typing import NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st

from indexfallback.chain.policy import Refuse, Serve, Why
from indexfallback.chain.question import Candidate, Question, as_unknown, candidates, passed_digest
from indexfallback.config import Index
from indexfallback.outcome import Kind, Outcome
from tests.chain.walking import FRESH, KEEP, index, question, walk

PROJECT = "acme-app"

#: What makes walks differ is drawn as often as what ends them at once.
AGES = st.sampled_from([*[None] * 9, 0.0, FRESH - 1, FRESH, KEEP - 1, KEEP, KEEP * 9])
CLAIMS = st.sampled_from([(), (), (), (), (), ("other-*",)])
CLAIMS_OF_MANY = st.sampled_from([(), ("acme-*",), ("acme-app",)])
ANSWERS = st.sampled_from([*Kind, *[Kind.ABSENT, Kind.FOUND, Kind.UNREACHABLE, Kind.LIMITED] * 3])
RARELY = st.sampled_from([True, False, False, False])


class World(NamedTuple):
    """A question, and what each index would answer."""

    question: Question
    answers: dict[str, Kind]

    def walk(self) -> tuple[list[str], Serve | Refuse]:
        return walk(self.question, self.answers)

    def said_absent(self, candidate: Candidate, asked: list[str]) -> bool:
        """Tell whether the index has said that it does not have the project."""
        if candidate.index.name in asked:
            return self.answers[candidate.index.name] is Kind.ABSENT
        return candidate.remembered_absent

    def has_answered(self, candidate: Candidate, asked: list[str]) -> bool:
        """Tell whether the index has answered as an index does."""
        name = candidate.index.name
        return name in asked and Outcome(self.answers[name], "").is_answer


@st.composite
def chains(draw: st.DrawFn) -> tuple[Index, ...]:
    """Return a chain as a configuration may have it: unique names, mirrors of public indexes."""
    claims = CLAIMS_OF_MANY if draw(RARELY) else CLAIMS
    chain = [index("pypi", "public", projects=draw(claims))]
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["private", "private", "mirror", "public", "directory"]))
        name = f"{kind}-{number}"
        if kind == "mirror":
            made = index(name, "mirror", mirror_of="pypi", pages=draw(PAGES), projects=draw(claims))
        elif kind == "public":
            made = index(name, "public", projects=draw(claims))
        else:
            url = f"file:///srv/{name}/" if kind == "directory" else f"https://{name}.example.com/"
            made = index(name, url=url, on_outage=draw(MODES), projects=draw(claims))
        chain.append(made)
    return tuple(draw(st.permutations(chain)))


PAGES = st.sampled_from(["first", "authority"])
MODES = st.sampled_from(["ledger", "ledger", "stop", "next"])


@st.composite
def known(draw: st.DrawFn, of: Index, passed: str) -> Candidate:
    """Return what may be known of an index: a page only with its entry in the ledger."""
    age = draw(AGES)
    is_private = of.is_private
    return Candidate(
        of,
        page_age=age if age is None or not of.is_directory else max(age, FRESH),
        resolution_age=draw(AGES) if age is not None else None,
        passed=draw(st.sampled_from([passed, passed, "another chain"])),
        owned=is_private and (age is not None or draw(RARELY)),
        list_known=is_private and draw(RARELY),
        remembered_absent=not of.is_directory and draw(RARELY),
        held="" if of.is_directory else draw(st.sampled_from(["", "", "down"])),
        trouble=draw(st.sampled_from([None, Kind.UNREACHABLE, Kind.LIMITED])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    chain = candidates(draw(chains()), PROJECT)
    facts = [draw(known(i, passed_digest(chain[:at]))) for at, i in enumerate(chain)]
    answers = {i.name: draw(ANSWERS) for i in chain}
    for candidate in facts:  # "not modified" is about a page that is held
        if candidate.page_age is None and answers[candidate.index.name] is Kind.NOT_MODIFIED:
            answers[candidate.index.name] = Kind.FOUND
    return World(question(*facts, offline=draw(RARELY)), answers)


@given(worlds())
def test_every_walk_ends_and_asks_no_index_twice(world: World) -> None:
    asked, end = world.walk()
    assert len(asked) == len(set(asked))
    event(f"{type(end).__name__} {getattr(end, 'why', '')}")


@given(worlds())
def test_the_same_question_has_the_same_answer(world: World) -> None:
    assert world.walk() == world.walk()


@given(worlds())
def test_nothing_held_or_offline_is_asked(world: World) -> None:
    asked, _ = world.walk()
    for candidate in world.question.chain:
        if candidate.index.name in asked:
            assert not candidate.held
            assert not world.question.offline or candidate.index.is_directory


@given(worlds())
def test_a_page_comes_from_an_answer_or_from_the_store_within_its_limits(world: World) -> None:
    asked, end = world.walk()
    if not isinstance(end, Serve):
        return
    owner = world.question.chain[end.position]
    if owner.index.name in asked and world.answers[owner.index.name] in (
        Kind.FOUND,
        Kind.NOT_MODIFIED,
    ):
        assert not end.stale
        return
    offline = world.question.offline or Kind.OFFLINE in map(world.answers.get, asked)
    assert owner.page_age is not None
    assert not world.said_absent(owner, asked) or not end.stale
    assert owner.page_age < (float("inf") if offline else KEEP if end.stale else FRESH)


@settings(max_examples=200)
@given(worlds())
def test_an_owned_project_comes_from_its_owners_alone_whatever_they_answer(world: World) -> None:
    asked, end = world.walk()
    owners = {c.index.name for c in world.question.chain if c.owned}
    if not owners:
        return
    assert set(asked) <= owners
    if isinstance(end, Serve):
        assert world.question.chain[end.position].owned
    else:
        assert end.why is not Why.UNKNOWN_NAMES


@settings(max_examples=200)
@given(worlds())
def test_no_walk_passes_a_private_index_that_may_own_the_project_unknown_to_us(
    world: World,
) -> None:
    asked, end = world.walk()
    for position, private in enumerate(world.question.chain):
        if not private.index.is_private or private.index.on_outage == "next":
            continue
        lets_go = private.index.on_outage == "ledger" and (
            private.list_known or private.index.projects
        )
        if lets_go or world.said_absent(private, asked) or not isinstance(end, Serve):
            continue
        page = world.question.chain[end.position]
        resolved = page.index.name not in asked and page.resolution_age is not None
        assert end.position <= position or resolved or page.owned


@given(worlds())
def test_not_found_means_that_every_index_that_could_own_it_said_so_or_offline(
    world: World,
) -> None:
    asked, end = world.walk()
    if not isinstance(end, Refuse) or end.why not in (Why.ABSENT, Why.OFFLINE):
        return
    if end.why is Why.OFFLINE:
        assert world.question.offline or Kind.OFFLINE in map(world.answers.get, asked)
        return
    absent = {c.index.name for c in world.question.chain if world.said_absent(c, asked)}
    for candidate in (world.question.chain[position] for position in world.question.answering):
        # What a public index does not have, its mirrors do not have either.
        assert candidate.index.name in absent or candidate.index.mirror_of in absent


@given(worlds())
def test_a_fresh_resolved_answer_asks_nobody(world: World) -> None:
    head, *rest = world.question.chain
    fresh = replace(
        head,
        index=replace(head.index, url="https://head.example.com/simple/"),
        page_age=1.0,
        resolution_age=1.0,
        passed=passed_digest([]),
        remembered_absent=False,
        owned=bool(world.question.owners),
    )
    asked = replace(world.question, chain=(fresh, *rest))
    assert walk(asked, {}) == ([], Serve(0))


@given(worlds())
def test_asked_again_only_what_was_found_just_now_or_nobody_could_say_is_served(
    world: World,
) -> None:
    again = World(as_unknown(world.question, 0.0), world.answers)
    asked, end = again.walk()
    offline = world.question.offline or Kind.OFFLINE in map(world.answers.get, asked)
    if isinstance(end, Serve) and not end.stale and not offline:
        assert again.question.chain[end.position].index.name in asked


@given(worlds())
def test_no_other_owner_stands_in_for_a_public_index_with_too_many_requests(world: World) -> None:
    asked, end = world.walk()
    if not isinstance(end, Serve) or end.stale:
        return
    owner = world.question.chain[end.position]
    if owner.index.name not in asked or owner.index.is_private:
        return
    absent = {c.index.name for c in world.question.chain if world.said_absent(c, asked)}
    for candidate in world.question.chain[: end.position]:
        name, group = candidate.index.name, candidate.index.group
        if name in asked and world.answers[name] is Kind.LIMITED and not candidate.index.is_private:
            assert group in {owner.index.group, *absent}
