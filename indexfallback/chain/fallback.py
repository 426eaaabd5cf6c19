"""The walk down the chain for a project's page: fresh from the store, else asked, else stale.

Locks: ``Fallback._lock`` guards ``_answers`` and ``renewals``; nothing is read,
written or asked while it is held. Pages asked for at the same time share one walk.
"""

import logging
import threading
import time
from typing import NamedTuple

from indexfallback.chain.activity import Activity
from indexfallback.chain.answer import Answer, AnswerBuilder
from indexfallback.chain.asking import RESERVE, Asker
from indexfallback.chain.copies import is_copy_of
from indexfallback.chain.explain import refusal
from indexfallback.chain.keeper import Asked
from indexfallback.chain.members import Members
from indexfallback.chain.name_lists import NameLists
from indexfallback.chain.network import Network
from indexfallback.chain.policy import Ask, Compare, Refuse, Serve, next_step
from indexfallback.chain.probe import Prober
from indexfallback.chain.question import (
    Question,
    as_unknown,
)
from indexfallback.chain.questions import Questions
from indexfallback.chain.refusals import Refusals
from indexfallback.config import Settings
from indexfallback.errors import ProjectError, ProjectUnavailableError
from indexfallback.flight import SingleFlight
from indexfallback.health import last_resort
from indexfallback.page import ProjectPage
from indexfallback.store import Store
from indexfallback.words import left_out

log = logging.getLogger("indexfallback")

#: An answer is repeated without looking at the store for this long, seconds.
REPEAT_SECONDS = 1.0
#: Entries in memory before old ones are dropped.
_REMEMBERED = 4096


class _Key(NamedTuple):
    """All that an answer depends on, but for time."""

    project: str
    #: The one index that is asked; None for the chain.
    alone: str | None
    again: bool
    reload: bool
    #: Nobody has asked for it yet. Clients share what such a walk has found, but not its failure:
    #: its deadline is not theirs.
    ahead: bool
    #: Changes of the offline state: an answer from before does not hold.
    changes: int
    #: Changes of the ledger: the name may belong to a private index now.
    learnt: int
    #: Answers that were asked for again: one from before does not hold. None while asking again.
    renewals: int | None


