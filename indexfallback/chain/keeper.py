"""Stores the answers for pages: the page, its owner, and corrections of mirrors."""

import logging
import time
from dataclasses import replace
from typing import NamedTuple

from indexfallback.chain.authority import corrections
from indexfallback.chain.cooldown import with_times
from indexfallback.chain.lag import behind
from indexfallback.chain.members import Member, Members
from indexfallback.config import Index, Settings
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators, best_effort
from indexfallback.store.page_rows import digest_of
from indexfallback.upstream.answers import PageAnswer

log = logging.getLogger("indexfallback")


class Asked(NamedTuple):
    """What one index answered: its page, or NOT_MODIFIED and what is known of the stored one."""

    outcome: Outcome
    page: ProjectPage | None = None
    facts: PageFacts | None = None


def _as_evidence(index: Index, answer: PageAnswer) -> PageAnswer:
    """Return what an answer says of the ownership of a project.

    Some private indexes answer 200 with an empty page for every name: that is no evidence. A page
    whose files are all left out is a project's page.
    """
    page = answer.page
    if index.is_private and page is not None and not page.files and not page.dropped:
        return PageAnswer(replace(answer.outcome, kind=Kind.ABSENT, detail="a page without files"))
    return answer


class Keeper:
    """Stores answers for pages."""

    def __init__(self, settings: Settings, store: Store, members: Members) -> None:
        self._settings = settings
        self._store = store
        self._members = members

    def keep(
        self, member: Member, project: str, answer: PageAnswer, held: PageFacts | None
    ) -> Asked:
        """Store an answer, and return what it means; ``held`` are the facts of the stored page."""
        answer = _as_evidence(member.index, answer)
        index = member.index
        now = time.time()
        if answer.outcome.kind is Kind.NOT_MODIFIED and held is not None:
            facts = held._replace(checked=now)
            with best_effort(f"store the page of {project}"):
                self._store.pages.confirm(index.key, project, facts)
            self._compare_group(member, project)
            return Asked(answer.outcome, None, facts)
        if answer.page is None:
            if answer.outcome.kind is Kind.ABSENT and held is not None:
                self._keep_absence(index, project, held, now)
            return Asked(answer.outcome)
        page = self._with_times(index, answer.page) if held is not None else answer.page
        facts = PageFacts(
            Validators(answer.etag, answer.last_modified),
            digest_of(page),
            now,
            *(held[3:] if held is not None else ()),
        )
        with best_effort(f"store the page of {project}"):
            self._store.pages.put(index.key, page, facts)
        self._note_owner(index, project)
        self._compare_group(member, project)
        return Asked(answer.outcome, page, facts)

    def _with_times(self, index: Index, page: ProjectPage) -> ProjectPage:
        """Return a page with the upload-times that its cooldown needs, as stated before."""
        if not index.cooldown_of(page.name) or all(file.upload_time for file in page.files):
            return page
        known = None
        with best_effort(f"read the stored page of {page.name}"):
            known = self._store.pages.load(index.key, page.name)
        return with_times(page, known) if known is not None else page

    def _note_owner(self, index: Index, project: str) -> None:
        """Remember a project as a private index's: by its page, or for comparison only."""
        if not index.is_private:
            return
        if index.defer_copies and not index.claims(project):
            self._store.ledger.record_name(index.key, project)
        else:
            self._store.ledger.record_page(index.key, project)

    def _keep_absence(self, index: Index, project: str, held: PageFacts, now: float) -> None:
        """Take a stored page out of use, since its index does not have it any more.

        The page of a private index stays, for times without a network: a token may have been lost
        since. But it is not fresh any more.
        """
        with best_effort(f"record that {project} is gone"):
            if index.is_private:
                aged = held._replace(
                    checked=min(held.checked, now - self._settings.fresh_for(index))
                )
                self._store.pages.confirm(index.key, project, aged._replace(resolved=0.0))
            else:
                self._store.pages.remove(project, index.key)

    def _compare_group(self, asked: Member, project: str) -> None:
        """Compare mirrors' pages with what their public index was last known to have."""
        authority = self._settings.index(asked.index.group)
        for mirror in self._members.group(asked.index.group):
            if authority is None or mirror.index == authority:
                continue
            if asked.index not in (mirror.index, authority):
                continue
            with best_effort(
                f"record how {mirror.index.name} differs from {authority.name} in {project}"
            ):
                page = self._store.pages.load(mirror.index.key, project)
                known = self._store.pages.load(authority.key, project)
                if page is not None and known is not None:
                    mirror.figures.note_lag(project, behind(page, known))
                    self._correct(mirror.index, authority, page, known)

    def _correct(
        self, mirror: Index, authority: Index, page: ProjectPage, known: ProjectPage
    ) -> None:
        """Pin what the public index says of files that its mirror has otherwise."""
        pins = self._store.pins
        of_mirror = [
            pin
            for of_name in pins.of_project(page.name).values()
            for pin in of_name
            if pin.source == mirror.key
        ]
        foreign = self._settings.foreign_keys(authority.group)
        for filename, right, wrong in corrections(page, known, of_mirror):
            for sha256 in right:
                pins.record(
                    page.name, filename, sha256, authority.key, {*foreign, mirror.key},
                    key=sha256, corrects={mirror.key}, right=right,
                )  # fmt: skip
            log.warning(
                "%s: %s is not the file that %s lists: sha256 %s, where %s is right; refused",
                mirror.name, filename, authority.name, wrong, " or ".join(right),
            )  # fmt: skip
