"""The question of who answers for a project: the chain, and what is known of each index.

Pure values. `policy.next_step` decides on a question; the walk adds each answer to it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from indexfallback.config import Index
from indexfallback.mode import Cause, OfflineState
from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.answers import ClientLogin


@dataclass(frozen=True)
class Candidate:
    """One index of the chain, and what is known of one project at it."""

    index: Index
    #: Its page is served without asking it while it is younger than this, seconds.
    fresh: float = 0.0
    #: Age in seconds of its stored page, and of the walk that led there; None if there is none.
    page_age: float | None = None
    resolution_age: float | None = None
    #: Digest of the indexes that this walk had passed (`passed_digest`).
    passed: str = ""
    #: The mirror keeps the page, with all files on it: it holds whatever the index does.
    mirrored: bool = False
    #: The project is known to be this index's: claimed for its group, listed or served by it.
    owned: bool = False
    #: When it was first listed or served, seconds since the epoch; None for a mere claim.
    known_since: float | None = None
    #: Its page may be a copy of the public index's (``defer_copies``): nothing but its list of
    #: names says that the project is its own.
    may_copy: bool = False
    #: It was such a copy when it was compared last.
    was_copy: bool = False
    #: Whether it is one, as far as this walk has compared; and whether it is proven to be none.
    is_copy: bool | None = None
    is_own: bool = False
    #: The index's list of names is known and not too old, or its configuration has the names.
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

    @property
    def is_fresh(self) -> bool:
        """Whether its stored page may be served without asking the index."""
        return self.page_age is not None and self.page_age < self.fresh


class PageRequest(NamedTuple):
    """A request for the page of a project."""

    #: Normalised.
    project: str
    #: The one index that is asked; None for the chain.
    alone: str | None = None
    #: The index that is asked before the others of its group; None for the order of the chain.
    first: str | None = None
    #: What the client has brought for one index.
    login: ClientLogin | None = None
    #: Whether indexes are asked whatever is fresh, and whether without validators.
    again: bool = False
    reload: bool = False


@dataclass(frozen=True)
class Question:
    """All that a step depends on. Durations are seconds."""

    project: str
    #: In the order in which they are asked (`candidates`).
    chain: tuple[Candidate, ...]
    keep: float
    #: Whether indexes may be asked over a network.
    offline_state: OfflineState
    #: The one index that is to answer; None if it is the whole chain.
    alone: int | None = None
    #: The one whose page is wanted of all that its group has; None if any is as good.
    first: int | None = None
    #: What the client has brought for one index.
    login: ClientLogin | None = None
    #: An answer to a request from before this time, on the monotonic clock, is of no use.
    since: float = 0.0
    #: Whether indexes are asked without validators, so that they send their pages in any case.
    reload: bool = False

    @property
    def owners(self) -> tuple[int, ...]:
        """The indexes that the project is known to belong to: no other one may answer for it."""
        return tuple(p for p, c in enumerate(self.chain) if c.owned and not c.is_copy)

    @property
    def answering(self) -> tuple[int, ...]:
        """The indexes that may answer, in their order."""
        may = self.owners or tuple(p for p, c in enumerate(self.chain) if not c.is_copy)
        return may if self.alone is None else tuple(p for p in may if p == self.alone)

    def stood_in_for(self, position: int) -> Index | None:
        """Return the index whose page is wanted in the place of one of its group; None if none."""
        wanted = self.chain[self.first].index if self.first is not None else None
        own = self.chain[position].index
        is_other = wanted is not None and wanted != own and wanted.group == own.group
        return wanted if is_other else None

    def login_for(self, position: int) -> ClientLogin | None:
        """Return what the client has brought for an index, or None."""
        login = self.login
        is_for = login is not None and login.index == self.chain[position].index.name
        return login if is_for else None

    def may_ask(self, position: int) -> bool:
        """Tell whether an index has not answered yet and may be asked, held or not."""
        candidate = self.chain[position]
        return candidate.outcome is None and (
            self.offline_state.requested is None or candidate.index.is_directory
        )

    def has_page(self, position: int) -> bool:
        """Tell whether an index's page is at hand, and current."""
        candidate = self.chain[position]
        if candidate.mirrored:
            return True
        if candidate.outcome is not None:
            return candidate.outcome.is_page
        is_known = candidate.is_fresh and not candidate.is_absent
        return is_known and self.may_ask(position)

    @property
    def wants_login(self) -> tuple[str, ...]:
        """The names of the indexes that have answered 401 themselves."""
        wanting = (Kind.DENIED, Kind.NO_LOGIN)
        return tuple(c.index.name for c in self.chain if c.kind in wanting)

    @property
    def offline(self) -> Cause | None:
        """Why there is no network, by the user's word or as an attempt has found."""
        if self.offline_state.requested is not None or not self.offline_state.detects_network:
            return self.offline_state.requested
        found = any(c.outcome is not None and c.outcome.kind is Kind.OFFLINE for c in self.chain)
        return Cause.NETWORK if found else None

    @property
    def is_offline(self) -> bool:
        """Whether there is no network."""
        return self.offline is not None

    def learnt(self, position: int, outcome: Outcome) -> "Question":
        """Return the question with an index's answer added."""
        return self._with(position, replace(self.chain[position], outcome=outcome))

    def judged(self, position: int, *, is_copy: bool, is_own: bool) -> "Question":
        """Return the question with an index's page compared with the public index's."""
        return self._with(position, replace(self.chain[position], is_copy=is_copy, is_own=is_own))

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


