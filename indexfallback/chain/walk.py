"""The walk down the chain for a project's page: fresh from the store, else asked, else stale."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from indexfallback.chain.answer import Answer, AnswerBuilder
from indexfallback.chain.asking import Asker
from indexfallback.chain.copies import is_copy_of
from indexfallback.chain.explain import refusal
from indexfallback.chain.keeper import Asked
from indexfallback.chain.members import Members
from indexfallback.chain.policy import Ask, Compare, Refuse, Serve, next_step
from indexfallback.chain.question import PageRequest, Question, as_unknown
from indexfallback.chain.questions import Questions
from indexfallback.errors import ProjectError
from indexfallback.health import last_resort
from indexfallback.page import ProjectPage
from indexfallback.store import Store


class Walker:
    """Walks down the chain, as `policy.next_step` says."""

    def __init__(
        self,
        store: Store,
        members: Members,
        *,
        questions: Questions,
        asker: Asker,
        builder: AnswerBuilder,
        before: Iterable[Callable[[], None]],
    ) -> None:
        """``before`` is called at each walk, and starts what runs in the background."""
        self._store = store
        self._members = members
        self._questions = questions
        self._asker = asker
        self._builder = builder
        self._before = tuple(before)

    def walk(self, request: PageRequest, ends: float) -> Answer:
        """Return the answer, until ``ends`` on the monotonic clock; raises `ProjectError`."""
        question = self._questions.about(request)
        if request.again:
            question = as_unknown(question, time.monotonic(), reload=request.reload)
        pages: dict[int, Asked] = {}
        for start in self._before:
            start()
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
                    raise self._error(question, step)
                question = question.released(resort)
            else:
                answer = self._serve(question, step, pages.get(step.position))
                if answer is not None:
                    return answer
                # The stored page cannot be read: as if there were none.
                question = question.without_page(step.position)

    @staticmethod
    def _error(question: Question, step: Refuse) -> ProjectError:
        decided_by = "" if step.position is None else question.chain[step.position].index.name
        return replace(
            refusal(question, step), decided_by=decided_by, wants_login=question.wants_login
        )

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
            self._store.ledger.record_copy(key, project)
        elif is_own:
            self._store.ledger.record_page(key, project)
        return question.judged(step.position, is_copy=is_copy, is_own=is_own)

    def _page_at(
        self, question: Question, position: int, pages: dict[int, Asked]
    ) -> ProjectPage | None:
        """Return the page of an index, from this walk or the store; None if it cannot be read."""
        asked = pages.get(position)
        if asked is not None and asked.page is not None:
            return asked.page
        return self._store.pages.load(question.chain[position].index.key, question.project)

    def _last_resort(self, question: Question, refuse: Refuse) -> int | None:
        """Return an index that is skipped but may be tried, because no other one can be asked."""
        skipped = {
            position: self._members[c.index.name].health
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
            facts = self._store.pages.facts(index.key, question.project)
        pages = {} if asked is None else {step.position: asked}
        page = self._page_at(question, step.position, pages)
        if facts is None or page is None:
            return None
        answered = asked is not None and asked.outcome.is_page
        return self._builder.build(question, step, page, facts, answered=answered)
