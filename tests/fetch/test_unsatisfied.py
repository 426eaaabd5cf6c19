"""The sentence on a requirement that no version of a project satisfies."""

import platform
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from indexfallback.fetch.target import Target
from indexfallback.fetch.unsatisfied import Asked, Offer, unsatisfied
from indexfallback.page import File, ProjectPage
from indexfallback.wanted import ALL, Wanted

LINUX = Target("3.11", "manylinux_2_28_x86_64")
HERE = Target()


def file(version: str, **more: object) -> File:
    name = f"app-{version}-{more.pop('tag', 'py3-none-any')}.whl"
    if more.pop("is_sdist", False):
        name = f"app-{version}.tar.gz"
    return File(filename=name, url=f"https://example.com/{name}", **more)  # type: ignore[arg-type]


def newer(version: str, **more: object) -> File:
    return file(version, requires_python=">=3.99", **more)


def offer(*files: File, status: str | None = None) -> Offer:
    page = ProjectPage(name="app", files=files, status=status)
    return Offer(page, page)


def told(asked: str, *files: File, target: Target = LINUX, wanted: Wanted | None = None) -> str:
    wanted = wanted or Wanted()
    asks = Asked.by(SpecifierSet(asked), pre=wanted.pre)
    return unsatisfied(offer(*files), asks, target, wanted) or "satisfied"


WINDOWS = "cp311-cp311-win_amd64"
NEEDS = "needs Python >=3.99, and the target is 3.11"
NEED = NEEDS.replace("needs", "need")
MANY = [file(f"1.{number}") for number in range(250)]
CASES = [
    # What is not there: the next lower and the next higher version.
    ("==9.9", [file("9.8"), file("10.0"), file("1.0")],
     "there is no 9.9; the nearest versions are 9.8 and 10.0"),
    ("==9.9", [newer("9.8"), file("10.0")],
     f"there is no 9.9; the nearest versions are 9.8 and 10.0. 9.8 {NEEDS}"),
    ("==9.9", [file("1.0"), file("2.0"), newer("9.8"), newer("10.0"), newer("11.0")],
     f"there is no 9.9; the nearest versions are 2.0, 9.8 and 10.0. 9.8 and 10.0 {NEED}"),
    ("==9.9", [file("10.0")], "there is only 10.0"),
    ("==2.0", [file("1.1"), file("2.0rc1")],
     "there is no 2.0; the nearest versions are 1.1 and 2.0rc1. 2.0rc1 is a pre-release"),
    ("==9.9", [file("9.8", yanked="broken on\nSundays"), file("9.7")],
     "there is no 9.9; the nearest versions are 9.7 and 9.8. 9.8 is yanked (broken on Sundays)"),
    (">3", MANY, "none of its 250 versions matches; the nearest version is 1.249"),
    (">=1.5,<1.6", [file("1.4"), file("1.6"), file("2.0")],
     "none of its 3 versions matches; the nearest versions are 1.4 and 1.6"),
    ("==3.*", [file("2.0"), file("4.0")],
     "none of its 2 versions matches; the nearest versions are 2.0 and 4.0"),
    ("===old_1", [file("1.0"), file("2.0")],
     "there is no old_1; the nearest version is 2.0"),
    ("==1.0", [], "the page of app lists no file that can be installed"),
    # What is there, and cannot be installed: why, and what else can be.
    ("==9.8", [newer("9.8"), file("9.7"), file("10.0"), file("11.0")],
     f"9.8 {NEEDS}; the nearest that fit are 9.7 and 10.0"),
    ("", [newer("9.8")], f"9.8 {NEEDS}"),
    (">=1", [newer(f"1.{number}") for number in range(250)],
     f"1.247, 1.248 and 1.249 {NEED}, and 247 older ones cannot be installed either"),
    ("==1.0", [file("1.0", tag=WINDOWS)],
     f"1.0 has no wheel for {LINUX}, and no sdist"),
    (">=1", [file("1.0", tag=WINDOWS), newer("2.0")],
     f"1.0 has no wheel for {LINUX}, and no sdist; 2.0 {NEEDS}"),
    (">=1", [file("1.0", yanked=True), file("0.9")], "1.0 is yanked; the nearest that fits is 0.9"),
    (">1", [file("2.0rc1"), file("1.0")], "2.0rc1 is a pre-release; the nearest that fits is 1.0"),
    # What can be installed.
    ("==1.0", [file("1.0", yanked=True)], "satisfied"),
    ("==1.0,!=1.1", [file("1.0", yanked=True)], "satisfied"),
    ("==1.0", [file("1.0", tag=WINDOWS), file("1.0", is_sdist=True)], "satisfied"),
    (">1", [file("2.0rc1")], "satisfied"),
    (">=2.0rc1", [file("2.0rc1"), file("1.0")], "satisfied"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "files", "expected"), CASES)