def candidates(chain: Sequence[Index], project: str) -> tuple[Index, ...]:
    """Return the indexes that may answer for ``project``, in the order to ask them.

    A claim (``projects``, ``only``) restricts the chain to the claiming groups, and an index
    with ``only`` is left out for all other projects.
    """
    groups = claiming_groups(chain, project)
    return asking_order(
        [i for i in chain if i.group in groups or (not groups and i.may_have(project))]
    )


def claiming_groups(chain: Sequence[Index], project: str) -> frozenset[str]:
    """Return the groups of the indexes that claim ``project``."""
    return frozenset(index.group for index in chain if index.claims(project))


def asking_order(members: Sequence[Index]) -> tuple[Index, ...]:
    """Return indexes in the order to ask them.

    A mirror with ``pages = "authority"`` comes behind the public index whose pages it defers to.
    """
    ordered = [index for index in members if index.pages != "authority"]
    for mirror in reversed([index for index in members if index.pages == "authority"]):
        authority = next((i for i in ordered if i.name == mirror.mirror_of), None)
        ordered.insert(ordered.index(authority) + 1 if authority else 0, mirror)
    return tuple(ordered)


def led_by(chain: Sequence[Index], first: str) -> tuple[Index, ...]:
    """Return the indexes with one before the others of its group.

    It passes no index of another group, since the order of groups decides who owns a project.
    """
    position = next((p for p, index in enumerate(chain) if index.name == first), None)
    if position is None:
        return tuple(chain)
    start = position
    while start and chain[start - 1].group == chain[position].group:
        start -= 1
    return (*chain[:start], chain[position], *chain[start:position], *chain[position + 1 :])


def as_unknown(question: Question, since: float, *, reload: bool = False) -> Question:
    """Return the question with nothing fresh: every index is asked again.

    ``since`` and ``reload`` are those of the question.
    """
    chain = tuple(
        replace(c, fresh=0.0, resolution_age=None, remembered_absent=False) for c in question.chain
    )
    return replace(question, chain=chain, since=since, reload=reload)


def passed_digest(indexes: Sequence[Index]) -> str:
    """Return a short digest of the indexes that a walk has passed."""
    text = "\n".join(index.key for index in indexes)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
