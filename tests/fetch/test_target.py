"""Targets: which wheels they take, and what markers say of them."""

import sys

import pytest
from packaging.tags import Tag

from indexfallback.errors import WantedError
from indexfallback.fetch.target import Target, targets


def takes(target: Target, tag: str) -> bool:
    interpreter, abi, platform = tag.split("-")
    return Tag(interpreter, abi, platform) in target.tags


@pytest.mark.parametrize(
    ("platform", "tag"),
    [
        ("manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_17_x86_64"),
        ("manylinux_2_28_x86_64", "cp312-cp312-manylinux2014_x86_64"),
        ("manylinux_2_28_x86_64", "cp312-cp312-manylinux1_x86_64"),
        ("manylinux_2_28_x86_64", "cp39-abi3-manylinux_2_17_x86_64"),
        ("manylinux_2_28_x86_64", "py3-none-any"),
        ("musllinux_1_2_aarch64", "cp312-cp312-musllinux_1_1_aarch64"),
        ("macosx_14_0_arm64", "cp312-cp312-macosx_11_0_arm64"),
        ("macosx_14_0_arm64", "cp312-cp312-macosx_10_9_universal2"),
        ("win_amd64", "cp312-cp312-win_amd64"),
    ],
)
def test_a_platform_takes_wheels_of_older_ones(platform: str, tag: str) -> None:
    assert takes(Target("3.12", platform), tag)


@pytest.mark.parametrize(
    ("platform", "tag"),
    [
        ("manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_28_aarch64"),
        ("manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_28_x86_64"),
        ("manylinux_2_28_x86_64", "cp312-cp312-musllinux_1_1_x86_64"),
        ("macosx_14_0_arm64", "cp312-cp312-macosx_15_0_arm64"),
        ("macosx_14_0_arm64", "cp312-cp312-macosx_11_0_x86_64"),
        ("win_amd64", "cp312-cp312-win32"),
    ],
)
def test_a_platform_takes_no_wheel_of_another(platform: str, tag: str) -> None:
    assert not takes(Target("3.12", platform), tag)


def test_a_newer_platform_ranks_before_an_older_one() -> None:
    ranks = Target("3.12", "manylinux_2_28_x86_64").tags
    newer, older = (Tag("cp312", "cp312", f"manylinux_2_{n}_x86_64") for n in (28, 17))
    assert ranks[newer] < ranks[older] < ranks[Tag("py3", "none", "any")]


def test_markers_are_those_of_the_target() -> None:
    windows = Target("3.9", "win_amd64").markers
    assert (windows["sys_platform"], windows["os_name"]) == ("win32", "nt")
    assert (windows["python_version"], windows["python_full_version"]) == ("3.9", "3.9.0")
    mac = Target("3.10.4", "macosx_14_0_arm64").markers
    assert (mac["sys_platform"], mac["platform_machine"]) == ("darwin", "arm64")
    assert (mac["python_version"], mac["python_full_version"]) == ("3.10", "3.10.4")
    assert Target().markers["sys_platform"] == sys.platform


def test_the_python_that_runs_this_is_here_however_it_is_named() -> None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert Target().is_here
    assert Target(own).is_here
    assert not Target("3.6").is_here
    assert not Target(own, "win_amd64").is_here


def test_each_python_is_taken_on_each_platform_once() -> None:
    found = targets(["3.9", "3.12", "3.9"], ["win_amd64", "manylinux_2_28_x86_64"])
    assert [(each.python, each.platform) for each in found] == [
        ("3.9", "win_amd64"), ("3.9", "manylinux_2_28_x86_64"),
        ("3.12", "win_amd64"), ("3.12", "manylinux_2_28_x86_64"),
    ]  # fmt: skip
    assert targets([], []) == [Target()]


@pytest.mark.parametrize(
    ("python", "platform"), [("2.7", None), ("cp39", None), (None, "linux"), (None, "amiga_1_3")]
)
def test_what_nobody_knows_is_refused_with_what_to_give(
    python: str | None, platform: str | None
) -> None:
    with pytest.raises(WantedError, match="give one like"):
        Target(python, platform)
