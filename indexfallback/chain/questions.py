"""What is known of a project before any index is asked, as the question that the policy decides."""

import time

from indexfallback.chain.asking import Asker
from indexfallback.chain.explain import not_asked_for
from indexfallback.chain.members import Member, Members
from indexfallback.chain.name_lists import NameLists
from indexfallback.chain.network import Network
from indexfallback.chain.question import Candidate, Question, candidates, claiming_groups
from indexfallback.config import Settings
from indexfallback.store import Store
from indexfallback.store.ledger import Ownership


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

    def about(self, project: str, index: str | None) -> Question:
        """Return the question of a normalised project, for the chain or for one index of it.

        Raises `ProjectNotFoundError` if that index is asked for other projects only.
        """
        settings = self._settings
        chain = candidates(settings.indexes, project)
        alone = None
        if index is not None:
            asked = self._members[index].index
            if not asked.may_have(project):
                raise not_asked_for(project, asked)
            chain = chain if asked in chain else (*chain, asked)
            alone = chain.index(asked)
        claiming = claiming_groups(settings.indexes, project)
        owners = self._store.ledger.owners(project)
        now, clock = time.time(), time.monotonic()
        known = tuple(
            self._candidate(
                self._members[i.name],
                project,
                owners.get(i.key) if i.is_private else None,
                is_claimed=i.group in claiming,
                now=now,
                clock=clock,
            )
            for i in chain
        )
        return Question(project, known, settings.keep, self._network.offline_state, alone)

    def _candidate(
        self,
        member: Member,
        project: str,
        known: Ownership | None,
        *,
        is_claimed: bool,
        now: float,
        clock: float,
    ) -> Candidate:
        index = member.index
        facts = self._store.pages.facts(index.key, project)
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
            owned=is_claimed or (known is not None and known.is_owner(index.defer_copies)),
            known_since=known.since if known is not None else None,
            may_copy=index.defer_copies
            and not is_claimed
            and (known is None or known.served is None),
            was_copy=known is not None and known.copied is not None,
            list_known=index.is_private and self._name_lists.is_known(index, now),
            remembered_absent=self._asker.is_absent(index, project),
            held=member.held(clock),
            trouble=member.health.trouble,
        )
