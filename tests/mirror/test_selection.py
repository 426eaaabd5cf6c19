"""Which projects and files are wanted: properties of patterns and specifiers, and each key."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from indexfallback.config.mirror import Mirror, Wanted, wanted
from indexfallback.mirror.selection import Selection
from indexfallback.page import File, ProjectPage

_names = st.from_regex(r"[a-c]{1,3}(-[a-c]{1,2})?", fullmatch=True)
_patterns = st.from_regex(r"[a-c*?]{1,4}(-[a-c*]{1,2})?", fullmatch=True)
_versions = st.builds("{}.{}".format, st.integers(0, 5), st.integers(0, 5))
_specifiers = st.builds(
    lambda pairs: ",".join(f"{operator}{version}" for operator, version in pairs),
    st.lists(st.tuples(st.sampled_from([">=", "<", "==", "!=", "~=", ">"]), _versions), max_size=3),
)
_wanted = st.builds(Wanted, _patterns, _specifiers)


def selection(*projects: str, **keys: Any) -> Selection:
    return Selection(Mirror(index="x", projects=wanted(list(projects), Path()), **keys))


def page(*filenames: str, name: str = "acme", **fields: Any) -> ProjectPage:
    files = tuple(File(filename=each, url=f"https://example.com/{each}", **fields)
                  for each in filenames)  # fmt: skip
    return ProjectPage(name=name, files=files)


def wheels(versions: Iterable[str], name: str = "acme") -> ProjectPage:
    return page(*(f"{name.replace('-', '_')}-{v}-py3-none-any.whl" for v in versions), name=name)


def chosen(selected: Selection, of: ProjectPage) -> list[str]:
    return [file.filename for file in selected.files(of)]


@given(_names, st.lists(_wanted), st.lists(_patterns))
def test_a_project_is_wanted_if_a_pattern_has_it_and_no_exclusion(
    name: str, projects: list[Wanted], exclude: list[str]
) -> None:
    mirror = Mirror(index="x", projects=tuple(projects), exclude=tuple(map(Wanted, exclude)))
    expected = any(fnmatchcase(name, each.pattern) for each in projects) and not any(
        fnmatchcase(name, pattern) for pattern in exclude
    )
    assert Selection(mirror).wants(name) is expected


@given(_names, st.lists(_versions, unique=True), st.lists(_wanted, min_size=1))
def test_a_version_is_wanted_if_one_matching_specifier_has_it(
    name: str, versions: list[str], projects: list[Wanted]
) -> None:
    matching = [w.specifier for w in projects if fnmatchcase(name, w.pattern)]
    expected = [v for v in versions if any(SpecifierSet(s).contains(v) for s in matching)]
    selected = Selection(Mirror(index="x", projects=tuple(projects)))
    assert chosen(selected, wheels(versions, name)) == [
        file.filename for file in wheels(expected, name).files
    ]


@given(st.lists(_wanted, max_size=4), _names)
def test_the_order_of_patterns_makes_no_difference(projects: list[Wanted], name: str) -> None:
    one = Selection(Mirror(index="x", projects=tuple(projects)))
    other = Selection(Mirror(index="x", projects=tuple(reversed(projects))))
    assert one.fingerprint(name) == other.fingerprint(name)


NAMES = (
    "acme-1.0-py3-none-any.whl",
    "acme-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "acme-1.0-cp312-cp312-manylinux_2_34_x86_64.whl",
    "acme-1.0-cp39-abi3-win_amd64.whl",
    "acme-1.0-cp310-cp310-macosx_11_0_arm64.whl",
    "acme-1.0-cp312-cp312-musllinux_1_2_x86_64.whl",
    "acme-1.0.tar.gz",
)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"files": ("wheel",)}, (0, 1, 2, 3, 4, 5)),
        ({"files": ("sdist",)}, (6,)),
        ({"files": ("*-any.whl", "*.tar.gz")}, (0, 6)),
        ({"platforms": ("manylinux_2_28_x86_64",)}, (0, 1, 6)),
        ({"platforms": ("macosx_14_0_arm64",)}, (0, 4, 6)),
        ({"platforms": ("win*", "musllinux_1_2_x86_64")}, (0, 3, 5, 6)),
        ({"pythons": ("3.12",)}, (0, 1, 2, 3, 5, 6)),
        ({"pythons": ("3.8",)}, (0, 6)),
        ({"pythons": ("3.10",), "platforms": ("macosx_14_0_arm64",)}, (0, 4, 6)),
    ],
)
def test_files_are_chosen_by_kind_platform_and_python(
    keys: dict[str, Any], expected: tuple[int, ...]
) -> None:
    assert chosen(selection("*", **keys), page(*NAMES)) == [NAMES[number] for number in expected]


def test_what_requires_another_python_is_left_out() -> None:
    old = page("acme-1.0.tar.gz", requires_python=">=3.13")
    assert not chosen(selection("*", pythons=("3.9",)), old)
    assert chosen(selection("*", pythons=("3.9", "3.13")), old)


def test_size_and_age_are_limits_where_the_page_states_them() -> None:
    large = page("acme-1.0.tar.gz", size=2000, upload_time="2025-06-01T00:00:00Z")
    assert not chosen(selection("*", max_file_size=1999), large)
    assert not chosen(selection("*", since="2025-06-02"), large)
    assert chosen(selection("*", max_file_size=2000, since="2025-06-01"), large)
    assert chosen(selection("*", max_file_size=1, since="2030-01-01"), page("acme-1.0.tar.gz"))


def test_prereleases_can_be_left_out() -> None:
    both = wheels(["1.0", "2.0rc1"])
    assert len(chosen(selection("acme"), both)) == 2
    assert chosen(selection("acme", prereleases=False), both) == ["acme-1.0-py3-none-any.whl"]


def test_versions_can_be_excluded() -> None:
    without = selection("acme", exclude=(Wanted("ac*", "==1.1"),))
    assert chosen(without, wheels(["1.0", "1.1"])) == ["acme-1.0-py3-none-any.whl"]
