"""What the User-Agents of real clients tell, and that nothing else tells anything."""

import json
import os
import platform
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import default_environment
from packaging.tags import sys_tags
from pip._internal.network.session import user_agent

from indexfallback.files.profile import LONGEST, profile_of
from tests.clients.support import uv_executable
from tests.fakes import FakeIndex, wheel

TOLD: dict[str, Any] = {
    "installer": {"name": "pip", "version": "26.3"},
    "python": "3.12.4",
    "implementation": {"name": "CPython", "version": "3.12.4"},
    "system": {"name": "Linux", "release": "6.1.0"},
    "cpu": "x86_64",
    "distro": {"name": "Debian", "version": "12", "libc": {"lib": "glibc", "version": "2.36"}},
    "ci": None,
}


def agent(client: str = "pip/26.3", **changes: Any) -> str:
    """Return a User-Agent; a change of None leaves the key out."""
    told = {key: value for key, value in (TOLD | changes).items() if value is not None}
    return f"{client} {json.dumps(told)}"


def platform_of(text: str) -> str | None:
    profile = profile_of(text)
    return profile.interpreter.platform if profile is not None else None


def of_uv(*command: str) -> str:
    """Return the User-Agent of the installed uv at work."""
    with FakeIndex([wheel("demo")]) as index:
        environment = {**os.environ, "UV_NO_CONFIG": "1", "UV_DEFAULT_INDEX": index.url}
        subprocess.run(
            [uv_executable(), *command, "--no-cache", "--python", sys.executable],
            env=environment, input=b"demo", check=True, capture_output=True,
        )  # fmt: skip
        return str(index.requests[0].headers["User-Agent"])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell no version of a C library")
def test_the_profile_of_the_installed_pip_is_this_very_interpreter() -> None:
    profile = profile_of(user_agent())
    assert profile is not None
    assert profile.installs
    tags = profile.interpreter.tags
    assert sorted(tags, key=lambda tag: tags[tag]) == list(dict.fromkeys(sys_tags()))
    expected = {**default_environment(), "platform_version": ""}
    assert profile.interpreter.markers == expected


def test_the_profile_of_the_installed_uv_is_the_same_interpreter() -> None:
    compiling = profile_of(of_uv("pip", "compile", "-"))
    assert compiling is not None
    assert not compiling.installs
    of_pip = profile_of(user_agent())
    assert of_pip is not None
    assert compiling.interpreter == of_pip.interpreter
    installing = profile_of(of_uv("pip", "install", "--dry-run", "demo"))
    assert installing is not None
    assert installing.installs


@pytest.mark.parametrize(
    ("subcommand", "installs"),
    [
        (["pip", "install"], True), (["sync"], True), (["tool", "run"], True),
        (["pip", "compile"], False), (["lock"], False), (["tree"], False), ([], False),
        (None, False),
    ],
)  # fmt: skip
def test_uv_installs_by_its_subcommand(subcommand: list[str] | None, installs: bool) -> None:
    told = {"name": "uv", "version": "0.13.9", "subcommand": subcommand}
    profile = profile_of(agent("uv/0.13.9", installer=told))
    assert profile is not None
    assert profile.installs is installs


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({}, "manylinux_2_36_x86_64"),
        ({"distro": {"libc": {"lib": "glibc", "version": "2.20-2014.11"}}},
         "manylinux_2_20_x86_64"),
        ({"distro": {"libc": {"lib": "musl", "version": "1.2.5"}}}, "musllinux_1_2_x86_64"),
        ({"distro": None}, "linux_x86_64"),
        ({"distro": {"version": "14.5"}, "system": {"name": "Darwin"}, "cpu": "arm64"},
         "macosx_14_5_arm64"),
        ({"distro": None, "system": {"name": "Windows", "release": "11"}, "cpu": "AMD64"},
         "win_amd64"),
        ({"cpu": "aarch64"}, "manylinux_2_36_aarch64"),
    ],
)  # fmt: skip
def test_the_platform_is_made_of_system_machine_and_c_library(
    changes: dict[str, Any], tag: str
) -> None:
    assert platform_of(agent(**changes)) == tag


def test_a_pypy_tells_both_of_its_versions() -> None:
    profile = profile_of(
        agent(python="3.10.14", implementation={"name": "PyPy", "version": "7.3.17"})
    )
    assert profile is not None
    assert profile.interpreter.implementation_version == "7.3.17"
    assert profile.interpreter.markers["python_version"] == "3.10"


@pytest.mark.parametrize("python", ["3.14.0rc1", "3.13.1+", "3.15.0a2"])
def test_a_version_under_development_counts_as_pip_counts_it(python: str) -> None:
    profile = profile_of(agent(python=python))
    assert profile is not None
    assert profile.interpreter.python == python.removesuffix("+")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pip/26.3",
        "pip/26.3 {}",
        "pip/26.3 {",
        "poetry/2.5.1 CPython/3.12",
        "Mozilla/5.0 (X11; Linux x86_64)",
        agent("uv/0.13.9"),
        agent("twine/7.0"),
        agent(python="2.7.18"),
        agent(python="3"),
        agent(python="3.12.4; rm"),
        agent(python=3.12),
        agent(cpu="x86_64/../.."),
        agent(cpu="x" * 33),
        agent(cpu=None),
        agent(system={"name": "Java"}),
        agent(system={"name": "Windows"}, cpu="mips"),
        agent(system={"name": "Darwin"}, distro=None),
        agent(system={"name": "Linux", "release": "6\n1"}),
        agent(implementation={"name": "GraalVM", "version": "24"}),
        agent(implementation={"name": "PyPy", "version": "seven"}),
        agent(user_data="x" * LONGEST),
        agent() + "x",
    ],
)
def test_anything_else_has_no_profile(text: str) -> None:
    assert profile_of(text) is None


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
values = st.recursive(leaves, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=5)


@given(st.dictionaries(st.sampled_from(sorted(TOLD)), values))
def test_a_profile_has_tags_and_markers_whatever_a_client_sends(changes: dict[str, Any]) -> None:
    profile = profile_of(f"pip/26.3 {json.dumps(TOLD | changes)}")
    if profile is not None:
        assert profile.interpreter.tags
        assert profile.interpreter.markers["python_full_version"]


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert profile_of(text) is None or text.startswith(("pip/", "uv/"))


def test_the_profile_of_this_machine_names_its_own_machine() -> None:
    profile = profile_of(user_agent())
    assert profile is not None
    assert profile.interpreter.markers["platform_machine"] == platform.machine()
