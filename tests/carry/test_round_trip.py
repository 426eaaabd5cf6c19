"""What is exported from one store is in the other one after an import, and stays as it was."""

import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.carry.archive import manifest_of
from indexfallback.carry.imports import import_archive
from indexfallback.carry.manifest import known
from indexfallback.errors import CarryError
from indexfallback.store import Store, inventory
from tests.carry.support import (
    APP,
    CHAIN,
    NEW,
    OLD,
    PRIVATE,
    PYPI,
    THEN,
    file_of,
    keep_file,
    keep_page,
    read,
    write,
)
from tests.fakes import wheel


def test_pages_files_pins_and_owners_are_those_of_the_other_store(
    full: Store, empty: Store, archive: Path
) -> None:
    assert read(empty, archive)[:6] == (2, 2, len(APP.data) + len(NEW.data), 0, 2, 0)
    for index, project in ((PRIVATE, "acme-app"), (PYPI, "idna")):
        assert empty.pages.load(index.key, project) == full.pages.load(index.key, project)
        assert empty.pages.facts(index.key, project) == full.pages.facts(index.key, project)
    assert list(empty.pins) == list(full.pins)
    assert empty.ledger.owned(PRIVATE.key) == full.ledger.owned(PRIVATE.key)
    assert empty.ledger.name_list(PRIVATE.key) == full.ledger.name_list(PRIVATE.key)
    assert dict(empty.blobs.verify()) == {APP.sha256: "right", NEW.sha256: "right"}


def test_importing_again_changes_nothing(empty: Store, archive: Path) -> None:
    read(empty, archive)
    before = (list(inventory.all_pages(empty)), list(empty.pins), empty.ledger.owned(PRIVATE.key))
    again = read(empty, archive)
    assert (again.files, again.held, again.pages, again.kept) == (0, 2, 0, 2)
    after = (list(inventory.all_pages(empty)), list(empty.pins), empty.ledger.owned(PRIVATE.key))
    assert after == before


