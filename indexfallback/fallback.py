"""The walk down the chain for a project's page: fresh from the store, else asked, else stale.

Locks: ``Fallback._lock`` guards ``_answers`` and ``_absent``; nothing is read,
written or asked while it is held. Pages asked for at the same time share one walk.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from indexfallback.activity import Activity
from indexfallback.config import Index, Settings
from indexfallback.errors import ProjectError, ProjectUnavailableError, Tried
from indexfallback.explain import refusal, tried
from indexfallback.flight import SingleFlight, run_within
from indexfallback.health import State
from indexfallback.members import Member, Members
from indexfallback.name_lists import LIST_USE, NameLists
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import ProjectPage
from indexfallback.policy import (
    Ask,
    Candidate,
    Question,
    Refuse,
    Serve,
    as_unknown,
    candidates,
    next_step,
    passed_digest,
)
from indexfallback.store import PageFacts, Store, Validators, keeping
from indexfallback.store.pages import digest_of
from indexfallback.upstream.answers import Limits

log = logging.getLogger("indexfallback")

#: "Absent" is remembered this long, seconds: an install asks twice, a person who has just
#: uploaded waits a minute at most.
ABSENT_SECONDS = 60.0
#: An answer is repeated without looking at the store for this long, seconds.
REPEAT_SECONDS = 1.0
#: Share of the deadline kept back for reading, storing and rendering.
RESERVE = 0.05
#: Entries in memory before old ones are dropped.
_REMEMBERED = 4096


class Answer(NamedTuple):
    """The page that is served for a project, and how it was found."""

    project: str
    owner: Index
    page: ProjectPage
    #: Names the page's content.
    digest: str
    #: ``fresh``, ``asked``, ``stale``.
    how: str
    #: Seconds since the owner confirmed the page.
    age: float
    tried: tuple[Tried, ...]
    #: Served without any network, so that only what is held can be offered.
    offline: bool
    #: What is offered follows from the page's content alone: not so offline, and where hashes
    #: are only learnt by downloads.
    is_settled: bool


class _Asked(NamedTuple):
    outcome: Outcome
    page: ProjectPage | None = None
    facts: PageFacts | None = None


class Fallback:
    """Answers for projects, from one chain and one store."""

    def __init__(self, settings: Settings, store: Store, members: Members) -> None:
        self.settings = settings
        self.store = store
        self.members = members
        self.activity = Activity()
        self._flights: SingleFlight[tuple[str, str | None, bool], Answer] = SingleFlight()
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str | None, bool], tuple[float, Answer]] = {}
        self._absent: dict[tuple[str, str], float] = {}
        self._name_lists = NameLists(settings, store, members)

    def page(self, project: str, index: str | None = None, *, again: bool = False) -> Answer:
        """Return the answer for a normalised project, by the whole chain or by one index.

        With ``again`` the indexes are asked whatever is fresh. Raises `ProjectNotFoundError` or
        `ProjectUnavailableError`, within the deadline.
        """
        key = (project, index, again)
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
            log.debug("%s", error)
            raise
        waited = time.monotonic() - now
        self.activity.served(project, answer.owner.name, answer.how, waited)
        log.debug("%s: from %s, %s, %.0f ms", project, answer.owner.name, answer.how, waited * 1000)
        if any(member.index.is_directory for member in self.members):
            return answer  # what was just put there is wanted at once
        with self._lock:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[key] = (time.monotonic() + REPEAT_SECONDS, answer)
        return answer

    def forget(self, project: str) -> None:
        """Forget what is in memory of a project, after its records were removed."""
        with self._lock:
            for key in [key for key in self._answers if key[0] == project]:
                del self._answers[key]
            for source in [source for source in self._absent if source[1] == project]:
                del self._absent[source]

    def _walk(self, project: str, index: str | None, ends: float, *, again: bool) -> Answer:
        question = self._question(project, index)
        if again:
            question = as_unknown(question)
        pages: dict[int, _Asked] = {}
        self._name_lists.refresh()
        while True:
            step = next_step(question)
            if isinstance(step, Ask):
                asked = self._ask_within(question, step.position, ends)
                pages[step.position] = asked
                question = question.learnt(step.position, asked.outcome)
            elif isinstance(step, Refuse):
                raise refusal(question, step)
            else:
                answer = self._serve(question, step, pages.get(step.position))
                if answer is not None:
                    return answer
                # The stored page cannot be read: as if there were none.
                question = _without_page(question, step.position)

    def _question(self, project: str, index: str | None) -> Question:
        settings = self.settings
        if index is None:
            chain: Sequence[Index] = candidates(settings.indexes, project)
        else:
            chain = [self.members[index].index]
        now, clock = time.time(), time.monotonic()
        known = tuple(self._candidate(self.members[i.name], project, now, clock) for i in chain)
        return Question(
            project, self._never_none(known), settings.fresh, settings.keep, settings.offline
        )

    def _candidate(self, member: Member, project: str, now: float, clock: float) -> Candidate:
        index = member.index
        facts = self.store.pages.facts(index.key, project)
        name_list = self.store.ledger.name_list(index.key) if index.is_private else None
        with self._lock:
            absent_until = self._absent.get((index.key, project), 0.0)
        # A directory is read at each request, so that its page is never taken as fresh.
        age = None if facts is None else facts.age(now)
        if index.is_directory and age is not None:
            age = max(age, self.settings.fresh)
        return Candidate(
            index,
            page_age=age,
            resolution_age=None if facts is None else facts.resolution_age(now),
            passed=facts.passed if facts is not None else "",
            in_ledger=index.is_private
            and self.store.ledger.ownership(index.key, project) is not None,
            list_known=name_list is not None and now - name_list.fetched < LIST_USE,
            remembered_absent=clock < absent_until and not index.is_directory,
            held=member.held(clock),
            trouble=member.health.trouble,
        )

    def _never_none(self, known: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """If every index is held and nothing is kept, try the one that would be tried first."""
        if any(not c.held or c.page_age is not None or c.remembered_absent for c in known):
            return known
        healths = {c.index.name: self.members[c.index.name].health for c in known}
        opened = [c for c in known if healths[c.index.name].state is State.OPEN]
        if not opened:
            return known
        first = min(opened, key=lambda c: healths[c.index.name].until)
        return tuple(replace(c, held="") if c is first else c for c in known)

    def _ask_within(self, question: Question, position: int, ends: float) -> _Asked:
        """Ask one index within its share of what is left of the deadline."""
        candidate = question.chain[position]
        member = self.members[candidate.index.name]
        revalidate = candidate.page_age is not None
        to_ask = sum(
            c.outcome is None and not c.held and not c.remembered_absent
            for c in question.chain[position:]
        )
        now = time.monotonic()
        share = max(0.0, ends - now) / max(1, to_ask)
        # A little less than the wait for it, so that the index's own words for it arrive first.
        limits = Limits(now + share * (1 - RESERVE), self.settings.page_size)
        try:
            asked = run_within(
                lambda: self._ask(member, question.project, limits, revalidate=revalidate),
                share,
                f"ask-{member.index.name}",
            )
        except TimeoutError:
            asked = _Asked(Outcome(Kind.SILENT, f"no answer within {share:.1f} s", share))
        member.learn(asked.outcome)
        if asked.outcome.kind is Kind.ABSENT:
            self._remember_absent(member.index, question.project)
        return asked

    def _remember_absent(self, index: Index, project: str) -> None:
        now = time.monotonic()
        with self._lock:
            if len(self._absent) >= _REMEMBERED:
                self._absent = {k: until for k, until in self._absent.items() if until > now}
            self._absent[index.key, project] = now + ABSENT_SECONDS

    def _ask(self, member: Member, project: str, limits: Limits, *, revalidate: bool) -> _Asked:
        """Ask one index and keep what it said; done in a thread that may outlive the walk."""
        index = member.index
        held = self.store.pages.facts(index.key, project)
        validators = held.validators if held is not None and revalidate else Validators()
        answer = member.upstream.page(project, limits, *validators)
        now = time.time()
        resolved, passed = (held.resolved, held.passed) if held is not None else (0.0, "")
        if answer.outcome.kind is Kind.NOT_MODIFIED and held is not None:
            facts = PageFacts(validators, held.digest, now, resolved, passed)
            with keeping(f"the page of {project}"):
                self.store.pages.confirm(index.key, project, facts)
            return _Asked(answer.outcome, None, facts)
        if answer.page is None:
            if answer.outcome.kind is Kind.ABSENT and held is not None:
                with keeping(f"that {project} is gone"):
                    self.store.pages.remove(project, index.key)
            return _Asked(answer.outcome)
        validators = Validators(answer.etag, answer.last_modified)
        facts = PageFacts(validators, digest_of(answer.page), now, resolved, passed)
        with keeping(f"the page of {project}"):
            self.store.pages.put(index.key, answer.page, facts)
            if index.is_private:
                self.store.ledger.record_page(index.key, project)
        return _Asked(answer.outcome, answer.page, facts)

    def _serve(self, question: Question, step: Serve, asked: _Asked | None) -> Answer | None:
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
        offline = question.is_offline and not (index.is_directory and asked is not None)
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
            "stale" if step.stale else "asked" if asked is not None else "fresh",
            facts.age(now),
            tried(question, step),
            offline,
            not offline and all(file.sha256 is not None for file in page.files),
        )


def _without_page(question: Question, position: int) -> Question:
    chain = list(question.chain)
    chain[position] = replace(chain[position], page_age=None, resolution_age=None, outcome=None)
    return replace(question, chain=tuple(chain))
