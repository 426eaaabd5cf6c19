"""The requirements in metadata, whatever an index sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement

from indexfallback.dists.interpreters import Interpreter
from indexfallback.dists.requirements import (
    applies,
    applies_anywhere,
    requires_dist,
)

ENVIRONMENT = {**Interpreter("3.11.7", "manylinux_2_36_x86_64").markers, "extra": ""}


def required(*lines: str) -> list[str]:
    text = "\n".join(f"Requires-Dist: {line}" for line in lines)
    return [str(each) for each in requires_dist(f"Name: demo\n{text}\n\nA text.\n".encode())]


def test_valid_requirements_are_read_and_others_left_out() -> None:
    nested = f"deep; {'(' * 5000}python_version > '3'{')' * 5000}"
    nul = "e; os_name == '\0'"
    assert required("b>=1", "c (>=1", nested, nul, "d[x]") in (
        ["b>=1", "d[x]"],
        ["b>=1", 'e; os_name == "\0"', "d[x]"],  # packaging 26
    )


@given(st.binary() | st.text().map(lambda text: f"Requires-Dist: {text}".encode()))
def test_no_metadata_are_an_error(metadata: bytes) -> None:
    for requirement in requires_dist(metadata):
        assert requirement.name


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("python_version >= '3.11'", True),
        ("sys_platform == 'win32'", False),
        ("extra == 'x'", False),
        ("python_version ~= 'abc'", False),
        ("sys_platform ~= 'linux'", False),
        ("'x' in extras", False),
        ("'x' in dependency_groups", False),
        ("python_version >= 'abc'", False),
    ],
)
def test_a_marker_that_cannot_be_evaluated_is_false(marker: str, expected: bool) -> None:
    assert applies(Requirement(f"demo; {marker}"), ENVIRONMENT) is expected


def test_a_requirement_without_a_marker_applies() -> None:
    assert applies(Requirement("demo"), ENVIRONMENT)


@pytest.mark.parametrize(
    ("marker", "extras", "expected"),
    [
        ("sys_platform == 'win32'", (), True),
        ("python_version < '3' and 'Server' not in platform_version", (), True),
        ("extra == 'fast'", (), False),
        ("extra == 'fast'", ("slow", "fast"), True),
        ("extra == 'so-fast'", ("So_Fast",), True),
        ("'fast' == extra", ("fast",), True),
        ("extra != 'fast'", (), True),
        ("extra in 'fast slow'", ("slow",), True),
        ("sys_platform == 'win32' and extra == 'fast'", (), False),
        ("sys_platform == 'win32' and extra == 'fast'", ("fast",), True),
        ("sys_platform == 'win32' or extra == 'fast'", (), True),
        ("(os_name == 'nt' or python_version < '3') and (extra == 'a' or extra == 'b')", (), False),
        ("(os_name == 'nt' or python_version < '3') and (extra == 'a' or extra == 'b')", "b", True),
        ("platform_version == 'extra == 1' and extra == 'a'", (), False),
        ("'x' in extras", ("x",), False),
        ("'x' in dependency_groups", ("x",), False),
    ],
)
def test_a_requirement_applies_anywhere_if_its_extra_is_asked_for(
    marker: str, extras: tuple[str, ...], expected: bool
) -> None:
    assert applies_anywhere(Requirement(f"demo; {marker}"), extras) is expected


_ATOM = st.sampled_from(
    [
        "extra == 'a'",
        "'b' == extra",
        "sys_platform == 'win32'",
        "'x' in os_name",
        "python_version < '3'",
    ]
)


def _joined(markers: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, markers, st.sampled_from(["and", "or"]), markers)


@given(st.recursive(_ATOM, _joined, max_leaves=8), st.sampled_from(["", "a", "b", "c"]))
def test_what_applies_here_applies_anywhere(marker: str, extra: str) -> None:
    requirement = Requirement(f"demo; {marker}")
    if applies(requirement, {**ENVIRONMENT, "extra": extra}):
        assert applies_anywhere(requirement, [extra])


@given(st.text())
def test_every_valid_marker_can_be_asked_whether_it_applies_anywhere(value: str) -> None:
    for quote in "'\"":
        try:
            requirement = Requirement(f"demo; platform_version == {quote}{value}{quote}")
        except (InvalidRequirement, SyntaxError, ValueError):
            continue
        assert applies_anywhere(requirement)
