"""What is taken of others' files: what the owner's page lists by sha256, and nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.carry.adopt import Adopted, adopt, adopt_pages
from indexfallback.carry.candidates import BANDERSNATCH, WHEELHOUSE, Skipped, candidates, kind_of
from indexfallback.config import Index
from indexfallback.shim import Shim
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.serving import wait_until

APP = wheel("acme-app", "1.4")
IDNA = wheel("idna", "3.10")
SOURCE = sdist("idna", "3.10")
OTHER = wheel("idna", "3.10", size=10)


@pytest.fixture
def public() -> Iterator[FakeIndex]:
    with FakeIndex([IDNA, SOURCE, wheel("acme-app", "1.4", size=99)]) as index:
        yield index


@pytest.fixture
def private() -> Iterator[FakeIndex]:
    with FakeIndex([APP]) as index:
        yield index


@pytest.fixture
def made(shim: MakeShim, private: FakeIndex, public: FakeIndex) -> Shim:
    return shim(Index(name="private", url=private.url), public)


def lay(directory: Path, *dists: Dist) -> Path:
    directory.mkdir(exist_ok=True, parents=True)
    for dist in dists:
        (directory / dist.filename).write_bytes(dist.data)
    return directory


def run(shim: Shim, directory: Path) -> tuple[list[Adopted], dict[str, str]]:
    """Return what was taken, and file name to reason of what was not."""
    found = list(adopt(shim, candidates(directory)))
    taken = [each for each in found if isinstance(each, Adopted)]
    return taken, {Path(each.what).name: each.reason for each in found if isinstance(each, Skipped)}


def test_files_of_a_wheelhouse_that_the_chain_lists_are_taken(made: Shim, tmp_path: Path) -> None:
    house = lay(tmp_path / "house", IDNA, SOURCE, APP)
    assert kind_of(house) == WHEELHOUSE
    taken, left = run(made, house)
    assert {(each.filename, each.owner, each.new) for each in taken} == {
        (IDNA.filename, "pypi", True),
        (SOURCE.filename, "pypi", True),
        (APP.filename, "private", True),
    }
    assert left == {}
    blob = made.store.blobs.find(IDNA.sha256)
    assert blob is not None
    assert blob.path.read_bytes() == IDNA.data
    assert made.store.pins.get("idna", IDNA.filename) == IDNA.sha256
    assert dict(made.store.blobs.verify()).keys() == {IDNA.sha256, SOURCE.sha256, APP.sha256}


def test_again_they_are_here_already(made: Shim, tmp_path: Path) -> None:
    house = lay(tmp_path / "house", IDNA)
    run(made, house)
    assert [each.new for each in run(made, house)[0]] == [False]


def test_a_file_of_another_content_is_left_and_not_recorded(made: Shim, tmp_path: Path) -> None:
    taken, left = run(made, lay(tmp_path / "house", OTHER))
    assert taken == []
    assert left == {OTHER.filename: "pypi lists another content under this name"}
    assert made.store.pins.get("idna", IDNA.filename) is None
    assert made.store.blobs.records.count() == 0


def test_what_a_public_index_lists_is_not_taken_for_a_private_project(
    made: Shim, tmp_path: Path
) -> None:
    public = wheel("acme-app", "1.4", size=99)
    taken, left = run(made, lay(tmp_path / "house", public))
    assert taken == []
    assert left == {public.filename: "private lists another content under this name"}


def test_a_file_that_was_renamed_is_taken_under_its_own_name(made: Shim, tmp_path: Path) -> None:
    house = lay(tmp_path / "house", IDNA)
    (house / IDNA.filename).rename(house / "idna-3.10-1-py2-none-any.whl")
    assert [each.filename for each in run(made, house)[0]] == [IDNA.filename]
    assert [pin[:4] for pin in made.store.pins] == [
        ("idna", IDNA.filename, IDNA.sha256, IDNA.sha256)
    ]


def test_two_files_of_one_name_are_both_taken(
    made: Shim, public: FakeIndex, tmp_path: Path
) -> None:
    public.add(OTHER, folder="other/")
    for dist in (IDNA, OTHER):
        assert len(run(made, lay(tmp_path / dist.sha256, dist))[0]) == 1
    pinned = {pin.sha256 for pin in made.store.pins.of_name("idna", IDNA.filename)}
    assert pinned == {IDNA.sha256, OTHER.sha256}


def test_a_release_that_nobody_lists_is_left(made: Shim, tmp_path: Path) -> None:
    new = wheel("idna", "99.0")
    assert run(made, lay(tmp_path / "house", new)) == (
        [],
        {new.filename: "pypi does not list it"},
    )
    stored = made.store.pages.load(made.members["pypi"].index.key, "idna")
    assert stored is not None
    assert stored.file(new.filename) is None


def test_a_project_that_nobody_has_is_left(made: Shim, tmp_path: Path) -> None:
    unknown = wheel("unknown", "1.0")
    taken, left = run(made, lay(tmp_path / "house", unknown))
    assert taken == []
    assert left[unknown.filename]


def test_a_file_first_seen_otherwise_is_left(made: Shim, tmp_path: Path) -> None:
    made.store.pins.record("idna", IDNA.filename, OTHER.sha256, "elsewhere")
    taken, left = run(made, lay(tmp_path / "house", IDNA))
    assert taken == []
    assert left == {IDNA.filename: "another content was first seen under this name"}


def test_without_a_hash_on_the_page_nothing_is_taken(shim: MakeShim, tmp_path: Path) -> None:
    with FakeIndex() as index:
        index.add(IDNA, hashes={})
        taken, left = run(shim(index), lay(tmp_path / "house", IDNA))
    assert taken == []
    assert left == {IDNA.filename: "pypi states no sha256 for it"}


def test_links_and_what_is_no_distribution_are_left_with_the_reason(
    made: Shim, tmp_path: Path
) -> None:
    house = lay(tmp_path / "house")
    outside = lay(tmp_path / "outside", IDNA) / IDNA.filename
    (house / IDNA.filename).symlink_to(outside)
    (house / "nonsense.whl").write_bytes(b"x")
    taken, left = run(made, house)
    assert taken == []
    assert left == {
        IDNA.filename: "a symbolic link out of the directory",
        "nonsense.whl": "no project and version in its name",
    }


class TestBandersnatch:
    """A tree as bandersnatch writes it."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        root = tmp_path / "mirror"
        for dist in (IDNA, SOURCE):
            parts = (dist.sha256[:2], dist.sha256[2:4], dist.sha256[4:])
            lay(root.joinpath("web", "packages", *parts), dist)
        page = root / "web" / "simple" / "idna" / "index.html"
        page.parent.mkdir(parents=True)
        at = f"../../packages/{IDNA.sha256[:2]}/{IDNA.sha256[2:4]}/{IDNA.sha256[4:]}"
        page.write_text(
            "<!DOCTYPE html><html><head><title>Links for idna</title></head><body>"
            f'<a href="{at}/{IDNA.filename}#sha256={IDNA.sha256}">{IDNA.filename}</a><br/>'
            "</body></html>\n<!--SERIAL 1234-->"
        )
        os.utime(page, (10**9, 10**9))
        return root

    def test_offline_nothing_is_taken_while_nobody_says_whose_pages_they_are(
        self, shim: MakeShim, public: FakeIndex, tree: Path
    ) -> None:
        assert kind_of(tree) == BANDERSNATCH
        made = shim(public, offline=True)
        taken, left = run(made, tree)
        assert taken == []
        assert left.keys() == {IDNA.filename, SOURCE.filename}
        assert made.store.pages.count() == 0

    def test_as_an_index_its_pages_and_their_files_are_served_offline(
        self, shim: MakeShim, public: FakeIndex, tree: Path
    ) -> None:
        made = shim(public, offline=True)
        index = made.members["pypi"].index
        assert list(adopt_pages(made.store, tree, index, 10**6)) == [("idna", "")]
        taken, left = run(made, tree)
        assert [each.filename for each in taken] == [IDNA.filename]
        assert left == {SOURCE.filename: "pypi does not list it"}
        answer = made.fallback.page("idna")
        assert (answer.how, answer.owner.name) == ("stale", "pypi")
        assert [file.filename for file in made.offer(answer).files] == [IDNA.filename]

    def test_a_newer_page_stays(self, shim: MakeShim, public: FakeIndex, tree: Path) -> None:
        made = shim(public)
        made.fallback.page("idna")
        index = made.members["pypi"].index
        wait_until(lambda: made.store.pages.load(index.key, "idna"), 5, "the page is not kept")
        assert list(adopt_pages(made.store, tree, index, 10**6)) == [
            ("idna", "a newer page is cached")
        ]

    def test_a_page_that_is_none_or_too_large_is_left(
        self, shim: MakeShim, public: FakeIndex, tree: Path
    ) -> None:
        made = shim(public, offline=True)
        index = made.members["pypi"].index
        assert list(adopt_pages(made.store, tree, index, 10)) == [
            ("idna", "larger than limits.page_size")
        ]
        (tree / "web" / "simple" / "idna" / "index.v1_json").write_text("{")
        ((name, problem),) = adopt_pages(made.store, tree, index, 10**6)
        assert name == "idna"
        assert problem
        assert made.store.pages.count() == 0
