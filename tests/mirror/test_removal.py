"""The removals that need the user's consent."""

import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.mirror.removals import lost
from indexfallback.mirror.result import Removal
from indexfallback.store.mirrors import MirroredFile
from tests.fakes import sdist, wheel
from tests.mirror.support import Mirrored

_numbers = st.integers(0, 100)
_files = st.lists(
    st.builds(MirroredFile, st.just("a"), st.sampled_from("klmnop"), st.sampled_from("123"),
              st.just(1)),
)  # fmt: skip


def removal(**changes: Any) -> Removal:
    return Removal((), (), 20, 20)._replace(**changes)


@given(_numbers, _numbers)
def test_of_ten_files_or_more_a_fifth_may_be_removed(files: int, lost: int) -> None:
    found = removal(files=("x",) * lost, all_files=files)
    assert found.needs_consent is (files >= 10 and 5 * lost > files)


@given(_numbers, _numbers)
def test_of_ten_projects_or_more_a_fifth_may_be_removed(projects: int, gone: int) -> None:
    found = removal(projects=("x",) * gone, all_projects=projects)
    assert found.needs_consent is (projects >= 10 and 5 * gone > projects)


@given(_numbers, _numbers)
def test_a_project_that_loses_all_its_files_needs_consent(projects: int, files: int) -> None:
    assert removal(emptied=("x",), all_projects=projects, all_files=files).needs_consent


@given(_files, _files)
def test_a_file_is_lost_if_its_bytes_are(
    removed: list[MirroredFile], left: list[MirroredFile]
) -> None:
    found = lost(removed, left)
    for file in removed:
        assert (file in found) is all(other.sha256 != file.sha256 for other in left)


def renamed(mirror: Mirrored, count: int) -> None:
    """Mirror ``count`` sdists, and have the index rename them."""
    mirror.configure(projects=["zope-foo"])
    dists = [sdist("zope-foo", f"1.{minor}") for minor in range(count)]
    for dist in dists:
        mirror.upstream.add(replace(dist, filename=dist.filename.replace("_", ".", 1)))
    mirror.run()
    for dist in dists:
        mirror.upstream.remove(dist.filename.replace("_", ".", 1))
        mirror.upstream.add(dist)


@pytest.mark.parametrize("count", [2, 12])
def test_a_file_with_a_new_name_is_not_lost(mirror: Mirrored, count: int) -> None:
    renamed(mirror, count)
    result = mirror.run()
    assert (len(result["removed_files"]), result["files"], result["stopped"]) == (count, 0, None)
    assert mirror.listed("zope-foo") == sorted(f"zope_foo-1.{n}.tar.gz" for n in range(count))
    assert mirror.held(sdist("zope-foo", "1.0").sha256)


def test_of_a_small_mirror_a_file_goes_without_a_question(mirror: Mirrored) -> None:
    mirror.configure(projects=["acme-app<1.3"])
    mirror.run()
    mirror.upstream.remove(wheel("acme-app", "1.0").filename)
    assert mirror.run()["removed_files"] == [wheel("acme-app", "1.0").filename]


def test_more_than_a_fifth_of_the_projects_is_not_removed_without_consent(
    mirror: Mirrored,
) -> None:
    for number in range(9):
        mirror.upstream.project(f"empty-{number}")
    mirror.run()
    for number in range(3):
        mirror.upstream.remove_project(f"empty-{number}")
    stopped = mirror.run(code=1)["stopped"]
    assert (len(stopped["projects"]), stopped["emptied"], stopped["files"]) == (3, [], [])
    assert mirror.listed("empty-0") == []
    assert len(mirror.run("--yes")["removed_projects"]) == 3


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_project_that_would_lose_all_its_files_stays_and_others_go_on(
    mirror: Mirrored, is_listed: bool
) -> None:
    other, old = wheel("other", "1.0").filename, wheel("acme-app", "1.0").filename
    mirror.run()
    mirror.upstream.remove(other)
    if not is_listed:
        mirror.upstream.remove_project("other")
    mirror.upstream.remove(old)
    result = mirror.run(code=1)
    assert (result["stopped"]["emptied"], result["removed_files"]) == (["other"], [old])
    assert mirror.listed("other") == [other]
    assert old not in (mirror.listed("acme-app") or [])
    done = mirror().expect(1)
    assert "1 project would lose all its files: it stays as it is" in done.words
    assert "run again with --yes" in done.words
    assert mirror.run("--yes")["removed_files"] == [other]
    assert not mirror.listed("other")


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudoterminal is Unix's")
def test_on_a_terminal_the_user_is_asked(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.remove_project("other")
    done = mirror.cli.on_terminal("mirror", typed="n\n").expect(1)
    assert "1 project of 3 would be removed: other" in done.words
    assert "Remove all that?" in done.words
    assert mirror.listed("other") == [wheel("other", "1.0").filename]
    mirror.cli.on_terminal("mirror", typed="y\n").expect()
    assert mirror.listed("other") is None


def test_a_dry_run_names_a_project_that_would_lose_all_its_files(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.remove_project("other")
    done = mirror("--dry-run").expect(1)
    assert "1 project would lose all its files: it would stay as it is" in done.words


def test_a_release_that_takes_the_place_of_the_last_one_needs_no_consent(mirror: Mirrored) -> None:
    mirror.configure(projects=["other"], latest=1)
    mirror.run()
    mirror.upstream.add(wheel("other", "1.1"))
    assert mirror.run("--dry-run")["stopped"] is None
    assert mirror.run()["removed_files"] == [wheel("other", "1.0").filename]


def test_a_release_whose_successor_cannot_be_fetched_stays(mirror: Mirrored) -> None:
    mirror.configure(projects=["other"], latest=1)
    mirror.run()
    mirror.upstream.add(wheel("other", "1.1"))
    with mirror.upstream.fail(404, path=f"/files/{wheel('other', '1.1').filename}"):
        assert mirror.run(code=1)["stopped"]["emptied"] == ["other"]
    assert mirror.listed("other") == [wheel("other", "1.0").filename]
