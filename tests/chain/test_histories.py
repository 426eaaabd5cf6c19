"""No public package takes a private one's name, in whatever order things fail and come back.

Hypothesis makes up histories of a private index, a public one with namesakes, and two shims on one
cache directory. The test itself knows at each moment which names the private index owns.
"""

from contextlib import ExitStack
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
from indexfallback.chain.policy import Refuse
from indexfallback.chain.question import PageRequest, Question
from indexfallback.errors import (
    FileError,
)
from indexfallback.names import METADATA_ENDING
from indexfallback.outcome import Kind
from indexfallback.store import maintenance
from tests.chain.chain import ROOT
from tests.chain.company import ANSWERS, KINDS, NAMES, PUBLIC, Clock, Company
from tests.chain.knowledge import Knowledge, Setup
from tests.chain.shims import LIMIT, Shims
from tests.chain.walking import walk
from tests.fakes import Dist
from tests.files.support import fetch

DAY = 86400.0
#: Enough for an index in trouble to be asked again.
A_WHILE = 61.0
#: Enough for a list of names to be fetched again.
AN_HOUR = 3700.0

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
        self.shims = Shims(self.company, self.base / "cache")
        self.archives: list[tuple[Path, Knowledge]] = []

    def teardown(self) -> None:
        self.shims.close_all()
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
            self.shims.ask(self.shims.places[0], name, "pypi", again=False)
            self.shims.ask_for_file(
                self.shims.places[0], PUBLIC[name], "pypi", hashed=True, ending=""
            )
        if root is not None:
            self.company.answer(root, ROOT)
        self.restart(0, setup)
        self.shims.places[0].set_read_only(is_read_only)
        if not down:
            self.company.own.start_again()

    @rule(at=places, asked=st.lists(names, max_size=2), stays=st.sampled_from([False, False, True]))
    def go_down(self, at: int, asked: list[str], stays: bool) -> None:
        self.company.own.stop_listening()
        for name in asked:
            self.shims.ask(self.shims.place(at), name, None, again=False)
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
        self.shims.start(at, setup)

    @rule(is_read_only=st.booleans())
    def change_the_disk(self, is_read_only: bool) -> None:
        for place in self.shims.places.values():
            place.set_read_only(is_read_only)
        if not is_read_only:
            self.clock.passed += A_WHILE  # a disk that failed is not tried again at once

    @rule(name=names, wholly=st.booleans())
    def disown(self, name: str, wholly: bool) -> None:
        with self.shims.store() as store:
            if wholly:
                maintenance.forget(store, name)
            else:
                maintenance.disown(store, name, [self.company.own.url])
        self.shims.disown(name)

    @precondition(lambda self: len(self.archives) < 2)
    @rule()
    def export(self) -> None:
        path = self.base / f"{len(self.archives)}.tar"
        with self.shims.store() as store:
            chain = self.company.indexes(Setup(mirror=True))
            export(store, chain, set(NAMES), path, known=Known())
        self.archives.append((path, self.shims.kept.copy()))

    @precondition(lambda self: self.archives)
    @rule(which=st.sampled_from([0, -1]), elsewhere=st.booleans(), agrees=st.booleans())
    def take_an_archive_in(self, which: int, elsewhere: bool, agrees: bool) -> None:
        path, knowledge = self.archives[which]
        if elsewhere:
            self.shims.move(self.base / f"cache-{len(list(self.base.iterdir()))}")
        consent = all_changes if agrees else no_changes
        chain = self.company.indexes(self.shims.places[0].setup)
        with self.shims.store() as store:
            done = import_archive(store, path, chain, {}, LIMIT, consent=consent)
        knowledge = knowledge.copy()
        for name in done.left:
            knowledge.disown(name)
        self.shims.kept.add(knowledge)

    # What clients ask for.

    @rule(
        at=places,
        asked=st.lists(st.tuples(mostly_first, doors, st.booleans()), min_size=1, max_size=3),
    )
    def ask(self, at: int, asked: list[tuple[str, str | None, bool]]) -> None:
        for name, door, again in asked:
            self.shims.ask(self.shims.place(at), name, door, again=again)

    @rule(at=places, asked=st.lists(mostly_first, min_size=1, max_size=2))
    def ask_the_chain(self, at: int, asked: list[str]) -> None:
        for name in asked:
            self.shims.ask(self.shims.place(at), name, None, again=False)

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
        place = self.shims.place(at)
        for dist in dists:
            self.shims.ask_for_file(place, dist, owner, hashed=hashed, ending=ending)

    @invariant()
    def whatever_the_private_index_says_now_no_other_one_is_asked(self) -> None:
        for place, name in product(self.shims.places.values(), NAMES):
            if not self.shims.is_owned(place, name):
                continue
            for door in (None, "pypi"):
                question = place.shim.fallback._questions.about(PageRequest(name, door))
                if not question.chain[0].may_copy:
                    for kind in (Kind.ABSENT, Kind.DENIED, Kind.UNREACHABLE):
                        self._walk(question, kind)
            if not question.chain[0].may_copy:
                with self.shims.learning(place), pytest.raises(FileError):
                    fetch(place.shim, PUBLIC[name], owner="pypi")

    def _walk(self, question: Question, kind: Kind) -> None:
        """Follow the policy where the private index gives one kind of answer to everything."""
        asked, end = walk(question, lambda name: kind if name == "private" else Kind.FOUND)
        others = {*asked, *([] if isinstance(end, Refuse) else [_name(question, end.position)])}
        assert others <= {"private"}, f"{question.project} is private and comes from {others}"


def _name(question: Question, position: int) -> str:
    return question.chain[position].index.name


Histories.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
)
TestHistories = Histories.TestCase
