"""Compares an archive with the store: what is new, what is here already, and what would change.

Reads the store and writes nothing. `changes` has the rule.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from indexfallback.carry.changes import (
    OwnerChange,
    PageChange,
    PinChange,
    Sha256s,
    Subject,
    agrees,
    owner_change,
    page_change,
    pin_change,
    sha256s,
    subject,
)
from indexfallback.carry.manifest import CarriedIndex, CarriedPage, Manifest
from indexfallback.chain.offer import refuses
from indexfallback.config import Index
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store
from indexfallback.store.evidence import BATCH, evidence
from indexfallback.store.ownership import OwnedName, Ownership
from indexfallback.store.page_rows import digest_of
from indexfallback.store.pins import Pin


class PinPlan(NamedTuple):
    """What becomes of the pins of an archive."""

    new: list[Pin]
    #: Those that stay away because the pin here has another sha256.
    withheld: list[Pin]
    changes: list[PinChange]


class Comparison:
    """The manifest of an archive beside what is here."""

    def __init__(
        self, store: Store, manifest: Manifest, chain: Sequence[Index], keys: Mapping[str, str]
    ) -> None:
        """``keys`` maps the address of an index in the archive to its address here."""
        self._store = store
        self._manifest = manifest
        self._chain = chain
        self._keys = keys
        self._indexes = {index.key: index for index in chain}

    def key(self, source: str) -> str:
        """Return the address here of an index in the archive."""
        return self._keys.get(source, source)

    def index(self, source: str) -> Index | None:
        """Return the index of the chain for an index in the archive, or None."""
        return self._indexes.get(self.key(source))

    def facts(self, page: CarriedPage) -> PageFacts | None:
        """Return what is known of the page here, or None."""
        return self._store.pages.facts(self.key(page.source), page.project)

    def is_newer(self, page: CarriedPage) -> bool:
        """Tell whether a page in the archive was confirmed later than the one here."""
        before = self.facts(page)
        return before is None or before.checked < min(page.checked, time.time())

    def names(self, carried: CarriedIndex) -> Iterator[OwnedName]:
        """Yield the names of an index that the ledger here may take over.

        An index that is public here owns no names. Only one with ``defer_copies`` has copies.
        """
        index = self.index(carried.url)
        if index is not None and not index.is_private:
            return
        has_copies = index is None or index.defer_copies
        for name in carried.names:
            if name.listed is not None or name.served is not None:
                copied = name.copied if has_copies else None
                yield OwnedName(name.project, name.listed, name.served, copied)

    def owner_changes(self) -> Iterator[OwnerChange]:
        """Yield the changes of owners."""
        claims = self._claims()
        while batch := list(islice(claims, BATCH)):
            known = evidence(self._store.database, [project for project, _, _ in batch])
            for project, key, ownership in batch:
                if project in known:
                    change = owner_change(self._chain, project, known[project], key, ownership)
                    if change is not None:
                        yield change

    def _claims(self) -> Iterator[tuple[str, str, Ownership | None]]:
        """Yield project, address here and, unless it is a page, what the ledger would get."""
        for index in self._manifest.indexes:
            for seen in self.names(index):
                yield seen.project, self.key(index.url), Ownership(*seen[1:])
        for page in self._manifest.pages:
            yield page.project, self.key(page.source), None

    def pins(self) -> PinPlan:
        """Return what becomes of the pins."""
        plan = PinPlan([], [], [])
        now = time.time()
        carried = sorted(self._manifest.pins, key=lambda pin: pin.project)
        for project, group in groupby(carried, key=lambda pin: pin.project):
            here: dict[Subject, list[Pin]] = {}
            for pins in self._store.pins.of_project(project).values():
                for known in pins:
                    here.setdefault(subject(known), []).append(known)
            listed: dict[str, list[Sha256s]] = {}
            for pin in group:
                key = self.key(pin.source)
                taken = Pin(project, pin.filename, pin.key, pin.sha256, min(pin.seen, now), key)
                if key not in listed:
                    listed[key] = self._listed(project, key)
                self._plan_pin(plan, taken, here.get(subject(taken), ()), listed[key])
        return plan

    @staticmethod
    def _plan_pin(
        plan: PinPlan, taken: Pin, known: Sequence[Pin], listed: Sequence[Sha256s]
    ) -> None:
        """Add a pin to the plan; ``known`` are those here of the same subject."""
        at_address = next((pin for pin in known if pin.key == taken.key), None)
        if at_address is not None and at_address.sha256 == taken.sha256:
            return
        if at_address is not None or not agrees(taken, known, listed):
            plan.withheld.append(taken)
            return
        plan.new.append(taken)
        change = pin_change(taken, listed)
        if change is not None:
            plan.changes.append(change)

    def page_change(self, carried: CarriedPage, page: ProjectPage) -> PageChange | None:
        """Return the change if ``page``, which is newer, replaces the page here."""
        key = self.key(carried.source)
        facts = self._store.pages.facts(key, page.name)
        if facts is not None and facts.digest == digest_of(page):
            return None
        group = self._group(key)
        known = dict(sha256s(self._pages(page.name, [other for other in group if other != key])))
        foreign = self._indexes.keys() - set(group) if key in self._indexes else set()
        for pins in self._store.pins.of_project(page.name, foreign).values():
            for about, found in groupby(pins, subject):
                of_subject = list(found)
                listed = known.get(about, ())
                beside = () if refuses(of_subject, listed) else listed
                known[about] = [*(pin.sha256 for pin in of_subject), *beside]
        before = self._store.pages.load(key, page.name)
        return page_change(self._name(key), before, page, known)

    def _name(self, key: str) -> str:
        return self._indexes[key].name if key in self._indexes else key

    def _group(self, key: str) -> list[str]:
        """Return the addresses of an index's group, the public index last."""
        index = self._indexes.get(key)
        if index is None:
            return [key]
        members = [other for other in self._chain if other.group == index.group]
        return [other.key for other in sorted(members, key=lambda other: other.role == "public")]

    def _listed(self, project: str, key: str) -> list[Sha256s]:
        """Return what the pages here list in each group in which a pin from ``key`` holds.

        A pin from an index that is not in the chain holds in all of them.
        """
        keys = [key] if key in self._indexes else [key, *self._indexes]
        groups = {tuple(self._group(each)) for each in keys}
        return [sha256s(self._pages(project, group)) for group in sorted(groups)]

    def _pages(self, project: str, keys: Sequence[str]) -> Iterator[ProjectPage]:
        for key in keys:
            page = self._store.pages.load(key, project)
            if page is not None:
                yield page
