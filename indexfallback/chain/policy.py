"""What to do next for a project: (chain, health, ledger, cached) -> step, without I/O.

The caller asks for a step, does it, adds what it learnt to the question and asks again, until
the step is an answer. The rules are those of the outcome table in the documentation:

- a claim restricts the chain to the claiming indexes;
- the first index that has the project owns it; pages of different owners are never merged;
- a project that a private index owns goes to no other index, whatever happens;
- fresh page, then asking, then stale page, then 503; a mirrored page counts as fresh for good.
"""

from dataclasses import dataclass
from enum import Enum
from math import isinf

from indexfallback.chain.question import Candidate, Question, passed_digest
from indexfallback.outcome import Kind


@dataclass(frozen=True)
class Ask:
    """Ask the index at ``position`` of the chain for its page."""

    position: int


@dataclass(frozen=True)
class Serve:
    """Serve the page of the index at ``position``."""

    position: int
    #: It stands in for an index that could not be asked.
    stale: bool = False
    #: Every index before said that it does not have the project, so that this answer holds
    #: for the whole chain as long as the page is fresh.
    resolved: bool = False


class Why(Enum):
    """Why there is no page to serve."""

    #: No index that could own it has it: 404.
    ABSENT = "absent"
    #: Offline, and never seen: 404, since 503 would cost pip 7.5 s and abort uv.
    OFFLINE = "offline"
    #: It belongs to an index that could not be asked: 503.
    OWNED = "owned"
    #: A private index that might own it could not be asked, and its names are unknown: 503.
    UNKNOWN_NAMES = "unknown names"
    #: The same, and the user wants to stop there (`on_outage = "stop"`): 503.
    STOP = "stop"
    #: The indexes that might have it could not be asked: 503.
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Refuse:
    """There is no page; ``position`` is the index that decided it, None if it was all."""

    why: Why
    position: int | None = None


Step = Ask | Serve | Refuse


def next_step(question: Question) -> Step:
    """Return what to do next for the question's project."""
    known = _resolved_before(question)
    if known is not None:
        return Serve(known)
    unavailable: list[int] = []
    for position, candidate in enumerate(question.chain):
        if candidate.outcome is not None and candidate.outcome.is_page:
            return Serve(position, resolved=_is_resolved(question, position))
        if candidate.is_absent or _defers(question, position) or _is_barred(question, position):
            continue
        if candidate.mirrored:
            return Serve(position, resolved=_is_resolved(question, position))
        may_ask = question.offline_state.ordered is None or candidate.index.is_directory
        if candidate.outcome is None and may_ask:
            if candidate.page_age is not None and candidate.page_age < question.fresh:
                return Serve(position, resolved=_is_resolved(question, position))
            if not candidate.held:
                return Ask(position)
        refusal = _private_outage(question, position)
        if refusal is not None:
            return refusal
        unavailable.append(position)
    return _stand_in(question, unavailable)


def _resolved_before(question: Question) -> int | None:
    """Find the page that an earlier walk down this very chain ended at, if it still holds."""
    limit = float("inf") if question.is_offline else question.fresh
    for position, candidate in enumerate(question.chain):
        if candidate.is_absent and candidate.outcome is not None:
            continue
        # A directory costs nothing to ask, and what was just put there is wanted at once.
        if candidate.index.is_directory or _has_answered(candidate):
            return None
        ages = (candidate.page_age, candidate.resolution_age)
        if all(
            age is not None and age < limit for age in ages
        ) and candidate.passed == passed_digest([c.index for c in question.chain[:position]]):
            return position
        if candidate.in_ledger or candidate.index.claims(question.project):
            return None
    return None


def _has_answered(candidate: Candidate) -> bool:
    return candidate.outcome is not None and candidate.outcome.kind is not Kind.OFFLINE


def _is_resolved(question: Question, position: int) -> bool:
    index = question.chain[position].index
    return all(
        candidate.is_absent or candidate.index.group == index.group
        for candidate in question.chain[:position]
    )


def _defers(question: Question, position: int) -> bool:
    """Tell whether an index's authority has already said that there is no such project."""
    index = question.chain[position].index
    return index.pages == "authority" and any(
        other.index.name == index.mirror_of and other.is_absent for other in question.chain
    )


def _is_barred(question: Question, position: int) -> bool:
    """Tell whether a public index before has too many requests (429), so that it is not this one's.

    The other one is well and may own the project: only its group may answer in its place, and a
    private index, which nobody else can put a project into.
    """
    index = question.chain[position].index
    if index.is_private:
        return False
    absent = {c.index.name for c in question.chain if c.is_absent}
    limited = {
        c.index.group
        for c in question.chain[:position]
        if c.kind is Kind.LIMITED and not c.is_absent and not c.index.is_private
    }
    return bool(limited - absent - {index.group})


def _private_outage(question: Question, position: int) -> Step | None:
    """Return what a private index that cannot be asked means; None: go on down the chain."""
    candidate = question.chain[position]
    index = candidate.index
    if not index.is_private:
        return None
    if candidate.in_ledger or index.claims(question.project):
        if _may_stand_in(question, candidate):
            return Serve(position, stale=True)
        return Refuse(Why.OFFLINE if question.is_offline else Why.OWNED, position)
    if index.on_outage == "stop":
        return Refuse(Why.OFFLINE if question.is_offline else Why.STOP, position)
    if index.on_outage == "ledger" and not (candidate.list_known or index.projects):
        return Refuse(Why.OFFLINE if question.is_offline else Why.UNKNOWN_NAMES, position)
    return None


def _may_stand_in(question: Question, candidate: Candidate) -> bool:
    age = candidate.page_age
    # A page from the future, by a clock that was set back, is of an unknown age, and no old one.
    return age is not None and (question.is_offline or age < question.keep or isinf(age))


def _stand_in(question: Question, unavailable: list[int]) -> Step:
    """End a walk that found nothing: a stale page of an index that could not be asked, if any."""
    # What its public index does not have, a mirror that is down does not have either.
    absent = {c.index.name for c in question.chain if c.is_absent}
    open_ones = [p for p in unavailable if question.chain[p].index.group not in absent]
    for position in open_ones:
        group = question.chain[position].index.group
        stale = [
            p
            for p in open_ones
            if question.chain[p].index.group == group and _may_stand_in(question, question.chain[p])
        ]
        if stale:
            return Serve(min(stale, key=lambda p: question.chain[p].page_age or 0.0), stale=True)
    if not open_ones:
        return Refuse(Why.ABSENT)
    return Refuse(Why.OFFLINE if question.is_offline else Why.UNAVAILABLE)
