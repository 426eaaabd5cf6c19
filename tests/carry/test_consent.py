"""An archive changes what is here only with consent; what is new is merged in any case."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from indexfallback.carry.changes import (
    Change,
    OwnerChange,
    PageChange,
    PinChange,
    all_changes,
    no_changes,
)
from indexfallback.config import Index
from indexfallback.errors import CarryError
from indexfallback.store import Store, inventory
from indexfallback.store.events import local_actor
from tests.carry.support import (
    APP,
    NEW,
    PRIVATE,
    PYPI,
    THEN,
    file_of,
    keep_file,
    keep_page,
    read,
    with_manifest,
    write,
)
from tests.fakes import wheel

URLLIB3 = wheel("urllib3", "2.5")
FORGED = wheel("urllib3", "2.5", size=5000)
#: The private index of somebody who has configured it as a public one.
OPEN = Index(name="private", url=PRIVATE.url, role="public")
DEFERS = Index(name="private", url=PRIVATE.url, defer_copies=True)


@pytest.fixture
def ours(empty: Store) -> Store:
    """A store that has got urllib3 from the public index."""
    keep_page(empty, PYPI, "urllib3", file_of(URLLIB3))
    keep_file(empty, PYPI, URLLIB3)
    return empty


def records(store: Store) -> tuple[object, ...]:
    """Return all that an import merges."""
    return (
        [(page, store.pages.load(page.source, page.project)) for page in held(store)],
        list(store.pins),
        store.ledger.owned(PRIVATE.key),
        store.ledger.name_list(PRIVATE.key),
    )


def held(store: Store) -> list[inventory.HeldPage]:
    return list(inventory.all_pages(store))


class Case(NamedTuple):
    """An archive that changes something of urllib3, and has all of `fill` besides."""

    path: Path
    changes: tuple[Change, ...]


def owner(theirs: Store, ours: Store) -> list[Change]:
    theirs.ledger.record_list(PRIVATE.key, ["acme-app", "acme-core", "urllib3"])
    return [OwnerChange("urllib3", ("pypi",), ("private",))]


def page_of_a_private_index(theirs: Store, ours: Store) -> list[Change]:
    keep_page(theirs, PRIVATE, "urllib3", file_of(FORGED))
    theirs.ledger.forget("urllib3")
    return [OwnerChange("urllib3", ("pypi",), ("private",))]


def pin(theirs: Store, ours: Store) -> list[Change]:
    ours.pins.remove("urllib3")
    keep_file(theirs, PYPI, FORGED)
    return [PinChange("urllib3", FORGED.filename, URLLIB3.sha256, FORGED.sha256)]


def altered(theirs: Store, ours: Store) -> list[Change]:
    keep_page(theirs, PYPI, "urllib3", file_of(FORGED), checked=THEN + 1)
    return [PageChange("urllib3", "pypi", (), (URLLIB3.filename,))]


def removed(theirs: Store, ours: Store) -> list[Change]:
    keep_page(theirs, PYPI, "urllib3", checked=THEN + 1)
    return [PageChange("urllib3", "pypi", (URLLIB3.filename,), ())]


def against_a_pin(theirs: Store, ours: Store) -> list[Change]:
    ours.pages.remove("urllib3")
    keep_page(theirs, PYPI, "urllib3", file_of(FORGED))
    return [PageChange("urllib3", "pypi", (), (URLLIB3.filename,))]


@pytest.fixture(
    params=[owner, page_of_a_private_index, pin, altered, removed, against_a_pin],
    ids=lambda make: make.__name__,
)
def case(request: pytest.FixtureRequest, full: Store, ours: Store, tmp_path: Path) -> Case:
    changes = request.param(full, ours)
    write(full, tmp_path / "theirs.tar")
    return Case(tmp_path / "theirs.tar", tuple(changes))


def of_urllib3(store: Store) -> tuple[object, ...]:
    return (
        [(page, store.pages.load(page.source, "urllib3")) for page in
         inventory.held_pages(store, "urllib3")],
        store.pins.of_project("urllib3"),
        store.ledger.owners("urllib3"),
    )  # fmt: skip


def test_without_consent_that_project_stays_and_the_rest_is_merged(case: Case, ours: Store) -> None:
    before = of_urllib3(ours)
    imported = read(ours, case.path)
    assert imported.changes == case.changes
    assert imported.left == ("urllib3",)
    assert of_urllib3(ours) == before
    assert ours.pages.load(PYPI.key, "idna") is not None
    assert ours.pins.get("idna", NEW.filename) == NEW.sha256
    assert ours.ledger.names(PRIVATE.key) == ["acme-app", "acme-core"]


def test_with_consent_all_is_merged_and_then_there_is_no_change(case: Case, ours: Store) -> None:
    before = of_urllib3(ours)
    imported = read(ours, case.path, consent=all_changes)
    assert (imported.changes, imported.left) == (case.changes, ())
    assert of_urllib3(ours) != before
    again = read(ours, case.path)
    assert (again.changes, again.left, again.pages, again.pins) == ((), (), 0, 0)


def test_an_owner_that_changes_is_recorded_with_both_owners_and_the_archive(
    full: Store, ours: Store, tmp_path: Path
) -> None:
    owner(full, ours)
    path = tmp_path / "theirs.tar"
    write(full, path)
    for consent in (no_changes, all_changes, all_changes):
        read(ours, path, consent=consent)
    (event,) = ours.hosting.events.read()
    assert event[1:] == (
        "imported", "urllib3", "", None, local_actor(),
        "owned by private instead of pypi, by theirs.tar",
    )  # fmt: skip


def test_a_dry_run_counts_the_same_and_writes_nothing(case: Case, ours: Store) -> None:
    before, files = records(ours), ours.blobs.records.count()
    tried = read(ours, case.path, dry_run=True)
    assert records(ours) == before
    assert ours.blobs.records.count() == files
    assert list(ours.blobs.partials.directory.iterdir()) == []
    assert tried == read(ours, case.path)


def test_a_damaged_archive_is_refused_before_anybody_is_asked(case: Case, ours: Store) -> None:
    def never(changes: Sequence[Change]) -> Collection[Change]:
        raise AssertionError(changes)

    before = records(ours)
    case.path.write_bytes(case.path.read_bytes()[:-1])
    with pytest.raises(CarryError, match="cut short"):
        read(ours, case.path, consent=never)
    assert records(ours) == before


def test_an_import_that_is_interrupted_at_the_question_has_merged_nothing(
    case: Case, ours: Store
) -> None:
    def interrupt(changes: Sequence[Change]) -> Collection[Change]:
        raise KeyboardInterrupt

    before = records(ours)
    with pytest.raises(KeyboardInterrupt):
        read(ours, case.path, consent=interrupt)
    assert records(ours) == before
    assert read(ours, case.path, consent=all_changes).left == ()


def test_consent_is_for_the_changes_that_were_shown(
    full: Store, ours: Store, tmp_path: Path
) -> None:
    owner(full, ours)
    write(full, tmp_path / "theirs.tar")

    def think(changes: Sequence[Change]) -> Collection[Change]:
        keep_page(ours, PYPI, "acme-core", file_of(wheel("acme-core", "1.0")))  # by a shim
        return changes

    imported = read(ours, tmp_path / "theirs.tar", consent=think)
    assert imported.left == ("acme-core",)
    assert ours.ledger.names(PRIVATE.key) == ["acme-app", "urllib3"]


def test_a_pin_that_is_here_stays_also_with_consent(
    full: Store, ours: Store, tmp_path: Path
) -> None:
    keep_file(full, PYPI, FORGED)
    write(full, tmp_path / "theirs.tar")
    imported = read(ours, tmp_path / "theirs.tar", consent=all_changes)
    assert imported.withheld == (URLLIB3.filename,)
    assert imported.changes == ()
    assert ours.pins.get("urllib3", URLLIB3.filename) == URLLIB3.sha256


class TestRoles:
    def test_names_of_an_index_that_is_public_here_are_not_owned(
        self, empty: Store, archive: Path
    ) -> None:
        imported = read(empty, archive, chain=(OPEN, PYPI))
        assert imported.changes == ()
        assert empty.ledger.owned(PRIVATE.key) == []
        assert empty.ledger.name_list(PRIVATE.key) is None

    def test_names_that_a_manifest_gives_to_a_public_index_are_not_owned(
        self, full: Store, empty: Store, tmp_path: Path
    ) -> None:
        lying = Index(name="pypi", url=PYPI.url)
        full.ledger.record_list(PYPI.key, ["idna", "urllib3"])
        write(full, tmp_path / "lying.tar", chain=(PRIVATE, lying))
        assert read(empty, tmp_path / "lying.tar").changes == ()
        assert empty.ledger.owners("urllib3") == {}

    def test_a_page_with_local_addresses_must_be_of_an_index_that_is_private_here(
        self, full: Store, new_store: Callable[..., Store], tmp_path: Path
    ) -> None:
        keep_page(full, PRIVATE, "acme-app", file_of(APP, "http://10.1.2.3"))
        write(full, tmp_path / "local.tar")
        assert read(new_store("one"), tmp_path / "local.tar").pages == 2
        with pytest.raises(CarryError, match='set role = "private" for private'):
            read(new_store("two"), tmp_path / "local.tar", chain=(OPEN, PYPI))
        with pytest.raises(CarryError, match=r"unless that is a private index; .* or use --map"):
            read(new_store("three"), tmp_path / "local.tar", chain=(PYPI,))

    def test_names_of_an_index_that_is_not_in_the_chain_are_kept_if_they_are_new(
        self, full: Store, ours: Store, tmp_path: Path
    ) -> None:
        owner(full, ours)
        write(full, tmp_path / "theirs.tar")
        imported = read(ours, tmp_path / "theirs.tar", chain=(PYPI,))
        assert imported.changes == (OwnerChange("urllib3", ("pypi",), (PRIVATE.key, "pypi")),)
        assert ours.ledger.names(PRIVATE.key) == ["acme-app", "acme-core"]

    def test_an_empty_list_of_names_is_no_list(
        self, full: Store, empty: Store, archive: Path
    ) -> None:
        def without_names(manifest: dict[str, Any]) -> None:
            manifest["indexes"][0]["names"] = []

        with_manifest(archive, without_names)
        read(empty, archive)
        assert empty.ledger.name_list(PRIVATE.key) is None


def test_own_machines_may_exchange_growing_caches_without_a_question(
    full: Store, new_store: Callable[..., Store], tmp_path: Path
) -> None:
    other = new_store("other")
    chain = (DEFERS, PYPI)
    path = tmp_path / "packages.tar"
    # A copy of the public project, which the private index lists, too.
    full.ledger.record_name(PRIVATE.key, "urllib3")
    full.ledger.record_copy(PRIVATE.key, "urllib3")
    keep_page(other, PYPI, "urllib3", file_of(URLLIB3))
    for step, (giving, taking) in enumerate([(full, other), (other, full)] * 2):
        before = giving.pages.load(PYPI.key, "idna")
        assert before is not None
        yanked = (msgspec.structs.replace(file, yanked="broken") for file in before.files)
        version = wheel("idna", f"3.{20 + step}")
        keep_page(giving, PYPI, "idna", *yanked, file_of(version), checked=THEN + step + 1)
        keep_file(giving, PYPI, version)
        write(giving, path, chain=chain)
        imported = read(taking, path, chain=chain)
        assert (imported.changes, imported.withheld) == ((), ())
        page = taking.pages.load(PYPI.key, "idna")
        assert page is not None
        assert page.file(version.filename)
    assert other.ledger.owners("urllib3") == full.ledger.owners("urllib3")