class Fallback:
    """Answers for projects, from one chain and one store."""

    def __init__(
        self, settings: Settings, store: Store, members: Members, network: Network
    ) -> None:
        self.settings = settings
        self.store = store
        self.members = members
        self.network = network
        self.activity = Activity()
        self.refusals = Refusals(store)
        #: How long an answer may be repeated, seconds. What was just put into a directory is
        #: wanted at once.
        has_directory = any(index.is_directory for index in settings.indexes)
        self.repeat_seconds = 0.0 if has_directory else REPEAT_SECONDS
        self._flights: SingleFlight[_Key, Answer] = SingleFlight()
        self._lock = threading.Lock()
        self._answers: dict[_Key, tuple[float, Answer]] = {}
        #: Counts the answers that were asked for again: what repeats earlier ones is out of date.
        self.renewals = 0
        self._asker = Asker(settings, store, members)
        self._prober = Prober(members, store, settings)
        self._name_lists = NameLists(settings, store, members)
        self._builder = AnswerBuilder(settings, store, self.refusals)
        self._questions = Questions(
            settings,
            store,
            members=members,
            network=network,
            asker=self._asker,
            name_lists=self._name_lists,
        )

    def page(
        self,
        project: str,
        index: str | None = None,
        *,
        again: bool = False,
        reload: bool = False,
    ) -> Answer:
        """Return the answer for a normalised project, by the whole chain or by one index.

        With ``again`` the indexes are asked whatever is fresh, by requests with validators, and
        with ``reload`` by requests without: that a page has not changed says nothing of addresses
        and logins in its links that have expired or are not known here. Both kinds of requests
        begin after this call; equal calls share them. Raises `ProjectNotFoundError` or
        `ProjectUnavailableError`, within the deadline.
        """
        key = self._key(project, index, again=again, reload=reload)
        answer = self._repeated(key)
        if answer is not None:
            return answer
        began = time.monotonic()
        ends = began + self.settings.deadline * (1 - RESERVE)
        ahead = self._found_by_others(key._replace(ahead=True), ends)
        try:
            answer = ahead or self._shared_walk(key, ends)
        except ProjectError as error:
            self.activity.failed(project, error)
            # A project that does not exist is an answer; one that cannot be asked for is a failure.
            level = logging.WARNING if isinstance(error, ProjectUnavailableError) else logging.DEBUG
            log.log(level, "%s", error)
            raise
        waited = time.monotonic() - began
        nothing = "" if answer.page.files else left_out(answer.page.dropped)
        how = self.activity.served(project, answer.owner.name, answer.how, waited, nothing)
        log.debug("%s: from %s, %s, %.0f ms", project, answer.owner.name, how, waited * 1000)
        if ahead is None:
            self._keep(key, answer)
        return answer if answer.how == how else answer._replace(how=how)

    def page_ahead(self, project: str, index: str | None) -> Answer:
        """Return the answer that `page` would, before a client asks for it, and note nothing.

        It was ``asked`` for if no client has asked for it meanwhile. Raises as `page`.
        """
        of_clients = self._key(project, index)
        key = of_clients._replace(ahead=True)
        ends = time.monotonic() + self.settings.deadline * (1 - RESERVE)
        found = self._found_by_others(of_clients, ends)
        answer = found or self._shared_walk(key, ends)
        held = answer._replace(how="fresh") if answer.how == "asked" else answer
        self._keep(key, held)
        return held if found is not None else answer

    def _found_by_others(self, key: _Key, ends: float) -> Answer | None:
        """Return what others have found for a key, or are looking for; None without an answer."""
        try:
            return self._repeated(key) or self._flights.join(key, ends - time.monotonic())
        except (ProjectError, TimeoutError):  # a walk of one's own has a deadline of its own
            return None

    def _key(
        self, project: str, index: str | None, *, again: bool = False, reload: bool = False
    ) -> _Key:
        again = again or reload
        return _Key(
            project,
            index,
            again,
            reload,
            ahead=False,
            changes=self.network.changes,
            learnt=self.store.ledger.changes,
            renewals=None if again else self.renewals,
        )

    def _repeated(self, key: _Key) -> Answer | None:
        """Return an answer of the last second, if there is one."""
        with self._lock:
            kept = self._answers.get(key)
        return kept[1] if kept is not None and time.monotonic() < kept[0] else None

    def _keep(self, key: _Key, answer: Answer) -> None:
        """Keep an answer for equal requests; one that was asked for again is for all others."""
        with self._lock:
            if key.again:
                self.renewals += 1
                key = key._replace(again=False, reload=False, renewals=self.renewals)
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[key] = (time.monotonic() + self.repeat_seconds, answer)

    def _shared_walk(self, key: _Key, ends: float) -> Answer:
        """Walk down the chain, once for all that ask for the same at the same time."""
        try:
            return self._flights.run(
                key, lambda: self._walk(key, ends), self.settings.deadline, anew=key.again
            )
        except TimeoutError:
            late = "the answer did not come within the deadline"
            raise ProjectUnavailableError(key.project, (), late, "Run again.") from None

    def forget(self, project: str) -> None:
        """Forget what is in memory of a project, after its records were removed."""
        with self._lock:
            for key in [key for key in self._answers if key.project == project]:
                del self._answers[key]
        self._asker.forget(project)

    def close(self) -> None:
        """Stop what runs in the background."""
        self._prober.close()

    def foreign(self, project: str, group: str) -> ProjectError | None:
        """Return the error if a project is known to belong to another group than ``group``."""
        if not self._questions.is_foreign(project, group):
            return None
        try:
            self.page(project, group)
        except ProjectError as error:
            return error
        return None

    def _walk(self, key: _Key, ends: float) -> Answer:
        question = self._questions.about(key.project, key.alone)
        if key.again:
            question = as_unknown(question, time.monotonic(), reload=key.reload)
        pages: dict[int, Asked] = {}
        self._name_lists.refresh()
        self._prober.wake()
        while True:
            step = next_step(question)
            if isinstance(step, Ask):
                for position, asked in self._asker.ask(question, step.position, ends).items():
                    pages[position] = asked
                    question = question.learnt(position, asked.outcome)
            elif isinstance(step, Compare):
                question = self._compare(question, step, pages)
            elif isinstance(step, Refuse):
                resort = self._last_resort(question, step)
                if resort is None:
                    raise refusal(question, step)
                question = question.released(resort)
            else:
                answer = self._serve(question, step, pages.get(step.position))
                if answer is not None:
                    return answer
                # The stored page cannot be read: as if there were none.
                question = question.without_page(step.position)

    def _compare(self, question: Question, step: Compare, pages: dict[int, Asked]) -> Question:
        """Return the question with a page compared with the public index's, and keep the result."""
        project, key = question.project, question.chain[step.position].index.key
        page = self._page_at(question, step.position, pages)
        if page is None:
            return question.without_page(step.position)
        public = None
        if step.against is not None:
            public = self._page_at(question, step.against, pages)
            if public is None:
                return question.without_page(step.against)
        is_copy = public is not None and is_copy_of(page, public)
        is_own = not is_copy and (
            step.against is None
            or (
                question.has_page(step.against)
                and question.chain[step.against].index.role == "public"
            )
        )
        if is_copy:
            self.store.ledger.record_copy(key, project)
        elif is_own:
            self.store.ledger.record_page(key, project)
        return question.judged(step.position, is_copy=is_copy, is_own=is_own)

    def _page_at(
        self, question: Question, position: int, pages: dict[int, Asked]
    ) -> ProjectPage | None:
        """Return the page of an index, from this walk or the store; None if it cannot be read."""
        asked = pages.get(position)
        if asked is not None and asked.page is not None:
            return asked.page
        return self.store.pages.load(question.chain[position].index.key, question.project)

    def _last_resort(self, question: Question, refuse: Refuse) -> int | None:
        """Return an index that is skipped but may be tried, because no other one can be asked."""
        skipped = {
            position: self.members[c.index.name].health
            for position, c in enumerate(question.chain)
            if c.outcome is None and c.held and refuse.position in (None, position)
        }
        nothing_asked = all(c.held and c.outcome is None for c in question.chain)
        return last_resort(skipped, time.monotonic(), nothing_asked=nothing_asked)

    def _serve(self, question: Question, step: Serve, asked: Asked | None) -> Answer | None:
        """Return the answer that a step decided on, or None if its page cannot be read."""
        index = question.chain[step.position].index
        facts = asked.facts if asked is not None else None
        if facts is None:
            facts = self.store.pages.facts(index.key, question.project)
        pages = {} if asked is None else {step.position: asked}
        page = self._page_at(question, step.position, pages)
        if facts is None or page is None:
            return None
        answered = asked is not None and asked.outcome.is_page
        return self._builder.build(question, step, page, facts, answered=answered)
