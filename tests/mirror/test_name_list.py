"""A run looks at whatever a comparison of all records would find, whatever has happened before."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.config import Index
from indexfallback.config.mirror import Mirror, Wanted
from indexfallback.errors import MirrorError
from indexfallback.mirror.name_list import Changes, NameList
from indexfallback.mirror.result import Result
from indexfallback.mirror.selection import Selection
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.mirrors import MirroredProject, Run
from indexfallback.upstream.answers import ListAnswer

SELECTIONS = (
    Mirror(index="far", projects=(Wanted("*"),)),
    Mirror(index="far", projects=(Wanted("*"),), latest=1),
    Mirror(index="far", projects=(Wanted("a*"), Wanted("b0"), Wanted("b?", ">1"))),
    Mirror(index="far", projects=(Wanted("*"),), exclude=(Wanted("a1"),)),
)
NAMES = st.sampled_from(["a", "a1", "b0", "b1", "c"])
_sources = count()


class Listing:
    """The list of an index, in the place of the requests for it (`Fetcher.names`)."""

    def __init__(self) -> None:
        self.serials: dict[str, int | None] = {}
        self.serial = 0

    @property
    def body(self) -> bytes:
        """The list in JSON."""
        entries = [{"_last-serial": s, "name": n} for n, s in self.serials.items()]
        meta = {"api-version": "1.1", "_last-serial": self.serial}
        return json.dumps({"meta": meta, "projects": entries}, separators=(",", ":")).encode()

    def names(self, known: Validators, read: Callable[[ListAnswer], Changes]) -> Changes | None:
        body = self.body
        etag = f'"{hash(body)}"'
        if known.etag == etag:
            return None
        outcome = Outcome(Kind.FOUND, "")
        return read(
            ListAnswer(outcome, body, "application/vnd.pypi.simple.v1+json", "", True, etag)
        )


class Runs:
    """The runs of one mirror."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.source = f"https://far.example.com/{next(_sources)}/"
        self.listing = Listing()
        self.mirror = SELECTIONS[0]

    def begin(self) -> tuple[NameList, Changes]:
        index = Index(name="far", url=self.source, role="public")
        fetcher: Any = self.listing
        names = NameList(self.mirror, index, self.store, fetcher, lambda: Selection(self.mirror))
        return names, names.changes(dry=False)

    def check(self, changes: Changes, again: set[str]) -> None:
        """Compare with what all records and the whole list say."""
        selection = Selection(self.mirror)
        wanted = {n: s for n, s in self.listing.serials.items() if selection.wants(n)}
        records = {n: record for n, *record in self.store.mirrors.states(self.source)}
        incomplete = {
            name
            for name, stated in wanted.items()
            if records.get(name) != [stated, selection.fingerprint(name)]
        }
        unlisted = {name for name in records.keys() - wanted.keys() if selection.wants(name)}
        assert changes.selected == len(wanted)
        assert set(changes.unwanted) == records.keys() - wanted.keys() - unlisted
        assert incomplete <= changes.projects.keys() <= incomplete | unlisted | again
        for name, stated in changes.projects.items():
            assert stated in (None, wanted.get(name))

    def finish(self, names: NameList, changes: Changes, failing: set[str], *, killed: bool) -> None:
        """Record the projects that do not fail, and the run if it was not killed."""
        selection, done = Selection(self.mirror), []
        self.store.mirrors.remove(self.source, changes.unwanted)
        for name, stated in changes.projects.items():
            if name not in self.listing.serials:
                self.store.mirrors.remove(self.source, [name])
            elif name not in failing:
                serial = self.listing.serials[name] if stated is None else stated
                page, facts = ProjectPage(name=name), PageFacts(Validators(), "", 0.0)
                done.append(MirroredProject(page, facts, serial, selection.fingerprint(name), ()))
        self.store.mirrors.put_projects(self.source, done)
        if not killed:
            failed = dict.fromkeys(failing & changes.projects.keys(), "why")
            self.store.mirrors.put_run(self.source, Run(self.listing.serial, 0.0, 1.0, len(failed)))
            names.keep(changes, Result(failed=failed))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with closing(Store(tmp_path_factory.mktemp("cache"), 10**9)) as opened:
        yield opened


STEPS = st.lists(
    st.tuples(
        st.dictionaries(NAMES, st.booleans(), max_size=4),  # changed, or else removed
        st.sampled_from(SELECTIONS),
        st.sets(NAMES, max_size=3),  # failing
        st.booleans(),  # killed before its end
        st.sets(NAMES, max_size=1),  # forgotten behind it
        st.sets(NAMES, max_size=1),  # found incomplete behind it
    ),
    max_size=6,
)


