"""What a search reads in directories and static trees of one's own."""

from pathlib import Path

import pytest

from indexfallback.config import Index
from indexfallback.search import filling
from indexfallback.search.finding import Found
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import sdist, wheel
from tests.fakes.directories import DirectoryTree, flat_directory
from tests.search.conftest import find, names
from tests.server.browse.described import described

APP = described(wheel("acme-app", "1.0"), "Summary: Greets people")
OLD = described(sdist("acme-old", "1.0"), "Summary: From long ago")


@pytest.fixture
def tree(tmp_path: Path) -> DirectoryTree:
    return DirectoryTree(tmp_path / "tree", [APP, OLD])


def shim_of(shim: MakeShim, path: Path, **values: object) -> Shim:
    return shim(Index(name="own", url=f"{path.as_uri()}/"), **values)


def test_the_files_of_a_static_tree_say_what_its_projects_are(
    shim: MakeShim, tree: DirectoryTree
) -> None:
    made = shim_of(shim, tree.root)
    assert find(made, "greets").projects == (Found("acme-app", "own", "1.0", "Greets people"),)
    assert names(find(made, "ago")) == ["acme-old"]


def test_the_metadata_beside_a_wheel_is_read_first_and_then_the_wheel(
    shim: MakeShim, tree: DirectoryTree
) -> None:
    beside = tree.root / "files" / f"{APP.filename}.metadata"
    beside.write_bytes(APP.metadata.replace(b"Greets people", b"Waves"))
    assert names(find(shim_of(shim, tree.root), "waves")) == ["acme-app"]
    beside.unlink()
    other = shim_of(shim, tree.root / "simple")
    assert names(find(other, "greets")) == ["acme-app"]


def test_a_new_page_of_a_static_tree_is_read(shim: MakeShim, tree: DirectoryTree) -> None:
    made = shim_of(shim, tree.root)
    assert names(find(made, "greets")) == ["acme-app"]
    tree.add(described(wheel("acme-app", "1.1"), "Summary: Waves"))
    page = tree.root / "simple" / "acme-app" / "index.html"
    page.rename(page.with_suffix(".new"))
    page.with_suffix(".new").rename(page)
    assert find(made, "waves").projects == (Found("acme-app", "own", "1.1", "Waves"),)
    assert names(find(made, "greets")) == []


def test_a_link_to_a_server_is_not_followed(shim: MakeShim, tree: DirectoryTree) -> None:
    page = tree.root / "simple" / "acme-app" / "index.html"
    page.write_text('<a href="http://127.0.0.1:1/acme_app-2.0-py3-none-any.whl">2.0</a>')
    found = find(shim_of(shim, tree.root), "acme-app")
    assert found.projects == (Found("acme-app", "own"),)


def test_what_has_not_changed_is_not_read_again_by_the_next_process(
    shim: MakeShim, tree: DirectoryTree
) -> None:
    made = shim_of(shim, tree.root)
    assert names(find(made, "greets")) == ["acme-app"]
    made.close()
    (tree.root / "files" / f"{APP.filename}.metadata").unlink()
    (tree.root / "files" / APP.filename).unlink()
    assert names(find(shim_of(shim, tree.root), "greets")) == ["acme-app"]


def test_an_older_file_that_was_served_does_not_say_what_a_project_of_a_directory_is(
    shim: MakeShim, tmp_path: Path
) -> None:
    new = described(wheel("acme-app", "2.0"), "Summary: Waves")
    made = shim_of(shim, flat_directory(tmp_path / "packages", [APP, new]))
    assert names(find(made, "waves")) == ["acme-app"]
    blob = made.store.blobs.add(APP.data)
    source = made.settings.indexes[0].key
    made.store.pins.record("acme-app", APP.filename, blob.sha256, source, key=blob.sha256)
    assert names(find(made, "waves")) == ["acme-app"]


def test_a_shim_for_one_command_reads_nothing_of_its_own_accord(
    shim: MakeShim, tree: DirectoryTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "DELAY", 0.0)
    for_one = shim_of(shim, tree.root, for_one_command=True)
    for_one.search.filling.follow()
    assert for_one.search.filling._thread is None
    for_one.close()
    server = shim_of(shim, tree.root)
    server.search.filling.follow()
    assert server.search.filling._thread is not None
