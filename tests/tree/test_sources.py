"""What a tree is made of."""

from pathlib import Path

from indexfallback.config import Index
from indexfallback.tree.directory import DirectoryTree
from indexfallback.tree.publish import publish
from indexfallback.tree.sources import ChainSource, DirectorySource
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

WHEEL = wheel("acme-app", "1.4")


def test_what_was_just_copied_is_waited_for(shim: MakeShim, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    made = shim(Index(name="wheels", url=f"{wheels.as_uri()}/"))
    source = DirectorySource(made.members["wheels"], 10**6)
    (wheels / WHEEL.filename).write_bytes(WHEEL.data)
    assert list(source.names()) == ["acme-app"]
    found = source.page("acme-app")
    assert found is not None
    assert [each.path.name for each in found[1]] == [WHEEL.filename]


def test_of_two_files_of_one_name_the_first_is_published_and_the_other_is_said(
    shim: MakeShim, tmp_path: Path
) -> None:
    other = wheel("acme-app", "1.4", size=10)
    with FakeIndex([WHEEL]) as index:
        index.add(other, folder="other/")
        made = shim(index)
        made.fallback.page("acme-app")
        written, skipped = publish(ChainSource(made), DirectoryTree(tmp_path / "tree"), list)
    assert written.files == 1
    assert skipped == [f"{WHEEL.filename}: another file of that name is published"]
    assert (tmp_path / "tree" / "files" / WHEEL.filename).read_bytes() == WHEEL.data
    page = (tmp_path / "tree" / "simple" / "acme-app" / "index.html").read_text()
    assert WHEEL.sha256 in page
    assert other.sha256 not in page


def test_of_a_cache_only_the_named_projects_are_published(shim: MakeShim, tmp_path: Path) -> None:
    with FakeIndex([WHEEL, wheel("other")]) as index:
        made = shim(index)
        for project in ("acme-app", "other"):
            made.fallback.page(project)
        source = ChainSource(made, only=["acme-app"])
        written, _ = publish(source, DirectoryTree(tmp_path / "tree"), list)
    assert (written.projects, written.files) == (1, 1)
