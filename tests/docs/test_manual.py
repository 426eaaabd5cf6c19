"""The manual page of the commands."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.in_process import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = ROOT / "docs" / "indexfallback.1"


def test_it_is_made_from_the_help_of_today() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "make_manual.py"))["page"]
    assert PAGE.read_text(encoding="utf-8") == page(), "run python docs/make_manual.py"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_it_can_be_read_and_has_the_sections_of_the_help() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(PAGE)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    for title in ("NAME", "SYNOPSIS", "INSTALL THROUGH THE CHAIN", "WORK OFFLINE, AND MIRROR"):
        assert f"\n{title}\n" in done.stdout
    assert "indexfallback cache info [OPTIONS]" in done.stdout


def test_the_wheel_has_it_where_man_looks_for_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    (source, place), *_ = shared.items()
    assert (ROOT / source, Path(place)) == (PAGE, Path("share/man/man1") / PAGE.name)
