"""The records of pages, ledger, pins, health and local files."""

import itertools
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexfallback.health import Health, State
from indexfallback.outcome import Kind
from indexfallback.page import File, ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.page_rows import digest_of
from indexfallback.upstream.facts import Facts, Stamp
from tests.store.support import set_read_only, written_after_reads

A = "https://packages.example.com/simple/"
B = "https://mirror.example.com/simple/"


def page(name: str = "demo", version: str = "1.0") -> ProjectPage:
    file = File(
        filename=f"{name}-{version}.tar.gz",
        url=f"{A}../files/{name}-{version}.tar.gz",
        hashes={"sha256": "0" * 64, "md5": "1" * 32},
        requires_python=">=3.10",
        core_metadata={"sha256": "2" * 64},
        yanked="broken",
        size=12,
        extra={"new-key": [1, {"a": None}]},
    )
    return ProjectPage(name=name, files=(file,), versions=(version,), status="archived", serial=7)


def facts(
    of: ProjectPage, checked: float = 1000.0, etag: str | None = '"e"', modified: str | None = None
) -> PageFacts:
    return PageFacts(Validators(etag, modified), digest_of(of), checked)


def test_a_stored_page_is_returned_unchanged(store: Store) -> None:
    store.pages.put(A, page(), facts(page()))
    assert store.pages.load(A, "demo") == page()
    assert store.pages.facts(A, "demo") == facts(page())


def test_a_page_belongs_to_one_index(store: Store) -> None:
    store.pages.put(A, page(), facts(page()))
    assert store.pages.load(B, "demo") is None
    assert store.pages.facts(B, "demo") is None


def test_a_page_takes_the_place_of_the_one_before(store: Store) -> None:
    store.pages.put(A, page(), facts(page()))
    store.pages.put(A, page(version="2.0"), facts(page(version="2.0"), 2000.0, None, "then"))
    assert store.pages.load(A, "demo") == page(version="2.0")
    assert store.pages.facts(A, "demo") == facts(page(version="2.0"), 2000.0, None, "then")
    assert store.pages.count() == 1


def test_confirming_a_page_changes_only_its_times(store: Store) -> None:
    store.pages.put(A, page(), facts(page()))
    store.pages.confirm(A, "demo", facts(page())._replace(checked=5.0, resolved=6.0, passed="p"))
    kept = store.pages.facts(A, "demo")
    assert kept == PageFacts(Validators('"e"'), digest_of(page()), 5.0, 6.0, "p")
    assert store.pages.load(A, "demo") == page()


def test_equal_pages_have_equal_digests_and_others_have_not() -> None:
    assert digest_of(page()) == digest_of(page())
    assert digest_of(page()) != digest_of(page(version="1.1"))


def test_pages_are_forgotten_for_one_index_or_for_all(store: Store) -> None:
    for source in (A, B):
        for name in ("demo", "other"):
            store.pages.put(source, page(name), facts(page(name)))
    assert store.pages.remove("demo", A) == 1
    assert store.pages.load(B, "demo") is not None
    assert store.pages.remove("other") == 2
    assert store.pages.count() == 1


def test_names_are_those_of_the_indexes_asked_for_sorted(store: Store) -> None:
    for source, name in ((A, "zeta"), (A, "alpha"), (B, "alpha"), (B, "beta")):
        store.pages.put(source, page(name), facts(page(name)))
    assert store.pages.names([A]) == ["alpha", "zeta"]
    assert store.pages.names([A, B]) == ["alpha", "beta", "zeta"]
    assert store.pages.names([]) == []


def test_a_page_from_the_future_is_not_fresh() -> None:
    ahead = facts(page(), checked=1000.0)._replace(resolved=1000.0)
    assert ahead.age(999.0) == float("inf")
    assert ahead.resolution_age(999.0) == float("inf")
    assert ahead.age(1010.0) == 10.0


