"""The shims of one user on one cache directory, and what they have to know of names."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexfallback.chain.answer import Answer
from indexfallback.config import Settings
from indexfallback.errors import (
    FileError,
    ProjectError,
    ProjectNotFoundError,
    ProjectUnavailableError,
)
from indexfallback.shim import Shim
from indexfallback.store import Store
from tests.chain.company import PUBLIC, Company
from tests.chain.knowledge import Knowledge, Setup
from tests.fakes import Dist
from tests.files.support import fetch
from tests.serving import wait_until
from tests.store.support import set_read_only

#: Bytes that the cache holds.
LIMIT = 10**9


class Place:
    """One shim, and what it alone knows, since it could not write it down."""

    def __init__(self, setup: Setup, shim: Shim) -> None:
        self.setup = setup
        self.shim = shim
        self.is_read_only = False
        self.alone = Knowledge()

    def set_read_only(self, value: bool) -> None:
        """Have the records take nothing any more, or take it again."""
        set_read_only(self.shim.store, value)
        self.is_read_only = value


class Shims:
    """All shims by their numbers, the first of which is 0."""

    def __init__(self, company: Company, cache: Path) -> None:
        self.company = company
        self.cache = cache
        #: What the cache directory must know.
        self.kept = Knowledge()
        self.places: dict[int, Place] = {}

    def start(self, at: int, setup: Setup) -> None:
        """Start a shim, in place of the one that runs."""
        self.close(at)
        values = Settings(
            indexes=self.company.indexes(setup),
            cache_dir=self.cache,
            fresh=setup.fresh,
            keep=3600.0,
            deadline=2.0,
            offline=setup.offline,
        )
        self.places[at] = Place(setup, Shim(values))

    def move(self, cache: Path) -> None:
        """Go on with another cache directory, which is empty."""
        setup = self.places[0].setup
        self.close_all()
        self.cache, self.kept = cache, Knowledge()
        self.start(0, setup)

    def disown(self, name: str) -> None:
        """Note that nobody is to own a name any more."""
        for knowledge in (self.kept, *(place.alone for place in self.places.values())):
            knowledge.disown(name)

    def ask(self, place: Place, name: str, door: str | None, *, again: bool) -> None:
        """Ask for a page, by the whole chain or at one index, and check who it comes from."""
        if door == "mirror" and not place.setup.mirror:
            door = "pypi"
        is_owned = self.is_owned(place, name)
        with self.learning(place):
            answer = self._page(place, name, door, again=again)
        if is_owned and not place.setup.defer_copies:
            assert not self.company.heard(name), f"{name} is private and was asked for elsewhere"
        if answer is None:
            return
        if answer.owner.name == "private":
            self._learn_page(place, answer)
            return
        assert not is_owned, f"{name} is private and comes from {answer.owner.name}"
        if door is None:
            assert self._knowledge(place).may_be_public(name, place.setup), (
                f"nothing is known of the private index, and {name} is public"
            )

    def ask_for_file(
        self, place: Place, dist: Dist, owner: str, *, hashed: bool, ending: str
    ) -> None:
        """Ask for a file at the address of one owner, and check whose bytes come."""
        is_owned = self.is_owned(place, dist.project)
        with self.learning(place):
            try:
                data = fetch(place.shim, dist, owner=owner, hashed=hashed, ending=ending)
            except (FileError, ProjectError):
                return
        public = PUBLIC[dist.project]
        if is_owned and public.sha256 not in self.company.offered:
            assert data not in (public.data, public.metadata)

    def _page(self, place: Place, name: str, index: str | None, *, again: bool) -> Answer | None:
        try:
            answer = place.shim.fallback.page(name, index, again=again)
            place.shim.offer(answer)
        except (ProjectNotFoundError, ProjectUnavailableError):  # 404 and 503
            return None
        return answer

    @contextmanager
    def learning(self, place: Place) -> Iterator[None]:
        """Note what the private index says while a client asks, in the background as well."""
        key = self.company.own.url
        before = place.shim.store.ledger.name_list(key)
        self.company.clear()
        yield
        settle()
        knowledge = place.alone if place.is_read_only else self.kept
        knowledge.asked |= self.company.asked
        after = place.shim.store.ledger.name_list(key)
        if after is not None and (before is None or before.fetched != after.fetched):
            assert self.company.listed, "what is no list of names was taken for one"
            knowledge.list(self.company.listed)

    def _learn_page(self, place: Place, answer: Answer) -> None:
        """Note what a page of the private index tells of its name."""
        knowledge = place.alone if place.is_read_only else self.kept
        public = PUBLIC[answer.project].sha256
        is_copy = all(file.sha256 == public for file in answer.page.files)
        knowledge.listed.add(answer.project)
        if answer.how != "asked" or is_copy:
            return
        compared = any(tried.index == "pypi" and tried.what == "found" for tried in answer.tried)
        if compared or not place.setup.defer_copies or place.setup.claims(answer.project):
            knowledge.served.add(answer.project)

    def _knowledge(self, place: Place) -> Knowledge:
        knowledge = self.kept.copy()
        knowledge.add(place.alone)
        return knowledge

    def is_owned(self, place: Place, name: str) -> bool:
        """Tell whether a shim must know that a name is the private index's."""
        return self._knowledge(place).is_owned(name, place.setup, self.company.copies)

    def place(self, at: int) -> Place:
        """Return a shim, which is started if need be."""
        if at not in self.places:
            self.start(at, self.places[0].setup)
        return self.places[at]

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Give the store as another process has it: a command."""
        store = Store(self.cache, LIMIT)
        try:
            yield store
        finally:
            store.close()

    def close(self, at: int) -> None:
        """Stop a shim."""
        place = self.places.pop(at, None)
        if place is not None:
            place.shim.close()
            if not place.is_read_only:
                self.kept.add(place.alone)

    def close_all(self) -> None:
        """Stop all shims."""
        for at in tuple(self.places):
            self.close(at)


def settle() -> None:
    """Wait for what a request has left to the background."""
    wait_until(
        lambda: (
            not any(
                thread.name.startswith(("names-", "ask-", "fetch-"))
                for thread in threading.enumerate()
            )
        ),
        30,
        "a request has not ended",
    )
