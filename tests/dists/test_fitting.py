"""The wheel that an installer takes from a page by itself."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from indexfallback.dists.fitting import newest_wheel
from indexfallback.dists.interpreters import Interpreter
from indexfallback.page import File, ProjectPage

LINUX = Interpreter("3.11.7", "manylinux_2_36_x86_64")


def chosen(*files: str | File, allowed: str = "", interpreter: Interpreter = LINUX) -> str | None:
    """Return the name of the file that is taken of those on a page, in whatever order."""
    listed = [f if isinstance(f, File) else listing(f) for f in files]
    random.Random(1).shuffle(listed)
    page = ProjectPage(name="demo", files=tuple(listed))
    file = newest_wheel(page, interpreter, SpecifierSet(allowed))
    return file.filename if file is not None else None


def listing(
    filename: str, *, requires_python: str | None = None, yanked: bool | str = False
) -> File:
    return File(
        filename=filename,
        url=f"https://files.example.com/{filename}",
        requires_python=requires_python,
        yanked=yanked,
    )


def wheel(version: str, tag: str = "py3-none-any") -> str:
    return f"demo-{version}-{tag}.whl"


def test_the_newest_version_is_taken_by_number() -> None:
    assert chosen(wheel("1.9"), wheel("1.10"), wheel("1.2")) == wheel("1.10")


def test_the_best_tag_and_then_the_highest_build_is_taken() -> None:
    old, new = (
        wheel("1.0", "cp311-cp311-manylinux_2_17_x86_64"),
        wheel("1.0", "cp311-cp311-manylinux_2_28_x86_64"),
    )
    assert chosen(wheel("1.0"), old, new) == new
    assert chosen(wheel("1.0"), "demo-1.0-2-py3-none-any.whl") == "demo-1.0-2-py3-none-any.whl"


def test_a_version_without_a_file_for_this_platform_is_passed_over() -> None:
    assert chosen(wheel("2.0", "cp311-cp311-win_amd64"), wheel("1.0")) == wheel("1.0")
    windows = Interpreter("3.11.7", "win_amd64")
    only = wheel("2.0", "cp311-cp311-win_amd64")
    assert chosen(only, wheel("1.0"), interpreter=windows) == only


def test_nothing_is_taken_where_an_installer_would_build() -> None:
    assert chosen("demo-2.0.tar.gz", wheel("1.0")) is None
    assert chosen("demo-2.0.tar.gz", wheel("2.0", "cp311-cp311-win_amd64")) is None
    assert chosen("demo-2.0.tar.gz", wheel("2.0")) == wheel("2.0")


def test_requires_python_decides_for_each_file() -> None:
    newest = listing(wheel("2.0"), requires_python=">=3.12")
    assert chosen(newest, wheel("1.0")) == wheel("1.0")
    invalid = listing(wheel("2.0"), requires_python="python 3")
    assert chosen(invalid, wheel("1.0")) == wheel("2.0")


@pytest.mark.parametrize("reason", [True, "broken"])
def test_a_yanked_file_is_passed_over(reason: bool | str) -> None:
    assert chosen(listing(wheel("2.0"), yanked=reason), wheel("1.0")) == wheel("1.0")


@pytest.mark.parametrize(
    ("allowed", "version"),
    [
        ("", "1.0"),
        ("<1", "0.9"),
        (">=2.0rc1", "2.0rc1"),
        (">1.0", "2.0rc1"),
        ("==1.0", "1.0"),
        ("~=0.9.0", "0.9"),
    ],
)
def test_specifiers_hold_and_a_pre_release_comes_last(allowed: str, version: str) -> None:
    found = chosen(wheel("1.0"), wheel("2.0rc1"), wheel("0.9"), allowed=allowed)
    assert found == wheel(version)


def test_nothing_is_taken_where_nothing_is_allowed() -> None:
    assert chosen(wheel("1.0"), allowed=">2") is None
    assert chosen() is None


def test_files_without_a_proper_name_are_passed_over() -> None:
    strange = ("demo.whl", "demo-x-y.whl", "demo-9.9-py3.whl", "demo-9.exe", "demo.tar.gz", "whl")
    assert chosen(*strange, wheel("1.0")) == wheel("1.0")


PARTS = ("demo", "1.0", "2.0rc1", "x", "1", "py3", "none", "any", "cp311", "abi3", "1!2", "v1", "")
names = st.builds(
    "{}{}".format,
    st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=7).map("-".join),
    st.sampled_from((".whl", ".tar.gz", ".zip", ".egg", "")),
)
specifiers = st.sampled_from(("", "<2", ">=1.0rc1", "==1.0", "===x", "!=1.0,<3"))


@given(st.lists(names), specifiers)
def test_whatever_a_page_lists_the_choice_is_one_of_its_wheels(
    names: list[str], allowed: str
) -> None:
    found = chosen(*names, allowed=allowed)
    assert found is None or (found in names and found.endswith(".whl"))
