"""The answer for a project: the page that is served, and how it was found."""

import time
from typing import NamedTuple

from indexfallback.chain.authority import corrected, described_by
from indexfallback.chain.explain import tried
from indexfallback.chain.offer import has_unknown, has_wrong_metadata, withheld
from indexfallback.chain.policy import Serve
from indexfallback.chain.question import Question, passed_digest
from indexfallback.chain.refusals import Refusals
from indexfallback.config import Index, Settings
from indexfallback.errors import Tried
from indexfallback.mode import Cause
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, best_effort


class Answer(NamedTuple):
    """The page that is served for a project, and how it was found."""

    project: str
    owner: Index
    #: As its index has it, and with what a mirror has otherwise than its public index put right;
    #: what another index of the group is asked for has that one's entries, as it had them last.
    page: ProjectPage
    corrected: ProjectPage
    #: Names the page's content.
    digest: str
    #: ``fresh``, ``ahead`` (fetched just before a client asked for it), ``asked``, ``stale``,
    #: ``mirrored``.
    how: str
    #: Seconds since the owner confirmed the page.
    age: float
    tried: tuple[Tried, ...]
    #: Why it is served without a network, so that only stored files can be offered.
    offline: Cause | None
    #: What is offered follows from the page's content alone: not so offline, where hashes are
    #: only learnt by downloads, and where a file that has changed is withheld.
    is_settled: bool
    #: Bytes that came from the indexes for it.
    size: int = 0
    #: The names of the indexes that have answered 401 themselves.
    wants_login: tuple[str, ...] = ()


class AnswerBuilder:
    """Builds answers from the pages that the policy has chosen."""

    def __init__(self, settings: Settings, store: Store, refusals: Refusals) -> None:
        self._settings = settings
        self._store = store
        self._refusals = refusals

    def build(
        self,
        question: Question,
        step: Serve,
        page: ProjectPage,
        facts: PageFacts,
        *,
        answered: bool,
    ) -> Answer:
        """Return the answer with a page and its facts; ``answered`` if its index was asked now."""
        index = question.chain[step.position].index
        now = time.time()
        offered, changed = self._as_pinned(question.project, index, page)
        wanted = question.stood_in_for(step.position)
        known = self._store.pages.load(wanted.key, question.project) if wanted is not None else None
        if known is not None:
            offered, changed = described_by(known, offered), True
        # An index that has just answered can be reached, whatever the other ones told.
        offline = None if answered and not index.is_directory else question.offline
        if step.resolved:
            passed = passed_digest([c.index for c in question.chain[: step.position]])
            with best_effort(f"record who owns {question.project}"):
                self._store.pages.confirm(
                    index.key, question.project, facts._replace(resolved=now, passed=passed)
                )
        return Answer(
            question.project,
            index,
            page,
            offered,
            facts.digest,
            _how(step, facts, answered=answered),
            max(0.0, now - facts.checked),
            tried(question, step),
            offline,
            not (offline or changed) and all(file.sha256 is not None for file in page.files),
            sum(c.outcome.size for c in question.chain if c.outcome is not None),
            question.wants_login,
        )

    def _as_pinned(self, project: str, index: Index, page: ProjectPage) -> tuple[ProjectPage, bool]:
        """Return a page, and whether other hashes are offered than the page states.

        A mirror's entry that differs from its public index is replaced; other changes are noted.
        """
        pins = self._store.pins.of_project(project, self._settings.foreign_keys(index.group))
        stated, authority = page, self._settings.index(index.group)
        # Whatever of a mirror was found to be wrong is among them (`Keeper`).
        if authority is not None and authority != index and has_unknown(page, pins):
            known = self._store.pages.load(authority.key, project)
            page = page if known is None else corrected(page, known)
        changed = withheld(page, pins)
        for file in changed:
            self._refusals.note(pins[file.filename], index.name, file.sha256 or "")
        return page, page is not stated or bool(changed) or has_wrong_metadata(page, pins)


def _how(step: Serve, facts: PageFacts, *, answered: bool) -> str:
    if step.stale:
        return "stale"
    if answered:
        return "asked"
    return "mirrored" if facts.mirrored else "fresh"