@pytest.mark.parametrize(("ahead", "is_taken"), [(0.5, True), (60.0, False)])
def test_a_page_of_a_shim_whose_clock_is_ahead_is_not_taken(
    store: Store, ahead: float, is_taken: bool
) -> None:
    store.pages.put(A, page(), facts(page()))
    row = store.pages.row(A, "demo")
    assert row is not None
    now = time.time()
    found = store.pages.adopt(A, "demo", (*row[:6], now + ahead, now + ahead, *row[8:]), 1000.0)
    assert (found is not None and found.checked > 1000.0) == is_taken


def test_a_page_served_makes_its_index_the_owner(store: Store) -> None:
    store.ledger.record_page(A, "demo")
    owned = store.ledger.ownership(A, "demo")
    assert owned is not None
    assert not owned.listed
    assert owned.since is not None
    assert time.time() - owned.since < 60
    assert store.ledger.ownership(B, "demo") is None


def test_a_shorter_list_of_names_takes_nothing_from_an_earlier_one(store: Store) -> None:
    assert store.ledger.record_list(A, ["one", "two", "two"]) == 2
    assert store.ledger.record_list(A, ["two", "three"]) == 2
    assert store.ledger.names(A) == ["one", "three", "two"]
    assert store.ledger.record_list(A, []) == 0
    assert store.ledger.names(A) == ["one", "three", "two"]


def test_the_first_time_that_a_name_was_known_stays(store: Store) -> None:
    store.ledger.record_list(A, ["demo"])
    first = store.ledger.ownership(A, "demo")
    store.ledger.record_list(A, ["demo", "other"])
    store.ledger.record_page(A, "demo")
    again = store.ledger.ownership(A, "demo")
    assert first is not None
    assert again is not None
    assert again.since == first.since


