"""Tags and markers of any Python on any platform, compared with those of the running one."""

import platform
import sys

import pytest
from packaging.markers import Marker, default_environment
from packaging.tags import Tag, sys_tags

from indexfallback.dists.interpreters import Interpreter, system_of, wheel_tags

#: What a User-Agent does not tell.
_UNTOLD = {"platform_version": ""}

here = pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc",
    reason="the platform's tag is made of the version of glibc",
)


def running() -> Interpreter:
    """Return this very interpreter, described as that of a client."""
    glibc = platform.libc_ver()[1].replace(".", "_")
    return Interpreter(
        platform.python_version(),
        f"manylinux_{glibc}_{platform.machine()}",
        platform.python_implementation(),
        release=platform.release(),
    )


@here
def test_the_tags_of_the_running_python_are_those_of_packaging_in_their_order() -> None:
    tags = running().tags
    assert sorted(tags, key=lambda tag: tags[tag]) == list(dict.fromkeys(sys_tags()))


@here
def test_the_markers_of_the_running_python_are_those_of_packaging() -> None:
    expected = {**default_environment(), **_UNTOLD}
    assert running().markers == expected


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        (
            "win_amd64",
            'sys_platform == "win32" and os_name == "nt" and platform_machine == "AMD64"',
        ),
        ("macosx_14_0_arm64", 'sys_platform == "darwin" and platform_machine == "arm64"'),
        ("musllinux_1_2_aarch64", 'platform_system == "Linux" and platform_machine == "aarch64"'),
        ("linux_riscv64", 'sys_platform == "linux" and platform_machine == "riscv64"'),
        ("manylinux2014_x86_64", 'python_full_version == "3.12.4" and python_version == "3.12"'),
        ("win32", 'implementation_name == "cpython" and implementation_version == "3.12.4"'),
    ],
)
def test_a_marker_is_evaluated_for_another_platform(name: str, marker: str) -> None:
    assert Marker(marker).evaluate({**Interpreter("3.12.4", name).markers, "extra": ""})


def test_a_pypy_takes_its_own_wheels_and_pure_ones() -> None:
    pypy = Interpreter("3.10.14", "manylinux_2_28_x86_64", "PyPy", "7.3.17")
    assert Tag("pp310", "pypy310_pp73", "manylinux_2_17_x86_64") in pypy.tags
    assert Tag("py3", "none", "any") in pypy.tags
    assert Tag("cp310", "cp310", "manylinux_2_17_x86_64") not in pypy.tags
    assert pypy.markers["implementation_name"] == "pypy"
    assert pypy.markers["implementation_version"] == "7.3.17"


@pytest.mark.parametrize(
    ("machine", "oldest"), [("x86_64", 5), ("i686", 5), ("aarch64", 17), ("riscv64", 17)]
)
def test_the_oldest_glibc_depends_on_the_machine(machine: str, oldest: int) -> None:
    tags = Interpreter("3.12.4", f"manylinux_2_36_{machine}").tags
    levels = {tag.platform.split("_")[2] for tag in tags if tag.platform.startswith("manylinux_")}
    assert min(map(int, levels)) == oldest


def test_the_abi_is_that_of_the_version_and_not_of_the_running_python() -> None:
    firsts = {
        version: next(wheel_tags(version, ["any"]), None) for version in ((3, 7), (3, 8), (3, 99))
    }
    assert [str(tag) for tag in firsts.values()] == [
        "cp37-cp37m-any", "cp38-cp38-any", "cp399-cp399-any",
    ]  # fmt: skip
    threaded = [tag.abi for tag in wheel_tags((3, 13), ["any"], free_threaded=True)]
    assert threaded[0] == "cp313t"


@pytest.mark.parametrize("name", ["any", "amiga_1_3", "cygwin"])
def test_an_unknown_platform_has_no_markers(name: str) -> None:
    assert system_of(name) is None
    with pytest.raises(ValueError, match=name):
        _ = Interpreter("3.12.4", name).markers
