"""The requirements in metadata, whatever an index sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from indexfallback.dists.interpreters import Interpreter
from indexfallback.dists.requirements import applies, requires_dist

ENVIRONMENT = {**Interpreter("3.11.7", "manylinux_2_36_x86_64").markers, "extra": ""}


def required(*lines: str) -> list[str]:
    text = "\n".join(f"Requires-Dist: {line}" for line in lines)
    return [str(each) for each in requires_dist(f"Name: demo\n{text}\n\nA text.\n".encode())]


def test_valid_requirements_are_read_and_others_left_out() -> None:
    nested = f"deep; {'(' * 5000}python_version > '3'{')' * 5000}"
    assert required("b>=1", "c (>=1", nested, "d[x]") == ["b>=1", "d[x]"]


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