def test_a_list_of_many_names_is_written_while_others_write(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.store.ledger.BATCH", 10)
    transactions = []
    write = store.database.write

    def counted() -> Any:
        transactions.append(1)
        return write()

    monkeypatch.setattr(store.database, "write", counted)
    assert store.ledger.record_list(A, map(str, range(95))) == 95
    assert len(transactions) > 9


def test_a_list_that_came_again_is_not_written_again(store: Store) -> None:
    store.ledger.record_list(A, ["one", "two"])
    before = store.ledger.changes
    store.ledger.record_list(A, ["two", "one"])
    assert store.ledger.changes == before
    store.ledger.forget("one")
    store.ledger.record_list(A, ["one", "two"])
    assert store.ledger.names(A) == ["one", "two"]


def test_a_list_that_could_not_be_written_is_written_once_the_disk_takes_it(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path, 10**6)
    set_read_only(store, True)
    store.ledger.record_list(A, ["one"])
    store.ledger.record_list(A, ["two"])
    assert store.ledger.names(A) == []
    assert store.ledger.ownership(A, "one") is not None
    set_read_only(store, False)
    store.close()
    again = Store(tmp_path, 10**6)
    assert again.ledger.names(A) == ["one", "two"]
    assert again.ledger.name_list(A) is not None
    again.close()


def test_a_name_of_a_list_that_is_not_written_yet_can_be_disowned(store: Store) -> None:
    set_read_only(store, True)
    store.ledger.record_list(A, ["one", "two"])
    set_read_only(store, False)
    assert store.ledger.forget("one") == 1
    assert store.ledger.owners("one") == {}
    assert store.ledger.ownership(A, "two") is not None


def test_a_copy_owns_nothing_where_copies_are_deferred(store: Store) -> None:
    store.ledger.record_name(A, "demo")
    store.ledger.record_copy(A, "demo")
    known = store.ledger.ownership(A, "demo")
    assert known is not None
    assert not known.is_owner(True)
    assert known.is_owner(False)
    store.ledger.record_page(A, "demo")
    known = store.ledger.ownership(A, "demo")
    assert known is not None
    assert known.is_owner(True)


def test_a_listed_name_that_was_also_served_stays_listed(store: Store) -> None:
    store.ledger.record_list(A, ["demo"])
    store.ledger.record_page(A, "demo")
    owned = store.ledger.ownership(A, "demo")
    assert owned is not None
    assert owned.listed


def test_the_list_of_names_is_known_with_its_time_and_length(store: Store) -> None:
    assert store.ledger.name_list(A) is None
    store.ledger.record_list(A, ["one", "two"])
    known = store.ledger.name_list(A)
    assert known is not None
    assert known.names == 2
    assert abs(time.time() - known.fetched) < 60
    assert store.ledger.name_list(B) is None


def test_an_empty_list_of_names_is_no_knowledge(store: Store) -> None:
    store.ledger.record_list(A, [])
    assert store.ledger.name_list(A) is None


def test_ownership_is_forgotten_for_all_indexes(store: Store) -> None:
    store.ledger.record_page(A, "demo")
    store.ledger.record_list(B, ["demo", "other"])
    assert store.ledger.forget("demo") == 2
    assert store.ledger.ownership(A, "demo") is None
    assert store.ledger.ownership(B, "other") is not None


def test_the_first_pin_holds(store: Store) -> None:
    assert store.pins.record("demo", "demo-1.0.zip", "1" * 64, A) == "1" * 64
    assert store.pins.record("demo", "demo-1.0.zip", "2" * 64, B) == "1" * 64
    assert store.pins.get("demo", "demo-1.0.zip") == "1" * 64
    (pin,) = store.pins
    assert pin[:4] == ("demo", "demo-1.0.zip", "", "1" * 64)
    assert pin.source == A


def pinned(store: Store, foreign: Collection[str] = ()) -> dict[str, list[str]]:
    """Return the pinned sha256 of ``demo`` by file name, the oldest first."""
    pins = store.pins.of_project("demo", foreign)
    return {name: [pin.sha256 for pin in of_name] for name, of_name in pins.items()}


def test_pins_belong_to_a_project_and_a_file(store: Store) -> None:
    store.pins.record("demo", "demo-1.0.zip", "1" * 64, A)
    store.pins.record("demo", "demo-1.1.zip", "2" * 64, A)
    store.pins.record("other", "demo-1.0.zip", "3" * 64, A)
    assert pinned(store) == {"demo-1.0.zip": ["1" * 64], "demo-1.1.zip": ["2" * 64]}
    assert store.pins.get("other", "demo-1.1.zip") is None


def test_each_address_of_a_name_has_its_own_pin(store: Store) -> None:
    name, a, b, c = "demo-1.0.zip", "a" * 64, "b" * 64, "c" * 64
    store.pins.record("demo", name, a, A, key=a)
    store.pins.record("demo", name, b, A, key=b)
    store.pins.record("demo", f"{name}.metadata", c, A, key=a)
    assert pinned(store) == {name: [a, b], f"{name}.metadata": [c]}
    assert store.pins.find("demo", name, a) != store.pins.find("demo", name, b)
    assert store.pins.find("demo", name, "") is None
    assert store.pins.get("demo", name) == a
    assert store.pins.remove("demo", name) == 2


def test_the_address_without_a_sha256_counts_before_the_oldest(store: Store) -> None:
    store.pins.record("demo", "demo-1.0.zip", "a" * 64, A, key="a" * 64)
    store.pins.record("demo", "demo-1.0.zip", "b" * 64, A)
    assert store.pins.get("demo", "demo-1.0.zip") == "b" * 64


#: Pins of one name as they are recorded: source, key, sha256, and whether the source is the public
#: index, which knows what is right.
RECORDS = st.lists(
    st.tuples(
        st.sampled_from((A, B, "https://private.example.com/")),
        st.sampled_from(("", "a", "b", "c")),
        st.sampled_from(("a", "b", "c")),
        st.sets(st.sampled_from(("a", "b", "c"))),
    ),
    max_size=8,
)


@given(records=RECORDS)
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_pins_that_cannot_be_written_are_the_same_as_written_ones(
    store: Store, monkeypatch: pytest.MonkeyPatch, records: list[tuple[str, str, str, set[str]]]
) -> None:
    monkeypatch.setattr("indexfallback.store.pins.time.time", itertools.count().__next__)
    found = []
    for project in ("written", "pending"):
        store.pins.remove(project)
        with monkeypatch.context() as patch:
            if project == "pending":
                patch.setattr(store.pins._pending, "_write", _fail)
            for source, key, sha256, right in records:
                store.pins.record(
                    project, "x", key or sha256, source, {B} if source == A else (), key=key,
                    corrects={B} if source == A else (), right=right | {key or sha256},
                )  # fmt: skip
            found.append([pin[1:4] + pin[5:] for pin in store.pins.of_name(project, "x")])
    assert found[0] == found[1]
    store.pins.flush()
    assert found[0] == [pin[1:4] + pin[5:] for pin in store.pins.of_name("pending", "x")]


def _fail(_batch: object) -> None:
    raise OSError("no space left")


def test_the_public_index_removes_what_is_wrong_of_its_mirror_and_nothing_else(
    store: Store,
) -> None:
    name, private = "demo-1.0.zip", "https://private.example.com/"
    for sha256 in ("a", "b", "c"):
        store.pins.record("demo", name, sha256, B, key=sha256)
    store.pins.record("demo", name, "d", B)
    store.pins.record("demo", name, "e", private, key="e")
    store.pins.record("demo", name, "b", A, {B, private}, key="b", corrects={B}, right={"a", "b"})
    assert [(pin.key, pin.source) for pin in store.pins.of_name("demo", name)] == [
        ("a", B),
        ("e", private),
        ("b", A),
    ]
    assert pinned(store, {private}) == {name: ["a", "b"]}


def test_pins_of_a_project_can_be_forgotten(store: Store) -> None:
    store.pins.record("demo", "demo-1.0.zip", "1" * 64, A)
    store.pins.record("other", "other-1.0.zip", "1" * 64, A)
    assert store.pins.remove("demo") == 1
    assert store.pins.record("demo", "demo-1.0.zip", "2" * 64, A) == "2" * 64
    assert store.pins.get("other", "other-1.0.zip") == "1" * 64


def test_facts_of_a_local_file_hold_while_its_stamp_is_the_same(store: Store) -> None:
    known = Facts("0" * 64, ">=3.10", "1" * 64)
    store.local_files.put("/wheels/demo.whl", Stamp(10, 2000), known)
    assert store.local_files.get("/wheels/demo.whl", Stamp(10, 2000)) == known
    assert store.local_files.get("/wheels/demo.whl", Stamp(11, 2000)) is None
    assert store.local_files.get("/wheels/demo.whl", Stamp(10, 2001)) is None
    assert store.local_files.get("/wheels/other.whl", Stamp(10, 2000)) is None


def test_a_name_stays_owned_when_a_list_lacks_it(store: Store) -> None:
    ledger = store.ledger
    ledger.record_page("private", "acme-app")
    for names in (["acme-app", "acme-lib"], ["acme-lib"], []):
        ledger.record_list("private", names)
        assert ledger.ownership("private", "acme-app") is not None
    assert ledger.ownership("private", "acme-lib") is not None


def test_the_health_of_another_version_is_ignored(store: Store) -> None:
    with store.database.write() as connection:
        connection.execute("INSERT INTO health VALUES (?, ?)", (A, b"\xc1"))
    assert store.health_records.get(A) is None
    bad = Health(State.OPEN, reason="503", trouble=Kind.FAILED)
    store.health_records.put(A, bad)
    found = store.health_records.get(A)
    assert found is not None
    assert (found.state, found.reason, found.trouble) == (State.OPEN, "503", Kind.FAILED)


def test_an_owner_that_another_thread_is_writing_is_known(store: Store) -> None:
    set_read_only(store, True)
    store.ledger.record_page(A, "demo")
    store.ledger.record_list(B, ["demo"])
    set_read_only(store, False)
    written_after_reads(store, store.ledger.flush)
    assert set(store.ledger.owners("demo")) == {A, B}


@pytest.mark.parametrize("way", ["of_project", "of_name"])
def test_a_pin_that_another_thread_is_writing_is_known(store: Store, way: str) -> None:
    set_read_only(store, True)
    store.pins.record("demo", "demo-1.0.tar.gz", "0" * 64, A)
    set_read_only(store, False)
    written_after_reads(store, store.pins.flush)
    found = {
        "of_project": lambda: store.pins.of_project("demo")["demo-1.0.tar.gz"],
        "of_name": lambda: store.pins.of_name("demo", "demo-1.0.tar.gz"),
    }
    assert [pin.sha256 for pin in found[way]()] == ["0" * 64]
