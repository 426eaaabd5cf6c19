"""What to do next for a project: (chain, health, ledger, cached) -> step, without I/O.

The caller asks for a step, does it, adds what it learnt to the question and asks again, until
the step is an answer. The rules are those of the outcome table in the documentation:

- a claim restricts the chain to the claiming indexes;
- the first index that has the project owns it; pages of different owners are never merged;
- a project that a private index owns goes to no other index, whatever happens;
- fresh page, then asking, then stale page, then 503; a mirrored page counts as fresh for good.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import isinf

from indexfallback.config import Index
from indexfallback.mode import Cause, Stand
from indexfallback.outcome import Kind, Outcome


@dataclass(frozen=True)
class Candidate:
    """One index of the chain, and what is known of it with regard to one project."""

    index: Index
    #: Age in seconds of its stored page, and of the walk that led there; None if there is none.
    page_age: float | None = None
    resolution_age: float | None = None
    #: Digest of the indexes that this walk had passed (`passed_digest`).
    passed: str = ""
    #: The mirror keeps the page, with all files on it: it holds whatever the index does.
    mirrored: bool = False
    #: The project is in the ledger as this index's.
    in_ledger: bool = False
    #: The index's list of names is known and not too old.
    list_known: bool = False
    #: It said within the last minute that it does not have the project.
    remembered_absent: bool = False
    #: Why it is not to be asked now; empty if it may be. And what it answered that made it so.
    held: str = ""
    trouble: Kind | None = None
    #: What it answered in this walk.
    outcome: Outcome | None = None

    @property
    def kind(self) -> Kind | None:
        """What it answered in this walk or, if it is held, before; None if nothing."""
        if self.outcome is not None:
            return self.outcome.kind
        return self.trouble if self.held else None

    @property
    def is_absent(self) -> bool:
        """Whether the index is known not to have the project."""
        if self.mirrored:
            return False
        if self.outcome is not None:
            return self.outcome.kind is Kind.ABSENT
        return self.remembered_absent


@dataclass(frozen=True)
class Question:
    """All that a step depends on. Durations are seconds."""

    project: str
    #: In the order in which they are asked (`candidates`).
    chain: tuple[Candidate, ...]
    fresh: float
    keep: float
    #: Whether indexes may be asked over a network.
    stand: Stand

    @property
    def offline(self) -> Cause | None:
        """Why there is no network, by the user's word or as an attempt has found."""
        if self.stand.ordered is not None or not self.stand.heeds_network:
            return self.stand.ordered
        found = any(c.outcome is not None and c.outcome.kind is Kind.OFFLINE for c in self.chain)
        return Cause.NETWORK if found else None

    @property
    def is_offline(self) -> bool:
        """Whether there is no network."""
        return self.offline is not None

    def learnt(self, position: int, outcome: Outcome) -> "Question":
        """Return the question with an index's answer added."""
        return self._with(position, replace(self.chain[position], outcome=outcome))

    def released(self, position: int) -> "Question":
        """Return the question with an index that may be asked after all."""
        return self._with(position, replace(self.chain[position], held=""))

    def without_page(self, position: int) -> "Question":
        """Return the question with an index's page gone, since it cannot be read."""
        known = self.chain[position]
        return self._with(
            position,
            replace(known, page_age=None, resolution_age=None, mirrored=False, outcome=None),
        )

    def _with(self, position: int, candidate: Candidate) -> "Question":
        chain = (*self.chain[:position], candidate, *self.chain[position + 1 :])
        return replace(self, chain=chain)


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


def candidates(chain: Sequence[Index], project: str) -> tuple[Index, ...]:
    """Return the indexes that may answer for ``project``, in the order to ask them.

    A claim restricts the chain to the claiming groups.
    """
    groups = {index.group for index in chain if index.claims(project)}
    return asking_order([index for index in chain if not groups or index.group in groups])


def asking_order(members: Sequence[Index]) -> tuple[Index, ...]:
    """Return indexes in the order to ask them.

    A mirror with ``pages = "authority"`` comes behind the public index whose pages it defers to.
    """
    ordered = [index for index in members if index.pages != "authority"]
    for mirror in reversed([index for index in members if index.pages == "authority"]):
        authority = next((i for i in ordered if i.name == mirror.mirror_of), None)
        ordered.insert(ordered.index(authority) + 1 if authority else 0, mirror)
    return tuple(ordered)


def as_unknown(question: Question) -> Question:
    """Return the question with nothing taken as fresh, so that every index is asked again."""
    chain = tuple(replace(c, resolution_age=None, remembered_absent=False) for c in question.chain)
    return replace(question, chain=chain, fresh=0.0)


def passed_digest(indexes: Sequence[Index]) -> str:
    """Return a short digest of the indexes that a walk has passed."""
    text = "\n".join(index.key for index in indexes)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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
        may_ask = question.stand.ordered is None or candidate.index.is_directory
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
