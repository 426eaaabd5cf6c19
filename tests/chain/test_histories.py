"""No public package takes a private one's name, in whatever order things fail and come back.

Hypothesis makes up histories of a private index, a public one with namesakes, and two shims on one
cache directory. The test itself knows at each moment which names the private index owns.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from indexfallback.carry.changes import all_changes, no_changes
from indexfallback.carry.export import export
from indexfallback.carry.imports import import_archive
from indexfallback.carry.manifest import Known
from indexfallback.chain import asking, fallback
from indexfallback.chain.answer import Answer
from indexfallback.chain.policy import Refuse
from indexfallback.chain.question import Question
from indexfallback.config import Settings
from indexfallback.errors import (
    FileError,
    ProjectError,
    ProjectNotFoundError,
    ProjectUnavailableError,
)
from indexfallback.names import METADATA_ENDING
from indexfallback.outcome import Kind
from indexfallback.shim import Shim
from indexfallback.store import Store, maintenance
from tests.chain.chain import ROOT
from tests.chain.company import ANSWERS, KINDS, NAMES, PUBLIC, Clock, Company
from tests.chain.knowledge import Knowledge, Setup
from tests.chain.walking import walk
from tests.fakes import Dist
from tests.files.support import fetch
from tests.store.support import set_read_only

DAY = 86400.0
#: Enough for an index in trouble to be asked again.
A_WHILE = 61.0
#: Enough for a list of names to be fetched again.
AN_HOUR = 3700.0
LIMIT = 10**9

names = st.sampled_from(NAMES)
#: Mostly the first one: the others are then known by the list alone.
mostly_first = st.sampled_from([NAMES[0]] * 4 + [*NAMES])
#: Mostly the first shim: what one has learnt, the other one has to know, too.
places = st.sampled_from([0, 0, 1])
#: Mostly the usual one, in which a name is private by what was seen of it alone.
setups = st.just(Setup()) | st.builds(
    Setup,
    fresh=st.sampled_from([0.0, 600.0]),
    on_outage=st.sampled_from(["ledger", "stop", "next"]),
    claim=st.sampled_from(["", "", "projects", "only"]),
    defer_copies=st.booleans(),
    offline=st.booleans(),
    mirror=st.booleans(),
)
#: Addresses that a page is asked for at; None is the one of the whole chain.
doors = st.sampled_from([None, "private", "pypi", "mirror"])
dists = st.builds(lambda kind, name: KINDS[kind][name], st.sampled_from(sorted(KINDS)), names)


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


class Histories(RuleBasedStateMachine):
    """What happens to the indexes, the shims and their cache directory."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(fallback, "REPEAT_SECONDS", 0.0)
        patch.setattr(asking, "RETRY_SECONDS", (0.0, 0.0))
        self.clock = Clock(patch)
        self.company = Company(self.stack)
        self.base = Path(self.stack.enter_context(TemporaryDirectory()))
        self.cache = self.base / "cache"
        self.kept = Knowledge()
        self.places: dict[int, Place] = {}
        self.archives: list[tuple[Path, Knowledge]] = []

    def teardown(self) -> None:
        self._close_all()
        self.stack.close()

    # What the private index says.

    @initialize(
        setup=setups,
        root=st.none() | st.sampled_from(ANSWERS),
        down=st.sampled_from([False, False, True]),
        before=st.sets(names),
        is_read_only=st.sampled_from([False, False, True]),
    )
    def start(
        self, setup: Setup, root: int | str | None, down: bool, before: set[str], is_read_only: bool
    ) -> None:
        self.restart(0, setup)
        self.company.own.stop_listening()
        for name in sorted(before):  # public, before anybody knew better
            self._ask(self.places[0], name, "pypi", again=False)
            self._ask_for_file(self.places[0], PUBLIC[name], "pypi", hashed=True, ending="")
        if root is not None:
            self.company.answer(root, ROOT)
        self.restart(0, setup)
        self.places[0].set_read_only(is_read_only)
        if not down:
            self.company.own.start_again()

    @rule(at=places, asked=st.lists(names, max_size=2), stays=st.sampled_from([False, False, True]))
    def go_down(self, at: int, asked: list[str], stays: bool) -> None:
        self.company.own.stop_listening()
        for name in asked:
            self._ask(self._place(at), name, None, again=False)
        if not stays:
            self.company.own.start_again()
            self.clock.passed += A_WHILE

    @rule(seconds=st.sampled_from([0.0, A_WHILE, AN_HOUR]))
    def come_back(self, seconds: float) -> None:
        self.company.come_back()
        self.clock.passed += seconds

    @rule(
        what=st.sampled_from(ANSWERS),
        path=st.sampled_from(["/", ROOT, *(f"{ROOT}{name}/" for name in NAMES)]),
        times=st.sampled_from([1, None, None]),
    )
    def answer(self, what: int | str, path: str, times: int | None) -> None:
        self.company.answer(what, path, times if path not in ("/", ROOT) else None)

    @rule(left_out=st.sets(names), seconds=st.sampled_from([0.0, AN_HOUR]))
    def list_fewer_names(self, left_out: set[str], seconds: float) -> None:
        self.company.list_all_but(left_out)
        self.clock.passed += seconds

    @rule(dist=dists)
    def publish(self, dist: Dist) -> None:
        self.company.publish(dist)

    @rule(dist=dists, wholly=st.booleans())
    def withdraw(self, dist: Dist, wholly: bool) -> None:
        if wholly:
            self.company.withdraw_project(dist.project)
        else:
            self.company.withdraw(dist)

    @rule(is_up=st.booleans())
    def change_the_public_index(self, is_up: bool) -> None:
        if is_up:
            self.company.far.start_again()
        else:
            self.company.far.stop_listening()

    # What happens on the machine.

    @rule(seconds=st.sampled_from([A_WHILE, AN_HOUR, 8 * DAY]))
    def pass_time(self, seconds: float) -> None:
        self.clock.passed += seconds

    @rule(seconds=st.sampled_from([-400 * DAY, -AN_HOUR, AN_HOUR, 400 * DAY]))
    def set_the_clock(self, seconds: float) -> None:
        self.clock.set += seconds

    @rule(at=places, setup=setups)
    def restart(self, at: int, setup: Setup) -> None:
        self._close(at)
        chain = self.company.indexes(setup)
        values = Settings(
            indexes=chain,
            cache_dir=self.cache,
            fresh=setup.fresh,
            keep=3600.0,
            deadline=2.0,
            offline=setup.offline,
        )
        self.places[at] = Place(setup, Shim(values))

    @rule(is_read_only=st.booleans())
    def change_the_disk(self, is_read_only: bool) -> None:
        for place in self.places.values():
            place.set_read_only(is_read_only)
        if not is_read_only:
            self.clock.passed += A_WHILE  # a disk that failed is not tried again at once

    @rule(name=names, wholly=st.booleans())
    def disown(self, name: str, wholly: bool) -> None:
        with self._store() as store:
            if wholly:
                maintenance.forget(store, name)
            else:
                maintenance.disown(store, name, [self.company.own.url])
        for knowledge in (self.kept, *(place.alone for place in self.places.values())):
            knowledge.disown(name)

    @precondition(lambda self: len(self.archives) < 2)
    @rule()
    def export(self) -> None:
        path = self.base / f"{len(self.archives)}.tar"
        with self._store() as store:
            chain = self.company.indexes(Setup(mirror=True))
            export(store, chain, set(NAMES), path, known=Known())
        self.archives.append((path, self.kept.copy()))

    @precondition(lambda self: self.archives)
    @rule(which=st.sampled_from([0, -1]), elsewhere=st.booleans(), agrees=st.booleans())
    def take_an_archive_in(self, which: int, elsewhere: bool, agrees: bool) -> None:
        path, knowledge = self.archives[which]
        setup = self.places[0].setup
        if elsewhere:
            self._close_all()
            self.cache = self.base / f"cache-{len(list(self.base.iterdir()))}"
            self.kept = Knowledge()
            self.restart(0, setup)
        consent = all_changes if agrees else no_changes
        chain = self.company.indexes(setup)
        with self._store() as store:
            done = import_archive(store, path, chain, {}, LIMIT, consent=consent)
        knowledge = knowledge.copy()
        for name in done.left:
            knowledge.disown(name)
        self.kept.add(knowledge)

    # What clients ask for.

    @rule(
        at=places,
        asked=st.lists(st.tuples(mostly_first, doors, st.booleans()), min_size=1, max_size=3),
    )
    def ask(self, at: int, asked: list[tuple[str, str | None, bool]]) -> None:
        for name, door, again in asked:
            self._ask(self._place(at), name, door, again=again)

    @rule(at=places, asked=st.lists(mostly_first, min_size=1, max_size=2))
    def ask_the_chain(self, at: int, asked: list[str]) -> None:
        for name in asked:
            self._ask(self._place(at), name, None, again=False)

    @rule(
        at=places,
        dists=st.lists(dists, min_size=1, max_size=3),
        owner=st.sampled_from(["private", "pypi"]),
        hashed=st.booleans(),
        ending=st.sampled_from(["", METADATA_ENDING]),
    )
    def ask_for_files(
        self, at: int, dists: list[Dist], owner: str, hashed: bool, ending: str
    ) -> None:
        place = self._place(at)
        for dist in dists:
            self._ask_for_file(place, dist, owner, hashed=hashed, ending=ending)

    @invariant()
    def whatever_the_private_index_says_now_no_other_one_is_asked(self) -> None:
        for place, name in product(self.places.values(), NAMES):
            if not self._is_owned(place, name):
                continue
            for door in (None, "pypi"):
                question = place.shim.fallback._questions.about(name, door)
                if not question.chain[0].may_copy:
                    for kind in (Kind.ABSENT, Kind.DENIED, Kind.UNREACHABLE):
                        self._walk(question, kind)
            if not question.chain[0].may_copy:
                with self._learning(place), pytest.raises(FileError):
                    fetch(place.shim, PUBLIC[name], owner="pypi")

    # How it is done, and what is learnt.

    def _walk(self, question: Question, kind: Kind) -> None:
        """Follow the policy where the private index gives one kind of answer to everything."""
        asked, end = walk(question, lambda name: kind if name == "private" else Kind.FOUND)
        others = {*asked, *([] if isinstance(end, Refuse) else [_name(question, end.position)])}
        assert others <= {"private"}, f"{question.project} is private and comes from {others}"

    def _ask(self, place: Place, name: str, door: str | None, *, again: bool) -> None:
        if door == "mirror" and not place.setup.mirror:
            door = "pypi"
        is_owned = self._is_owned(place, name)
        with self._learning(place):
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

    def _ask_for_file(
        self, place: Place, dist: Dist, owner: str, *, hashed: bool, ending: str
    ) -> None:
        is_owned = self._is_owned(place, dist.project)
        with self._learning(place):
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
    def _learning(self, place: Place) -> Iterator[None]:
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

    def _is_owned(self, place: Place, name: str) -> bool:
        return self._knowledge(place).is_owned(name, place.setup, self.company.copies)

    def _place(self, at: int) -> Place:
        if at not in self.places:
            self.restart(at, self.places[0].setup)
        return self.places[at]

    @contextmanager
    def _store(self) -> Iterator[Store]:
        """Give the store as another process has it: a command."""
        store = Store(self.cache, LIMIT)
        try:
            yield store
        finally:
            store.close()

    def _close(self, at: int) -> None:
        place = self.places.pop(at, None)
        if place is not None:
            place.shim.close()
            if not place.is_read_only:
                self.kept.add(place.alone)

    def _close_all(self) -> None:
        for at in tuple(self.places):
            self._close(at)


def _name(question: Question, position: int) -> str:
    return question.chain[position].index.name


def settle() -> None:
    """Wait for what a request has left to the background."""
    for thread in threading.enumerate():
        if thread.name.startswith(("names-", "ask-", "fetch-")):
            thread.join(5.0)


Histories.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
)
TestHistories = Histories.TestCase
