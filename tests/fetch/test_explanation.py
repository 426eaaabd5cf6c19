"""Why pip and uv have found no versions, from what they print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.fetch.explanation import Explanation, of_pip, of_uv


def needed(explanation: Explanation) -> list[tuple[str, str]]:
    return [(str(requirement), by) for requirement, by in explanation.needed]


VERSIONS = ", ".join(f"1.{number}" for number in range(250))
PIP = f"""\
ERROR: Ignored the following versions that require a different python version: 9.8 Requires-Python >=3.13
ERROR: Could not find a version that satisfies the requirement app[x]==9.9 (from lib) (from versions: {VERSIONS})
ERROR: No matching distribution found for app[x]==9.9 (from lib)
"""  # noqa: E501 - as pip prints it


def test_the_versions_that_pip_lists_are_left_out_and_the_requirement_is_named() -> None:
    found = of_pip("Collecting lib\n", PIP)
    assert found.text == (
        "ERROR: Could not find a version that satisfies the requirement app[x]==9.9 (from lib) "
        "ERROR: No matching distribution found for app[x]==9.9 (from lib)"
    )
    assert needed(found) == [("app[x]==9.9", "lib")]


@pytest.mark.parametrize(
    ("end", "by"),
    [
        ("", ""),
        (" (from -r /tmp/wanted.txt (line 3))", ""),
        (" (from lib->-r /tmp/wanted.txt (line 1))", "lib"),
    ],
)
def test_what_pip_names_as_the_source_of_its_callers_requirements_is_left_out(
    end: str, by: str
) -> None:
    text = f"ERROR: No matching distribution found for app<2,>=1{end}\n"
    assert needed(of_pip("", text)) == [("app<2,>=1", by)]


CONFLICT = """\
INFO: pip is looking at multiple versions of b to determine which version is compatible.

The conflict is caused by:
    a 1.0 depends on x<2
{more}    The user requested x>=2

To fix this you could try to:
1. loosen the range of package versions you've specified
"""
CANNOT = """\
ERROR: Cannot install -r /tmp/wanted.txt (line 1) and -r /tmp/wanted.txt (line 2) because ...
ERROR: ResolutionImpossible: for help visit https://pip.example.com/
"""


def test_of_a_conflict_the_requirements_are_told() -> None:
    found = of_pip(CONFLICT.format(more=""), CANNOT)
    assert found == Explanation("a 1.0 depends on x<2; The user requested x>=2", ())
    long = CONFLICT.format(more="    b 1.0 depends on x<2\n" * 250)
    assert of_pip(long, CANNOT).text.endswith("; b 1.0 depends on x<2; and 240 more")


UV = """\
  \x1b[31m×\x1b[0m No solution found when resolving dependencies:
  ╰─▶ Because the requested Python version (>=3.11) does not satisfy Python>=3.13 and app==9.8 depends
      on Python>=3.13, we can conclude that app==9.8 cannot be used.
      And because all versions of lib depend on app==9.8, we can conclude that your requirements are
      unsatisfiable.

      hint: The `--python-version` value (>=3.11) includes Python versions that are not supported
"""  # noqa: E501, RUF001 - as uv prints it


def test_of_uv_the_sentences_are_told_and_what_projects_require() -> None:
    found = of_uv(UV)
    assert found.text.startswith("Because the requested Python version (>=3.11) does not satisfy")
    assert found.text.endswith("we can conclude that your requirements are unsatisfiable.")
    assert needed(found) == [("app==9.8", "lib")]


def test_of_another_failure_the_last_lines_are_told() -> None:
    lines = "".join(f"line {number}\n" for number in range(100))
    for found in of_pip("", lines), of_uv(lines):
        assert found == Explanation(" ".join(f"line {number}" for number in range(88, 100)), ())
    for found in of_pip("", "x" * 10_000), of_uv("Because " + "x" * 10_000):
        assert len(found.text) < 2000


@given(st.text(), st.text())
def test_no_text_is_too_strange(out: str, err: str) -> None:
    of_pip(out, f"{err}\nERROR: No matching distribution found for {out}\n")
    of_uv(f"Because {out} depends on {err}")
