"""What to do next for a project: (chain, health, ledger, cached) -> step, without I/O.

The caller asks for a step, does it, adds what it learnt to the question and asks again, until
the step is an answer. The rules are those of the outcome table in the documentation:

- a claim restricts the chain to the claiming indexes;
- a project that is known to belong to a private index comes from there or from nowhere, whatever
  that index answers, and whichever address of the shim it is asked for at;
- else the first index that has the project owns it; pages of different owners are never merged;
- a page that is a copy of the public index's (``defer_copies``) counts as absent;
- fresh page, then a request, then stale page, then 503; a mirrored page is always fresh.
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
class Compare:
    """Tell whether the page at ``position`` is a copy of the one at ``against``.

    ``against`` is None where no public index has the project.
    """

    position: int
    against: int | None


@dataclass(frozen=True)
class Serve:
    """Serve the page of the index at ``position``."""

    position: int
    #: It is served although its index could not be asked.
    stale: bool = False
    #: Every index before it said that it does not have the project: this is the answer of the
    #: whole chain as long as the page is fresh.
    resolved: bool = False


class Why(Enum):
    """Why there is no page to serve."""

    #: No index that could own it has it: 404.
    ABSENT = "absent"
    #: It belongs to an index that says it does not have it: 404.
    GONE = "gone"
    #: It belongs to another index than the one that was asked for: 404.
    ELSEWHERE = "elsewhere"
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


Step = Ask | Compare | Serve | Refuse


def next_step(question: Question) -> Step:
    """Return what to do next for the question's project."""
    if not question.answering and question.owners:
        return _contested(question) or Refuse(Why.ELSEWHERE, question.owners[0])
    known = _resolved_before(question)
    if known is not None:
        return Serve(known)
    unavailable: list[int] = []
    for position in question.answering:
        candidate = question.chain[position]
        if _skips(question, position):
            continue
        if question.has_page(position):
            served = Serve(position, resolved=_is_resolved(question, position))
            return _judgement(question, position) or served
        if question.may_ask(position) and not candidate.held:
            return Ask(position)
        refusal = _private_outage(question, position)
        if refusal is not None:
            return refusal
        unavailable.append(position)
    return _stale(question, unavailable)


def _skips(question: Question, position: int) -> bool:
    """Tell whether an index need not be asked, because it cannot answer for the project."""
    candidate = question.chain[position]
    if candidate.outcome is not None and candidate.outcome.is_page:
        return False
    return candidate.is_absent or _defers(question, position) or _is_barred(question, position)


def _contested(question: Question) -> Step | None:
    """Return how to find out whether what an owner has is a copy; None if that is settled."""
    for position in question.owners:
        candidate = question.chain[position]
        if not candidate.may_copy:
            return None
        if question.has_page(position):
            return _judgement(question, position)
        if question.may_ask(position) and not candidate.is_absent and not candidate.held:
            return Ask(position)
    return None


def _judgement(question: Question, position: int) -> Step | None:
    """Return what tells whether a page is a copy of the public index's; None if nothing can.

    The public index itself decides. A mirror of it, which may lack files, proves a copy only.
    """
    candidate = question.chain[position]
    if not candidate.may_copy or candidate.is_copy is not None:
        return None
    public = [p for p, c in enumerate(question.chain) if not c.index.is_private]
    if not public:
        return Compare(position, None)
    for other in sorted(public, key=lambda p: question.chain[p].index.role != "public"):
        rival = question.chain[other]
        if question.has_page(other):
            return Compare(position, other)
        if rival.is_absent and rival.index.role == "public":
            return Compare(position, None)
        if question.may_ask(other) and not rival.is_absent and not rival.held:
            return Ask(other)
        if rival.page_age is not None:  # an old page proves a copy as well as a new one
            return Compare(position, other)
    return None


def _resolved_before(question: Question) -> int | None:
    """Find the page that an earlier walk down this very chain ended at, if it still holds."""
    for position in question.answering:
        candidate = question.chain[position]
        if candidate.is_absent and candidate.outcome is not None:
            continue
        # A directory or a bucket costs little to read, and a new file must be seen at once.
        if candidate.index.is_read_each_time or _has_answered(candidate):
            return None
        # An earlier walk may have ended here because the index whose page is wanted was in trouble.
        if question.stood_in_for(position) is not None:
            return None
        limit = float("inf") if question.is_offline else candidate.fresh
        ages = (candidate.page_age, candidate.resolution_age)
        if all(
            age is not None and age < limit for age in ages
        ) and candidate.passed == passed_digest([c.index for c in question.chain[:position]]):
            return position
        if candidate.owned:
            return None
    return None


def _has_answered(candidate: Candidate) -> bool:
    return candidate.outcome is not None and candidate.outcome.kind is not Kind.OFFLINE


def _is_resolved(question: Question, position: int) -> bool:
    """Tell whether every index before is known not to answer for the project."""
    index = question.chain[position].index
    return question.alone is None and all(
        candidate.is_absent
        or candidate.is_copy
        or candidate.index.group == index.group
        or other not in question.answering
        for other, candidate in enumerate(question.chain[:position])
    )


def _defers(question: Question, position: int) -> bool:
    """Tell whether an index's authority has already said that it does not have the project."""
    index = question.chain[position].index
    return index.pages == "authority" and any(
        other.index.name == index.mirror_of and other.is_absent for other in question.chain
    )


def _is_barred(question: Question, position: int) -> bool:
    """Tell whether another public index, before this one, has answered 429.

    That index works and may own the project. Only its group may answer in its place, or a private
    index, because no stranger can upload to one.
    """
    index = question.chain[position].index
    if index.is_private or question.alone is not None:
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
    if not index.is_private or (candidate.was_copy and not candidate.owned):
        return None
    if candidate.owned:
        if _may_be_stale(question, candidate):
            return Serve(position, stale=True)
        return Refuse(Why.OFFLINE if question.is_offline else Why.OWNED, position)
    if index.on_outage == "stop":
        return Refuse(Why.OFFLINE if question.is_offline else Why.STOP, position)
    if index.on_outage == "ledger" and not candidate.list_known:
        return Refuse(Why.OFFLINE if question.is_offline else Why.UNKNOWN_NAMES, position)
    return None


def _may_be_stale(question: Question, candidate: Candidate) -> bool:
    """Tell whether a candidate's page is young enough to be served without its index."""
    age = candidate.page_age
    # A page from the future, by a clock that was set back, is of an unknown age, and no old one.
    return age is not None and (question.is_offline or age < question.keep or isinf(age))


def _stale(question: Question, unavailable: list[int]) -> Step:
    """End a walk that found nothing: a stale page of an index that could not be asked, if any."""
    if question.owners and not unavailable:
        since = [p for p in question.owners if question.chain[p].known_since is not None]
        return Refuse(Why.GONE, since[0]) if since else Refuse(Why.ABSENT)
    # What its public index does not have, a mirror that is down does not have either.
    absent = {c.index.name for c in question.chain if c.is_absent}
    open_ones = [p for p in unavailable if question.chain[p].index.group not in absent]
    for position in open_ones:
        group = question.chain[position].index.group
        stale = [
            p
            for p in open_ones
            if question.chain[p].index.group == group and _may_be_stale(question, question.chain[p])
        ]
        if stale:
            return Serve(min(stale, key=lambda p: question.chain[p].page_age or 0.0), stale=True)
    if not open_ones:
        return Refuse(Why.ABSENT)
    return Refuse(Why.OFFLINE if question.is_offline else Why.UNAVAILABLE)
