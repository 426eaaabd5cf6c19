"""The releases that ``latest`` keeps: final ones that are not yanked, and what is newer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from indexfallback.config.mirror import Mirror, wanted
from indexfallback.mirror.releases import newest
from indexfallback.mirror.selection import Selection
from indexfallback.page import File, ProjectPage

_finals = st.builds("{}.{}".format, st.integers(0, 3), st.integers(0, 3))
_versions = st.builds("{}{}".format, _finals, st.sampled_from(["", "a1", "b2", "rc1", ".dev3"]))
_releases = st.dictionaries(st.one_of(_versions, st.none()), st.booleans())
_specifiers = st.builds("{}{}".format, st.sampled_from(["<", ">=", "=="]), _finals)
_numbers = st.integers(1, 4)


def is_final(version: str) -> bool:
    return not Version(version).is_prerelease


def file(filename: str, *, yanked: bool = False) -> File:
    return File(filename=filename, url=f"https://example.com/{filename}", yanked=yanked)


def kept(project: str, offered: Mapping[str, bool], **keys: Any) -> list[str]:
    """Return the files that are kept of those given by name, with whether they are yanked."""
    page = ProjectPage(name="acme", files=tuple(file(n, yanked=y) for n, y in offered.items()))
    mirror = Mirror(index="x", projects=wanted([project, *keys.pop("more", ())], Path()), **keys)
    return [each.filename for each in Selection(mirror).files(page)]


def versions(project: str, *stated: str, yanked: str = "", **keys: Any) -> list[str]:
    """Return the versions that are kept of those stated; ``yanked`` has the yanked ones."""
    files = {f"acme-{version}.tar.gz": version in yanked.split() for version in stated}
    names = kept(project, files, **keys)
    return [name.removeprefix("acme-").removesuffix(".tar.gz") for name in names]


@given(_releases, _numbers)
def test_nothing_yanked_and_nothing_without_a_version_is_kept(
    releases: dict[str | None, bool], number: int
) -> None:
    assert not any(releases[version] for version in newest(releases, [""], number))
    assert None not in newest(releases, [""], number)


@given(_releases, _numbers)
def test_the_newest_final_releases_are_kept(releases: dict[str | None, bool], number: int) -> None:
    offered = [v for v, is_yanked in releases.items() if v is not None and not is_yanked]
    finals = sorted(filter(is_final, offered), key=Version)
    assert {v for v in newest(releases, [""], number) if v and is_final(v)} == set(finals[-number:])


@given(_releases, _numbers)
def test_pre_releases_are_kept_above_all_final_ones_alone(
    releases: dict[str | None, bool], number: int
) -> None:
    offered = [v for v, is_yanked in releases.items() if v is not None and not is_yanked]
    finals = sorted(filter(is_final, offered), key=Version)
    others = sorted((v for v in offered if not is_final(v)), key=Version)
    if finals:
        expected = [v for v in others if Version(v) > Version(finals[-1])]
    else:
        expected = others[-number:]
    assert {v for v in newest(releases, [""], number) if v and not is_final(v)} == set(expected)


@given(_releases, st.lists(_specifiers, unique=True, max_size=3), _numbers)
def test_each_specifier_has_its_newest_releases(
    releases: dict[str | None, bool], specifiers: list[str], number: int
) -> None:
    expected = set()
    for text in specifiers:
        contains = SpecifierSet(text, prereleases=True).contains
        matching = {v: yanked for v, yanked in releases.items() if v is None or contains(v)}
        expected |= newest(matching, [""], number)
    assert newest(releases, specifiers, number) == expected


def test_an_alpha_does_not_take_the_place_of_a_release() -> None:
    assert versions("acme", "1.0", "1.1", "2.0a1", latest=1) == ["1.1", "2.0a1"]
    assert versions("acme", "1.0", "1.1", "2.0a1", latest=1, prereleases=False) == ["1.1"]


def test_a_pre_release_that_is_older_than_a_release_goes() -> None:
    assert versions("acme", "1.0", "1.1rc1", "1.1", latest=2) == ["1.0", "1.1"]


def test_of_a_project_without_releases_the_newest_pre_releases_are_kept() -> None:
    assert versions("acme", "1.0a1", "1.0a2", "1.0.dev1", latest=1) == ["1.0a2"]
    assert versions("acme", "1.0a1", latest=1, prereleases=False) == []


def test_a_yanked_release_does_not_count() -> None:
    assert versions("acme", "1.0", "1.1", "1.2", yanked="1.2", latest=1) == ["1.1"]


def test_a_release_is_yanked_if_all_its_files_are() -> None:
    files = {"acme-1.0.tar.gz": True, "acme-1.0-py3-none-any.whl": False, "acme-0.9.tar.gz": False}
    assert kept("acme", files, latest=1) == ["acme-1.0.tar.gz", "acme-1.0-py3-none-any.whl"]


def test_without_latest_yanked_releases_stay() -> None:
    assert versions("acme", "1.0", "1.1", yanked="1.1") == ["1.0", "1.1"]


@pytest.mark.parametrize("pin", ["acme==1.0", "acme===1.0"])
def test_a_pinned_release_is_kept_yanked_or_old(pin: str) -> None:
    stated = ("1.0", "1.1", "1.2")
    assert versions(pin, *stated, yanked="1.0", latest=1) == ["1.0"]
    assert versions("*", *stated, yanked="1.0", latest=1, more=[pin]) == ["1.0", "1.2"]


def test_a_pinned_pre_release_is_kept_where_others_are_not() -> None:
    found = versions("*", "1.0", "2.0a1", "2.0a2", prereleases=False, more=["acme==2.0a1"])
    assert found == ["1.0", "2.0a1"]


def test_what_only_an_older_release_satisfies_has_one() -> None:
    assert versions("*", "1.0", "1.1", "2.0", latest=1, more=["acme<2"]) == ["1.1", "2.0"]


def test_a_pin_of_a_series_is_none() -> None:
    assert versions("acme==1.*", "1.0", "1.1", yanked="1.0", latest=1) == ["1.1"]


def test_an_excluded_release_is_not_kept_by_a_pin() -> None:
    exclude = wanted(["acme==1.0"], Path())
    assert versions("acme==1.0", "1.0", latest=1, exclude=exclude) == []


def test_a_release_without_a_file_for_the_targets_does_not_count() -> None:
    files = {"acme-1.0-py3-none-any.whl": False, "acme-1.1.tar.gz": False}
    files |= {"acme-1.2-cp312-cp312-win_amd64.whl": False}
    keys: dict[str, Any] = {"files": ("wheel",), "platforms": ("manylinux_2_28_x86_64",)}
    assert kept("acme", files, latest=1, **keys) == ["acme-1.0-py3-none-any.whl"]


def test_the_version_of_a_legacy_file_name_is_what_follows_the_project() -> None:
    assert versions("acme", "1.0", "1.0-2", latest=1) == ["1.0-2"]


def test_a_file_whose_version_is_not_known_is_kept_without_latest_alone() -> None:
    files = {"acme-1.0.tar.gz": False, "acme-unknown-version.tar.gz": False}
    assert len(kept("acme", files)) == 2
    assert kept("acme", files, latest=3) == ["acme-1.0.tar.gz"]


def test_an_entry_beside_a_pattern_changes_the_selection_of_a_project() -> None:
    def fingerprint(*projects: str, **keys: Any) -> str:
        mirror = Mirror(index="x", projects=wanted(list(projects), Path()), **keys)
        return Selection(mirror).fingerprint("acme")

    assert fingerprint("*", "acme==1.0", latest=1) != fingerprint("*", latest=1)
    assert fingerprint("*", "a*==1.0", latest=1) != fingerprint("*", latest=1)
    assert fingerprint("*", "acme==1.0", latest=1) != fingerprint("acme==1.0", latest=1)
    assert fingerprint("*", "acme>1", latest=1) != fingerprint("acme>1", latest=1)
    assert fingerprint("*", "acme", latest=1) == fingerprint("*", latest=1)
    assert fingerprint("*", "b==1.0", latest=1) == fingerprint("*", latest=1)
    assert fingerprint("*", "acme==1.0") == fingerprint("*")