@given(STEPS)
def test_a_run_finds_whatever_a_comparison_of_all_records_finds(store: Store, steps: list) -> None:  # type: ignore[type-arg]
    runs = Runs(store)
    for changed, runs.mirror, failing, killed, forgotten, incomplete in steps:
        for name, is_there in changed.items():
            runs.listing.serial += 1
            runs.listing.serials.pop(name, None)
            if is_there:
                runs.listing.serials[name] = runs.listing.serial
        again = store.mirror_lists.again(runs.source)
        names, changes = runs.begin()
        runs.check(changes, again)
        runs.finish(names, changes, failing, killed=killed)
        for name in forgotten:
            store.mirrors.forget(name)
        store.mirrors.mark_incomplete(runs.source, incomplete)
    names, changes = runs.begin()
    runs.finish(names, changes, set(), killed=False)
    names, changes = runs.begin()
    assert not changes.projects.keys() & runs.listing.serials.keys()
    assert store.mirror_lists.again(runs.source) <= changes.projects.keys()


@pytest.fixture
def runs(store: Store) -> Runs:
    """Return a mirror of 300 projects after its first run."""
    made = Runs(store)
    made.mirror = SELECTIONS[0]
    made.listing.serials = {f"a{number}": number + 1 for number in range(300)}
    made.listing.serial = 300
    names, changes = made.begin()
    assert len(changes.projects) == 300
    made.finish(names, changes, {"a7"}, killed=False)
    return made


def test_of_an_unchanged_list_only_what_was_left_over_is_asked_for(runs: Runs) -> None:
    assert runs.begin()[1].projects == {"a7": None}


def test_of_a_changed_list_no_record_is_read_of_what_is_the_same(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.listing.serials |= {"a33": 301, "new": 302}
    runs.listing.serial = 302
    monkeypatch.delattr("indexfallback.store.mirrors.Mirrors.states")
    assert runs.begin()[1].projects == {"a7": None, "a33": 301, "new": 302}


def test_a_list_that_is_older_than_at_the_last_run_is_refused(runs: Runs) -> None:
    runs.listing.serial, runs.listing.serials["a1"] = 299, 1
    with pytest.raises(MirrorError, match="older than at the last run: serial 299, then 300"):
        runs.begin()


def test_what_fails_again_is_asked_for_again_although_an_older_state_is_complete(
    runs: Runs,
) -> None:
    runs.listing.serials["a33"] = runs.listing.serial = 301
    for _ in range(3):
        names, changes = runs.begin()
        assert "a33" in changes.projects
        runs.finish(names, changes, {"a33"}, killed=False)


def test_what_is_listed_and_has_no_page_is_asked_for_again(runs: Runs) -> None:
    names, changes = runs.begin()
    names.keep(changes, Result())
    assert runs.begin()[1].projects == {"a7": None}


def test_a_file_that_is_not_the_list_of_the_last_run_is_not_compared(runs: Runs) -> None:
    runs.listing.serials["a33"] = runs.listing.serial = 301
    for path in (runs.store.directory / "mirror-lists").iterdir():
        path.write_bytes(runs.listing.body)
    assert runs.begin()[1].projects == {"a7": 7 + 1, "a33": 301}


def test_a_list_without_serials_is_asked_for_whole_each_time(runs: Runs) -> None:
    runs.listing.serials = dict.fromkeys(runs.listing.serials)
    for _ in range(2):
        names, changes = runs.begin()
        assert len(changes.projects) == 300
        runs.finish(names, changes, set(), killed=False)


def test_what_a_killed_run_of_other_settings_has_mirrored_is_removed(runs: Runs) -> None:
    narrow, wide = SELECTIONS[2], SELECTIONS[0]
    runs.listing.serials["c9"] = runs.listing.serial = 301
    for runs.mirror, killed in ((narrow, False), (wide, True)):
        names, changes = runs.begin()
        runs.finish(names, changes, set(), killed=killed)
    runs.mirror = narrow
    assert runs.begin()[1].unwanted == ["c9"]


def test_a_damaged_record_of_a_list_is_none(runs: Runs, store: Store) -> None:
    for column, value in (("digest", "x"), ("selected", "many"), ("settings", b"x"), ("etag", 7)):
        store.database.execute(f"UPDATE mirror_list SET {column} = ?", (value,))
        assert store.mirror_lists.get(runs.source) is None


def test_the_list_itself_is_kept_for_its_owner_alone(runs: Runs, store: Store) -> None:
    directory: Path = store.directory / "mirror-lists"
    assert directory.stat().st_mode & 0o077 == 0
    store.mirror_lists.forget(runs.source)
    assert store.mirror_lists.get(runs.source) is None