def test_a_sentence_names_the_nearest_versions_and_why_they_do_not_fit(
    asked: str, files: list[File], expected: str
) -> None:
    assert told(asked, *files) == expected


def test_for_the_running_python_its_full_version_is_named() -> None:
    expected = f"9.8 needs Python >=3.99, and this is {platform.python_version()}"
    assert told("==9.8", newer("9.8"), target=HERE) == expected


def test_options_for_formats_and_pre_releases_decide() -> None:
    wheels, sdists = Wanted(only_binary=frozenset(["app"])), Wanted(no_binary=frozenset([ALL]))
    source, built = file("1.0", is_sdist=True), file("1.0")
    refused = "which an option refuses"
    assert told("", source, wanted=wheels) == f"1.0 has only an sdist, {refused}"
    assert told("", built, wanted=sdists) == f"1.0 has only wheels, {refused}"
    foreign = file("1.0", tag=WINDOWS)
    expected = f"1.0 has no wheel for {LINUX}, and sdists are refused"
    assert told("", foreign, source, wanted=wheels) == expected
    assert told("", source, built, wanted=wheels) == "satisfied"
    assert told(">1", file("2.0rc1"), built, wanted=Wanted(pre=True)) == "satisfied"


def test_pip_takes_a_pre_release_if_nothing_else_matches() -> None:
    assert told(">1", file("2.0rc1"), file("1.0"), target=HERE) == "satisfied"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "1.0 is withheld, because its content has changed since it was first seen"),
        ({"is_offline": True}, "1.0 is not in the cache, and no index can be asked"),
        (
            {"young": {file("1.0").filename: "is withheld until 2026-12-04 by the cooldown of x"}},
            "1.0 is withheld until 2026-12-04 by the cooldown of x",
        ),
    ],
)
def test_of_what_is_listed_and_not_offered_the_reason_is_told(
    more: dict[str, Any], expected: str
) -> None:
    listed = ProjectPage(name="app", files=(file("1.0"), file("2.0")))
    offered = ProjectPage(name="app", files=(file("2.0"),))
    said = unsatisfied(Offer(listed, offered, **more), Asked.pinned("1.0"), LINUX, Wanted())
    assert said == f"{expected}; the nearest that fits is 2.0"
    quarantined = ProjectPage(name="app", files=(file("1.0"),), status="quarantined")
    nothing = Offer(quarantined, ProjectPage(name="app"))
    said = unsatisfied(nothing, Asked.pinned("1.0"), LINUX, Wanted())
    assert said == "1.0 is withheld, because its index has the project in quarantine"


def test_a_pin_is_not_satisfied_by_a_local_version_but_by_another_spelling() -> None:
    for text, expected in ("1", None), ("1.0+cpu", None), ("1.0+gpu", "there is no 1.0+gpu"):
        page = offer(file("1.0"), file("1.0+cpu"))
        said = unsatisfied(page, Asked.pinned(text), LINUX, Wanted())
        assert (said and said.partition(";")[0]) == expected
    only = offer(file("1.0+cpu"))
    assert unsatisfied(only, Asked.pinned("1.0"), LINUX, Wanted()) == "there is only 1.0+cpu"


_VERSIONS = st.sampled_from(["0.9", "1.0", "1.1", "2.0rc1", "2.0", "2.1", "10.0"])
_FILES = st.builds(
    lambda version, **more: file(version, **{k: v for k, v in more.items() if v is not None}),
    _VERSIONS,
    tag=st.sampled_from([None, WINDOWS]),
    requires_python=st.sampled_from([None, ">=3.99"]),
    yanked=st.sampled_from([None, True]),
)
_OPERATORS = st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="])


@given(st.lists(_FILES, max_size=8), _OPERATORS, _VERSIONS)
def test_a_requirement_is_satisfied_exactly_if_some_file_of_a_match_fits(
    files: list[File], operator: str, version: str
) -> None:
    asked = f"{operator}{version}"
    fits = [
        found
        for each in files
        if each.requires_python is None and each.filename.endswith("none-any.whl")
        if (found := Version(each.filename.split("-")[1])) in SpecifierSet(asked, prereleases=True)
        if each.yanked is False or operator == "=="
    ]
    said = told(asked, *files, target=HERE)
    assert (said == "satisfied") is bool(fits)
    assert len(said) < 400
    assert "\n" not in said
