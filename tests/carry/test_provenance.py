"""The provenance objects of an archive."""

from pathlib import Path

import msgspec
import pytest

from indexfallback.carry.manifest import read_manifest, write_manifest
from indexfallback.carry.page_check import is_possible, moved
from indexfallback.errors import CarryError
from indexfallback.page import ProjectPage
from indexfallback.store import Store
from indexfallback.store.provenance import ProvenanceKey, StoredProvenance
from tests.carry.support import APP, NEW, OLD, PYPI, THEN, file_of, read, rewrite, sha256_of, write
from tests.fakes.provenance import PUBLISH, provenance_of

KEY = ProvenanceKey(PYPI.key, "idna", NEW.filename, NEW.sha256)
KEPT = StoredProvenance(provenance_of(NEW), THEN)


@pytest.fixture
def archive(full: Store, tmp_path: Path) -> Path:
    full.provenance.put(KEY, KEPT)
    path = tmp_path / "packages.tar"
    write(full, path)
    return path


def test_an_object_is_in_the_other_store_and_a_second_export_is_the_same(
    empty: Store, archive: Path, tmp_path: Path
) -> None:
    read(empty, archive)
    assert empty.provenance.load(KEY) == KEPT
    write(empty, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()


def test_a_dry_run_keeps_none_and_an_object_that_is_here_stays(empty: Store, archive: Path) -> None:
    read(empty, archive, dry_run=True)
    assert empty.provenance.load(KEY) is None
    own = StoredProvenance(provenance_of(NEW, PUBLISH, PUBLISH), THEN - 1)
    empty.provenance.put(KEY, own)
    read(empty, archive)
    assert empty.provenance.load(KEY) == own


@pytest.mark.parametrize("body", [b"{}", provenance_of(OLD)], ids=["none", "of another file"])
def test_one_that_is_not_that_of_its_file_is_refused_before_anything_is_merged(
    empty: Store, archive: Path, body: bytes
) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest = read_manifest(members["manifest.json"])
        (before,) = manifest.provenance
        forged = msgspec.structs.replace(before, digest=sha256_of(body), size=len(body))
        manifest = msgspec.structs.replace(manifest, provenance=(forged,))
        del members[before.member]
        members |= {"manifest.json": write_manifest(manifest), forged.member: body}

    rewrite(archive, change)
    with pytest.raises(CarryError, match=f"the provenance of {NEW.filename}: "):
        read(empty, archive)
    assert empty.pages.count() == 0


def test_the_page_of_a_static_tree_has_its_objects_where_the_files_are_said_to_be() -> None:
    source = "file:///srv/tree/simple/"
    file = file_of(APP, "file:///srv/tree/files", provenance="file:///srv/tree/files/x.provenance")
    page = moved(ProjectPage(name="acme-app", files=(file,)), source, source)
    assert page.files[0].provenance == f"{source}{APP.filename}.provenance"
    assert is_possible(page, source, public=False)
