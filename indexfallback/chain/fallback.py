"""The walk down the chain for a project's page: fresh from the store, else asked, else stale.

Locks: ``Fallback._lock`` guards ``_answers``; nothing is read,
written or asked while it is held. Pages asked for at the same time share one walk.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from indexfallback.chain.activity import Activity
from indexfallback.chain.asking import RESERVE, Asked, Asker
from indexfallback.chain.explain import refusal, tried
from indexfallback.chain.members import Member, Members
from indexfallback.chain.name_lists import LIST_USE, NameLists
from indexfallback.chain.network import Network
from indexfallback.chain.offer import withheld
from indexfallback.chain.policy import Ask, Refuse, Serve, next_step
from indexfallback.chain.probe import Prober
from indexfallback.chain.question import Candidate, Question, as_unknown, candidates, passed_digest
from indexfallback.chain.refusals import Refusals
from indexfallback.config import Index, Settings
from indexfallback.errors import ProjectError, ProjectUnavailableError, Tried
from indexfallback.flight import SingleFlight
from indexfallback.health import State
from indexfallback.mode import Cause
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, keeping

log = logging.getLogger("indexfallback")

#: An answer is repeated without looking at the store for this long, seconds.
REPEAT_SECONDS = 1.0
#: Entries in memory before old ones are dropped.
_REMEMBERED = 4096


class Answer(NamedTuple):
    """The page that is served for a project, and how it was found."""

    project: str
    owner: Index
    page: ProjectPage
    #: Names the page's content.
    digest: str
    #: ``fresh``, ``asked``, ``stale``, ``mirrored``.
    how: str
    #: Seconds since the owner confirmed the page.
    age: float
    tried: tuple[Tried, ...]
    #: Why it is served without any network, so that only what is held can be offered.
    offline: Cause | None
    #: What is offered follows from the page's content alone: not so offline, where hashes are
    #: only learnt by downloads, and where a file that has changed is withheld.
    is_settled: bool


class _Key(NamedTuple):
    """All that an answer depends on, but for time."""

    project: str
    #: The one index that is asked; None for the chain.
    alone: str | None
    again: bool
    #: What was true offline is not online, and the other way round.
    changes: int


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
        self._asker = Asker(settings, store, members)
        self._prober = Prober(members, store, settings.page_size)
        self._name_lists = NameLists(settings, store, members)

    def page(self, project: str, index: str | None = None, *, again: bool = False) -> Answer:
        """Return the answer for a normalised project, by the whole chain or by one index.

        With ``again`` the indexes are asked whatever is fresh. Raises `ProjectNotFoundError` or
        `ProjectUnavailableError`, within the deadline.
        """
        key = _Key(project, index, again, self.network.changes)
        now = time.monotonic()
        with self._lock:
            repeated = self._answers.get(key)
        if repeated is not None and now < repeated[0] and not again:
            return repeated[1]
        ends = now + self.settings.deadline * (1 - RESERVE)
        try:
            answer = self._flights.run(
                key, lambda: self._walk(project, index, ends, again=again), self.settings.deadline
            )
        except TimeoutError:
            late = "the answer did not come within the deadline"
            raise ProjectUnavailableError(project, (), late, "Run again.") from None
        except ProjectError as error:
            self.activity.failed(project, error)
            # That there is no such project is an answer; that nobody can tell is a failure.
            level = logging.WARNING if isinstance(error, ProjectUnavailableError) else logging.DEBUG
            log.log(level, "%s", error)
            raise
        waited = time.monotonic() - now
        self.activity.served(project, answer.owner.name, answer.how, waited)
        log.debug("%s: from %s, %s, %.0f ms", project, answer.owner.name, answer.how, waited * 1000)
        with self._lock:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[key] = (time.monotonic() + self.repeat_seconds, answer)
        return answer

    def forget(self, project: str) -> None:
        """Forget what is in memory of a project, after its records were removed."""
        with self._lock:
            for key in [key for key in self._answers if key.project == project]:
                del self._answers[key]
        self._asker.forget(project)

    def close(self) -> None:
        """Stop what runs in the background."""
        self._prober.close()

    def _walk(self, project: str, index: str | None, ends: float, *, again: bool) -> Answer:
        question = self._question(project, index)
        if again:
            question = as_unknown(question)
        pages: dict[int, Asked] = {}
        self._name_lists.refresh()
        self._prober.wake()
        while True:
            step = next_step(question)
            if isinstance(step, Ask):
                for position, asked in self._asker.ask(question, step.position, ends).items():
                    pages[position] = asked
                    question = question.learnt(position, asked.outcome)
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

    def _question(self, project: str, index: str | None) -> Question:
        settings = self.settings
        if index is None:
            chain: Sequence[Index] = candidates(settings.indexes, project)
        else:
            chain = [self.members[index].index]
        now, clock = time.time(), time.monotonic()
        known = tuple(self._candidate(self.members[i.name], project, now, clock) for i in chain)
        return Question(project, known, settings.fresh, settings.keep, self.network.offline_state)

    def _candidate(self, member: Member, project: str, now: float, clock: float) -> Candidate:
        index = member.index
        facts = self.store.pages.facts(index.key, project)
        name_list = self.store.ledger.name_list(index.key) if index.is_private else None
        age = None if facts is None else 0.0 if facts.mirrored else facts.age(now)
        # A directory is read at each request, so that its page is never taken as fresh. Nor is
        # any without a route: only asking tells whether the files can still be had.
        asks = index.is_directory or self.network.offline_state.is_cut
        if asks and age is not None:
            age = max(age, self.settings.fresh)
        return Candidate(
            index,
            page_age=age,
            resolution_age=None if facts is None else facts.resolution_age(now),
            passed=facts.passed if facts is not None else "",
            mirrored=facts is not None and bool(facts.mirrored),
            in_ledger=index.is_private
            and self.store.ledger.ownership(index.key, project) is not None,
            list_known=name_list is not None and now - name_list.fetched < LIST_USE,
            remembered_absent=self._asker.is_absent(index, project),
            held=member.held(clock),
            trouble=member.health.trouble,
        )

    def _last_resort(self, question: Question, refuse: Refuse) -> int | None:
        """Return an index that is skipped but may be tried, since there is no other way.

        One whose wait is over; and if none can be asked at all, the one whose wait is over first.
        """
        now = time.monotonic()
        healths = {
            position: self.members[c.index.name].health
            for position, c in enumerate(question.chain)
            if c.outcome is None and c.held and refuse.position in (None, position)
        }
        ready = [p for p, health in healths.items() if health.may_try(now)]
        if ready or any(not c.held or c.outcome is not None for c in question.chain):
            return min(ready, default=None)
        opened = [p for p, health in healths.items() if health.state is not State.CLOSED]
        return min(opened, key=lambda p: healths[p].until, default=None)

    def _serve(self, question: Question, step: Serve, asked: Asked | None) -> Answer | None:
        """Return the answer that a step decided on, or None if its page cannot be read."""
        index = question.chain[step.position].index
        facts = asked.facts if asked is not None else None
        page = asked.page if asked is not None else None
        if facts is None:
            facts = self.store.pages.facts(index.key, question.project)
        if page is None:
            page = self.store.pages.load(index.key, question.project)
        if facts is None or page is None:
            return None
        now = time.time()
        changed = self._note_changed(question.project, index, page)
        # Who has just answered can be reached, whatever was found on the way.
        answered = asked is not None and asked.outcome.is_page
        offline = None if answered and not index.is_directory else question.offline
        if step.resolved:
            passed = passed_digest([c.index for c in question.chain[: step.position]])
            with keeping(f"who owns {question.project}"):
                self.store.pages.confirm(
                    index.key, question.project, facts._replace(resolved=now, passed=passed)
                )
        return Answer(
            question.project,
            index,
            page,
            facts.digest,
            _how(step, facts, answered=answered),
            max(0.0, now - facts.checked),
            tried(question, step),
            offline,
            not (offline or changed) and all(file.sha256 is not None for file in page.files),
        )

    def _note_changed(self, project: str, index: Index, page: ProjectPage) -> bool:
        """Note the files of a page that are not what they were when first seen."""
        changed = withheld(page, self.store.pins.of_project(project))
        for file in changed:
            self.refusals.note(project, file.filename, index.name, file.sha256 or "")
        return bool(changed)


def _how(step: Serve, facts: PageFacts, *, answered: bool) -> str:
    if step.stale:
        return "stale"
    if answered:
        return "asked"
    return "mirrored" if facts.mirrored else "fresh"