def test_the_same_store_gives_the_same_bytes(full: Store, archive: Path, tmp_path: Path) -> None:
    write(full, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_an_imported_store_gives_the_archive_that_it_came_from(
    empty: Store, archive: Path, tmp_path: Path
) -> None:
    read(empty, archive)
    write(empty, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_tar_itself_finds_the_manifest_first_then_files_then_pages(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        kinds = [name.partition("/")[0] for name in tar.getnames()]
        assert kinds == ["manifest.json", "files", "files", "pages", "pages"]
        member = tar.extractfile(f"files/{NEW.sha256}")
        assert member is not None
        assert member.read() == NEW.data


def test_only_the_projects_that_are_wanted_go_but_all_names_of_the_private_index(
    full: Store, empty: Store, tmp_path: Path
) -> None:
    path = tmp_path / "some.tar"
    manifest = write(full, path, "id*")
    assert manifest.projects == {"idna"}
    read(empty, path)
    assert empty.pages.load(PRIVATE.key, "acme-app") is None
    assert empty.ledger.names(PRIVATE.key) == ["acme-app", "acme-core"]
    assert empty.ledger.name_list(PRIVATE.key) is not None


def test_a_newer_page_here_stays_and_an_older_one_is_replaced(empty: Store, archive: Path) -> None:
    newer = keep_page(empty, PYPI, "idna", file_of(NEW), checked=THEN + 1)
    keep_page(empty, PRIVATE, "acme-app", checked=THEN - 1)
    imported = read(empty, archive)
    assert (imported.pages, imported.kept) == (1, 1)
    assert empty.pages.load(PYPI.key, "idna") == newer
    page = empty.pages.load(PRIVATE.key, "acme-app")
    assert page is not None
    assert page.file(APP.filename)


def test_a_file_first_seen_with_another_content_keeps_it(empty: Store, archive: Path) -> None:
    empty.pins.record("idna", NEW.filename, OLD.sha256, PYPI.key)
    assert read(empty, archive).withheld == (NEW.filename,)
    assert empty.pins.get("idna", NEW.filename) == OLD.sha256


def test_two_files_of_one_name_go_with_their_pins_and_metadata(
    full: Store, empty: Store, tmp_path: Path
) -> None:
    second = wheel("idna", NEW.version, requires=["more"])
    keep_page(full, PYPI, "idna", file_of(NEW), file_of(second))
    keep_file(full, PYPI, second)
    for dist in (NEW, second):
        blob = full.blobs.add(dist.metadata)
        name = f"{dist.filename}.metadata"
        full.pins.record("idna", name, blob.sha256, PYPI.key, key=dist.sha256)
    write(full, tmp_path / "both.tar")
    imported = read(empty, tmp_path / "both.tar")
    assert (imported.withheld, imported.changes) == ((), ())
    assert list(empty.pins) == list(full.pins)
    assert read(empty, tmp_path / "both.tar").pins == 0


@pytest.mark.parametrize("is_listed", [True, False])
def test_another_file_of_a_name_that_is_pinned_here_is_taken_where_a_page_here_lists_both(
    full: Store, empty: Store, tmp_path: Path, is_listed: bool
) -> None:
    second = wheel("idna", NEW.version, size=10)
    keep_file(full, PYPI, second)
    write(full, tmp_path / "both.tar", "idna")
    listed = [file_of(OLD), file_of(NEW)] + [file_of(second)] * is_listed
    keep_page(empty, PYPI, "idna", *listed, checked=THEN + 1)
    keep_file(empty, PYPI, NEW)
    assert read(empty, tmp_path / "both.tar").withheld == (() if is_listed else (NEW.filename,))
    assert (empty.pins.find("idna", NEW.filename, second.sha256) is not None) == is_listed


def test_owners_that_are_known_here_stay(empty: Store, archive: Path) -> None:
    empty.ledger.record_list(PRIVATE.key, ["acme-own"])
    listed = empty.ledger.name_list(PRIVATE.key)
    read(empty, archive)
    assert empty.ledger.names(PRIVATE.key) == ["acme-app", "acme-core", "acme-own"]
    assert listed is not None
    merged = empty.ledger.name_list(PRIVATE.key)
    assert merged is not None
    assert (merged.fetched, merged.names) == (listed.fetched, 3)


def test_an_index_may_have_another_address_here(empty: Store, archive: Path) -> None:
    own = "https://mirror.example.org/simple/"
    read(empty, archive, {PYPI.key: own})
    assert empty.pages.load(PYPI.key, "idna") is None
    assert empty.pages.load(own, "idna") is not None
    pin = empty.pins.find("idna", NEW.filename, NEW.sha256)
    assert pin is not None
    assert pin.source == own


def test_a_page_of_a_clock_that_ran_ahead_is_as_new_as_now(
    full: Store, empty: Store, tmp_path: Path
) -> None:
    keep_page(full, PYPI, "idna", file_of(NEW), checked=time.time() + 86400)
    write(full, tmp_path / "ahead.tar")
    read(empty, tmp_path / "ahead.tar")
    facts = empty.pages.facts(PYPI.key, "idna")
    assert facts is not None
    assert facts.checked <= time.time()


class TestSince:
    """An archive that adds to an earlier one."""

    @pytest.fixture
    def more(self, full: Store, archive: Path, tmp_path: Path) -> Path:
        """One that adds a file, confirms the page of idna, and changes that of acme-app."""
        earlier = manifest_of(archive)
        keep_file(full, PYPI, OLD)
        keep_page(full, PYPI, "idna", file_of(OLD), file_of(NEW), checked=THEN + 10)
        keep_page(full, PRIVATE, "acme-app", file_of(APP, yanked=True), checked=THEN + 10)
        path = tmp_path / "more.tar"
        write(full, path, known=known(earlier))
        return path

    def test_it_has_only_what_is_new(self, more: Path) -> None:
        with tarfile.open(more) as tar:
            assert [name for name in tar.getnames() if name.startswith("files/")] == [
                f"files/{OLD.sha256}"
            ]
            assert len([name for name in tar.getnames() if name.startswith("pages/")]) == 1

    def test_after_the_earlier_one_the_store_is_as_the_other(
        self, full: Store, empty: Store, archive: Path, more: Path
    ) -> None:
        read(empty, archive)
        assert read(empty, more).pages == 2
        assert list(inventory.all_pages(empty)) == list(inventory.all_pages(full))
        for index, project in ((PRIVATE, "acme-app"), (PYPI, "idna")):
            assert empty.pages.load(index.key, project) == full.pages.load(index.key, project)
        assert empty.blobs.records.count() == full.blobs.records.count() == 3

    def test_without_the_earlier_one_it_is_refused(self, empty: Store, more: Path) -> None:
        with pytest.raises(CarryError, match=r"earlier one, of which .* is not here, and 2 more"):
            read(empty, more)
        assert empty.blobs.records.count() == 0
        assert list(empty.pins) == []

    def test_a_third_adds_to_both(
        self, full: Store, empty: Store, archive: Path, more: Path, tmp_path: Path
    ) -> None:
        third = tmp_path / "third.tar"
        write(full, third, known=known(manifest_of(more)))
        with tarfile.open(third) as tar:
            assert tar.getnames() == ["manifest.json"]
        for path in (archive, more, third):
            read(empty, path)
        assert empty.blobs.records.count() == 3


def test_an_archive_larger_than_the_cache_is_refused_at_once(
    new_store: Callable[..., Store], archive: Path
) -> None:
    small = new_store("small")
    with pytest.raises(CarryError, match=r"raise cache\.max_size"):
        import_archive(small, archive, CHAIN, {}, 1000)
    assert small.blobs.records.count() == 0


def test_two_indexes_with_the_same_page_share_its_content(
    full: Store, empty: Store, tmp_path: Path
) -> None:
    keep_page(full, PRIVATE, "idna", file_of(OLD), file_of(NEW))
    write(full, tmp_path / "shared.tar", "idna")
    with tarfile.open(tmp_path / "shared.tar") as tar:
        assert len([name for name in tar.getnames() if name.startswith("pages/")]) == 1
    assert read(empty, tmp_path / "shared.tar").pages == 2
