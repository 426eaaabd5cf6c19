"""What is known of a project before any index is asked, as the question that the policy decides."""

import time
from collections.abc import Sequence

from indexfallback.chain.asking import Asker
from indexfallback.chain.explain import not_asked_for
from indexfallback.chain.members import Member, Members
from indexfallback.chain.name_lists import NameLists
from indexfallback.chain.network import Network
from indexfallback.chain.question import (
    Candidate,
    PageRequest,
    Question,
    candidates,
    claiming_groups,
    led_by,
)
from indexfallback.config import Index, Settings
from indexfallback.store import PageFacts, Store
from indexfallback.store.ownership import Ownership


class Questions:
    """Makes questions, from the store and from what the indexes have answered lately."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        members: Members,
        network: Network,
        asker: Asker,
        name_lists: NameLists,
    ) -> None:
        self._settings = settings
        self._store = store
        self._members = members
        self._network = network
        self._asker = asker
        self._name_lists = name_lists

    def about(self, request: PageRequest) -> Question:
        """Return the question of a project, for the chain or for one index of it.

        Raises `ProjectNotFoundError` if that index is asked for other projects only.
        """
        settings, project, login = self._settings, request.project, request.login
        chain, alone = self._chain(project, request.alone)
        if request.first is not None:
            chain = led_by(chain, request.first)
        first = next((p for p, i in enumerate(chain) if i.name == request.first), None)
        claiming = claiming_groups(settings.indexes, project)
        owners = self._ownerships(project, chain)
        facts = self._facts(project, chain)
        now, clock = time.time(), time.monotonic()
        known = tuple(
            self._candidate(
                self._members[i.name],
                project,
                owners.get(i.name),
                facts.get(i.key),
                is_claimed=i.group in claiming,
                now=now,
                clock=clock,
                has_login=login is not None and login.index == i.name,
            )
            for i in chain
        )
        return Question(
            project,
            known,
            settings.keep,
            self._network.offline_state,
            alone=alone,
            first=first,
            login=login,
        )

    def is_foreign(self, project: str, index: str) -> bool:
        """Tell whether a project is known to belong to other indexes than this one.

        Raises `ProjectNotFoundError` as `about` does.
        """
        chain, alone = self._chain(project, index)
        claiming = claiming_groups(self._settings.indexes, project)
        owners = self._ownerships(project, chain)
        owning = [
            position
            for position, i in enumerate(chain)
            if _is_owned(i, owners.get(i.name), is_claimed=i.group in claiming)
        ]
        return bool(owning) and alone not in owning

    def _chain(self, project: str, index: str | None) -> tuple[tuple[Index, ...], int | None]:
        """Return the indexes that may have a project, and the position of the one that is asked."""
        chain = candidates(self._settings.indexes, project)
        if index is None:
            return chain, None
        asked = self._members[index].index
        if not asked.may_have(project):
            raise not_asked_for(project, asked)
        chain = chain if asked in chain else (*chain, asked)
        return chain, chain.index(asked)

    def _facts(self, project: str, chain: Sequence[Index]) -> dict[str, PageFacts]:
        """Return the facts of the stored pages, by the key of the index.

        Where none is fresh, other shims may have later ones.
        """
        known = self._store.pages.facts_of([i.key for i in chain], project)
        shared = self._store.shared
        if shared is None or self._network.offline_state.requested is not None:
            return known
        if any(self._is_fresh(index, known.get(index.key)) for index in chain):
            return known
        for index in chain:
            if index.is_read_each_time or self._asker.is_absent(index, project):
                continue
            later = shared.page(index.key, project, known.get(index.key))
            if later is not None:
                known[index.key] = later
        return known

    def _is_fresh(self, index: Index, facts: PageFacts | None) -> bool:
        if facts is None:
            return False
        return bool(facts.mirrored) or facts.age(time.time()) < self._settings.fresh_for(index)

    def _ownerships(self, project: str, chain: Sequence[Index]) -> dict[str, Ownership]:
        """Return what the ledger knows of a project, by the name of the private index."""
        private = [index for index in chain if index.is_private]
        if not private:
            return {}
        # Without a network, what other shims know is not asked for.
        is_alone = self._network.offline_state.requested is not None
        sources = [] if is_alone else [index.key for index in private]
        known = self._store.ledger.owners_anywhere(project, sources)
        return {index.name: known[index.key] for index in private if index.key in known}

    def _candidate(
        self,
        member: Member,
        project: str,
        known: Ownership | None,
        facts: PageFacts | None,
        *,
        is_claimed: bool,
        now: float,
        clock: float,
        has_login: bool,
    ) -> Candidate:
        index = member.index
        age = None if facts is None else 0.0 if facts.mirrored else facts.age(now)
        # Without a route no page is fresh, because only a request tells whether the files can still
        # be fetched.
        has_no_route = self._network.offline_state.has_no_route
        return Candidate(
            index,
            fresh=0.0 if has_no_route else self._settings.fresh_for(index),
            page_age=age,
            resolution_age=None if facts is None else facts.resolution_age(now),
            passed=facts.passed if facts is not None else "",
            mirrored=facts is not None and bool(facts.mirrored),
            owned=_is_owned(index, known, is_claimed=is_claimed),
            known_since=known.since if known is not None else None,
            may_copy=index.defer_copies
            and not is_claimed
            and (known is None or known.served is None),
            was_copy=known is not None and known.copied is not None,
            list_known=index.is_private and self._name_lists.is_known(index, now),
            # Some indexes say that they do not have what another login may not see.
            remembered_absent=not has_login and self._asker.is_absent(index, project),
            held=member.held(clock, has_login=has_login),
            trouble=member.health.trouble,
        )


def _is_owned(index: Index, known: Ownership | None, *, is_claimed: bool) -> bool:
    return is_claimed or (known is not None and known.is_owner(index.defer_copies))
